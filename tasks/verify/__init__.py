"""Proves that the thing that failed now passes."""
