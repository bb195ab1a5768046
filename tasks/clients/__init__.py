"""One client per outside thing, none aware of another."""
