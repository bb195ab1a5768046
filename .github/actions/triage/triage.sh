#!/usr/bin/env bash
# The step of the action: installs the few locked packages that a triage needs, explains the run $TRIAGE_RUN, and writes
# the job summary and the outputs. HEALFLOW_PYTHON names an interpreter that has them already.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
python="${HEALFLOW_PYTHON:-}"
if [ -z "$python" ]; then
  python3 -c 'import sys; sys.exit("Healflow needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
  python3 -m venv "$RUNNER_TEMP/healflow-venv"
  python="$RUNNER_TEMP/healflow-venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --requirement "$root/.github/actions/triage/requirements.lock"
fi

folder="$RUNNER_TEMP/healflow-triage"
PYTHONPATH="$root" "$python" -m deployments.main triage "$TRIAGE_RUN" --save "$folder"
cat "$folder/triage.md" >> "$GITHUB_STEP_SUMMARY"
"$python" - "$folder/triage.json" >> "$GITHUB_OUTPUT" <<'PYTHON'
import json, sys
found = json.load(open(sys.argv[1], encoding="utf-8"))["diagnosis"]
print(f"failure-class={found['failure_class']}")
print(f"transient={str(found['transient']).lower()}")
PYTHON
echo "folder=$folder" >> "$GITHUB_OUTPUT"
