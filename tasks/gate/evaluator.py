"""Evaluates a policy in a process of its own, so that a hanging or crashing policy can be killed and denies.

Run as a file: `python -I evaluator.py FOLDER < input.json`. Prints the decision's JSON. It imports nothing of Healflow
and little else: a decision costs the start of one small interpreter.
"""

import json
import sys
from pathlib import Path

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
    interpreter.set_input(json.load(sys.stdin))
    output = json.loads(str(interpreter.query(ENTRY_POINT)))
    values = output["expressions"]
    if len(values) != 1:
        return 1
    sys.stdout.write(json.dumps(values[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
