"""The command line: thin commands over the flows and stages; heavy imports stand inside the commands."""
