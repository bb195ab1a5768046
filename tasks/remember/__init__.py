"""Records outcomes and finds what worked before."""
