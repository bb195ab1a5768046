"""Puts a plan to a person and reads the answer."""
