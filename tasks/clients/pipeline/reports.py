"""Finds the reports that a job's commands wrote into the checkout, so that they outlive it: a scanner's above all.

A report is a JSON or SARIF file that the script of a step names and that was written while the step ran.
"""

import re
from collections.abc import Iterator
from pathlib import Path

MAX_REPORT_BYTES, MAX_REPORTS = 67_108_864, 20
"""What is larger is no report that a person or a rule can judge."""
_NAMED = re.compile(r"[\w./-]*[\w-]\.(?:json|sarif)\b")


def written_reports(script: str, *, folder: Path, checkout: Path, since: float) -> Iterator[Path]:
    """The reports that a script in `folder` wrote since a moment in seconds of the epoch; links lead nowhere."""
    root = checkout.resolve()
    for name in dict.fromkeys(_NAMED.findall(script)):
        path = folder / name
        try:
            inside = path.resolve().is_relative_to(root) and path.is_file() and not path.is_symlink()
            facts = path.stat() if inside else None
        except OSError:
            continue
        if facts is not None and facts.st_mtime >= since and 0 < facts.st_size <= MAX_REPORT_BYTES:
            yield path
