"""One file per action, each with its parameters, preflight, apply and undo."""
