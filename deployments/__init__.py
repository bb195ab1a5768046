"""The doors: command line and gateway, and how they are started."""
