"""Drafts a plan out of known remedies."""
