"""The console script: hands over to the command line, and turns expected errors into one clear line."""

import sys


def main() -> None:
    """Run `healflow`. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    from deployments.cli.app import app
    from tasks.errors import HealflowError

    try:
        app(prog_name="healflow")
    except HealflowError as error:
        print(f"healflow: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("healflow: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
