"""The demo: a small real repository, broken four times and healed each time."""
