"""Carries out the actions of a plan, and takes them back."""
