"""The nouns of the heal story: frozen values without I/O and without a clock."""
