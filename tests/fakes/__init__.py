"""Fakes that behave like the outside world, on loopback."""
