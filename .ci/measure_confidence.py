"""Measures how often each rule is right on labelled cases, and writes tasks/diagnose/measured.json.

`python .ci/measure_confidence.py LABELS CASES…`: each CASES is what `healflow eval` takes.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from deployments.cli.evaluate import read_labels
from flows.evaluate import evaluate_case, read_cases
from tasks.errors import BadInputError

WHERE = Path(__file__).resolve().parent.parent / "tasks" / "diagnose" / "measured.json"


def main(arguments: list[str]) -> int:
    """Measure and write."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    labels = read_labels(Path(arguments[0]))
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for named in arguments[1:]:
        folder, cases = read_cases(Path(named))
        for case in cases:
            try:
                result = evaluate_case(case, folder, labels)
            except BadInputError:
                continue
            if result.rule and result.expected:
                seen[result.rule] += 1
                right[result.rule] += result.right
    rules = {rule: {"right": right[rule], "of": seen[rule]} for rule in sorted(seen)}
    WHERE.write_text(json.dumps({"rules": rules}, indent=1) + "\n")
    print(f"{len(rules)} rules seen on {seen.total()} cases, right on {right.total()}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
