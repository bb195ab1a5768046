"""Writes the part of requirements.lock that the GitHub action `triage` needs; `--check` only compares.

The action installs these few packages instead of all: it runs on somebody else's failing job.
"""

import re
import sys

from check_lock import ROOT, reachable
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOTS = ("google-re2", "httpx", "packaging", "pydantic", "pydantic-settings", "pygithub", "pyyaml", "rich", "typer")
SLICE = ROOT / ".github" / "actions" / "triage" / "requirements.lock"


def slice_of(lock: str) -> str:
    """The blocks of the lock that the roots need, in its order."""
    needed = reachable([Requirement(name) for name in ROOTS])
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    names = ((canonicalize_name(re.split(r"[=\s\[;]", block, maxsplit=1)[0]), block) for block in blocks)
    return "\n".join(block for name, block in names if name in needed) + "\n"


def main(arguments: list[str]) -> int:
    """Write or compare; 1 when the slice is out of step."""
    wanted = slice_of((ROOT / "requirements.lock").read_text())
    where = SLICE.relative_to(ROOT)
    if arguments == ["--check"]:
        if not SLICE.exists() or SLICE.read_text() != wanted:
            print(f"{where} is out of step: run 'make lock' and commit it.", file=sys.stderr)  # noqa: T201
            return 1
        print(f"{where}: {wanted.count('==')} packages, in step with requirements.lock")  # noqa: T201
        return 0
    SLICE.parent.mkdir(parents=True, exist_ok=True)
    SLICE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
