"""The console script; answers `--help` without importing anything heavy."""


def main() -> None:
    """Run the command line."""
