"""Reads evidence: the only way in for outside text."""
