"""Brings a release out: rendered, compared, applied, watched until it serves, and remembered as verified."""
