"""Turns a webhook payload into a Signal; pure parsing."""
