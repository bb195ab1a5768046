"""One file a revision, applied in order when a ledger is opened."""
