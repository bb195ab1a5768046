"""The verbs of the heal story and what they need: nouns, clients and settings."""
