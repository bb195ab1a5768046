"""Evaluates a policy in a process of its own, so that a hanging or crashing policy can be killed and denies.

Run as a file: `python -I evaluator.py FOLDER < input.json`. Prints the decision's JSON; with `--each` after the folder
the input is a list, and so is what is printed: one decision for each, `null` where there is none. It
imports nothing of Healflow and little else: a decision costs the start of one small interpreter.
"""

import json
import sys
from pathlib import Path
from typing import Any

ENTRY_POINT = "data.healflow.decision"


def main() -> int:
    """Load `*.rego` and `*.json` of the folder, evaluate the entry point, print its one value."""
    from regopy import Interpreter

    folder = Path(sys.argv[1])
    interpreter = Interpreter()
    for module in sorted(folder.glob("*.rego")):
        interpreter.add_module(module.name, module.read_text())
    for document in sorted(folder.glob("*.json")):
        interpreter.add_data(json.loads(document.read_text()))
    given = json.load(sys.stdin)
    if sys.argv[2:] == ["--each"]:
        sys.stdout.write(json.dumps([_decide(interpreter, one) for one in given]))
        return 0
    decision = _decide(interpreter, given)
    if decision is None:
        return 1
    sys.stdout.write(json.dumps(decision))
    return 0


def _decide(interpreter: Any, given: Any) -> Any:
    interpreter.set_input(given)
    values = json.loads(str(interpreter.query(ENTRY_POINT))).get("expressions", [])
    return values[0] if len(values) == 1 else None


if __name__ == "__main__":
    sys.exit(main())
