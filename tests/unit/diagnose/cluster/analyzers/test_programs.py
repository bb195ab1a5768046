"""Programs that manifests carry with them: a text that is none, a file that is not there, variables that nobody gives."""

import pytest

from tasks.diagnose.analyzers.cluster.programs import find_broken_programs
from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import noticed, read_in

TEXT = """
apiVersion: v1
kind: ConfigMap
metadata: {name: code, namespace: shop}
data:
  good.py: "import os; print(os.environ['REGION'])"
  bad.py: "def run(: pass"
  wants.py: "import os; print(os.environ['API_KEY'])"
  sets.py: "import os; os.environ['API_KEY'] = 'x'"
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      volumes: [{name: code, configMap: {name: code}}]
      containers:
      - {name: app, image: python, command: COMMAND, env: [{name: REGION, value: eu}], volumeMounts: [{name: code, mountPath: /app}]}
"""
BROKEN = (
    ("[python, /app/bad.py]", F.K8S_CRASH_APP, "ConfigMap/shop/code", "syntax error in line 1"),
    ("[python3.11, -u, /app/wants.py]", F.K8S_CRASH_ENV, "Deployment/shop/web", "API_KEY"),
    ("[python, /app/server.py]", F.K8S_CRASH_CMD, "Deployment/shop/web", "has no such file"),
    ("""[python, -c, "print('a'"]""", F.K8S_CRASH_APP, "Deployment/shop/web", "syntax error"),
    ("""[python, -c, "import os; os.environ['DB']"]""", F.K8S_CRASH_ENV, "Deployment/shop/web", "DB"),
)
WHOLE = (
    "[python, /app/good.py]",
    "[python, /app/sets.py]",
    "[python, /elsewhere/server.py]",
    """[python, -c, "import os; os.environ.get('DB')"]""",
    "[python, -m, http.server]",
    "[nginx]",
)


@pytest.mark.parametrize(("command", "expected", "target", "word"), BROKEN)
def test_program_that_cannot_run_is_told(command: str, expected: F, target: str, word: str) -> None:
    (clue,) = read_in(find_broken_programs, TEXT.replace("COMMAND", command))
    assert (clue.failure_class, str(clue.target)) == (expected, target)
    assert word in clue.cause


@pytest.mark.parametrize("command", WHOLE)
def test_program_that_can_run_is_let_alone(command: str) -> None:
    assert read_in(find_broken_programs, TEXT.replace("COMMAND", command)) == []


def test_cluster_that_runs_tells_by_itself() -> None:
    def plant(state: State) -> None:
        state.workload("web", {"command": ["python", "-c", "print('a'"]})

    assert noticed(find_broken_programs, plant) == set()
