"""Decides whether a plan may run: policy in Rego, and a floor in Python."""
