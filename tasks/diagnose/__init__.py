"""Finds the cause in the evidence."""
