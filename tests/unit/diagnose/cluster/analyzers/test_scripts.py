"""What the scripts in manifests will come to, each beside one that looks alike and does its work."""

import pytest

from tasks.diagnose.analyzers.cluster.scripts import find_told_failures
from tasks.domain.failure_class import FailureClass as F
from tests.unit.diagnose.cluster.analyzers.noticing import noticed, read_in

POD = """
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop}
spec:
  volumes: [{name: cache, emptyDir: {sizeLimit: 10Mi}}]
  containers:
  - {name: app, image: a, command: COMMAND, env: [{name: REGION, value: eu}], volumeMounts: [{name: cache, mountPath: /cache}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{port: 80}]}
"""
FAILS = (
    ("""[sh, -c, "echo 'FATAL: password authentication failed for user shop'; sleep 2; exit 1"]""", F.K8S_CRASH_CONFIG, "credentials"),
    ("""[sh, -c, "echo 'working'; echo 'lost the plot'; exit 3"]""", F.K8S_CRASH_APP, "lost the plot"),
    ("""[sh, -c, ': "${API_KEY:?not given}"; sleep 3600']""", F.K8S_CRASH_ENV, "API_KEY"),
    ("""[sh, -c, 'if [ -z "$API_KEY" ]; then echo no key; exit 1; fi; sleep 3600']""", F.K8S_CRASH_ENV, "API_KEY"),
    ("""[sh, -c, 'if [ -z "$MODE" ]; then echo MODE is undefined; else sleep 3600; fi']""", F.K8S_CRASH_ENV, "MODE"),
    ("""[sh, -c, "slepe 3600"]""", F.K8S_CRASH_CMD, "a typo for 'sleep'"),
    ("""[sh, -c, "dd if=/dev/zero of=/cache/f bs=1M count=50; sleep 3600"]""", F.K8S_NODE_PRESSURE, "sizeLimit 10Mi"),
    ("""[sh, -c, "fallocate -l 1G /cache/f; sleep 3600"]""", F.K8S_NODE_PRESSURE, "1024 MiB"),
    ("""[curl, "http://oders.shop.svc.cluster.local/"]""", F.K8S_CRASH_CONFIG, "there is orders"),
    ("""[curl, "http://billing.shop.svc/"]""", F.K8S_CRASH_DEP, "billing"),
)  # fmt: skip
WORKS = (
    """[sh, -c, "test -f /a || exit 1; sleep 3600"]""",
    """[sh, -c, "while true; do echo 'ERROR nobody'; sleep 5; done"]""",
    """[sh, -c, "echo done; exit 0"]""",
    """[sh, -c, ': "${REGION:?not given}"; sleep 3600']""",
    """[sh, -c, 'KEY=$(cat /k); [ -z "$KEY" ] && exit 1; sleep 3600']""",
    """[sh, -c, 'if [ -z "$MODE" ]; then MODE=x; fi; sleep 3600']""",
    """[sh, -c, "set -e; test -f /a; exec sleep 3600"]""",
    """[sh, -c, "echo done"]""",
    """[sh, -c, "dd if=/dev/zero of=/cache/f bs=1M count=5; sleep 3600"]""",
    """[sh, -c, "dd if=/dev/zero of=/tmp/f bs=1M count=50; sleep 3600"]""",
    """[curl, "http://orders.shop.svc.cluster.local/"]""",
    """[curl, "http://billing.elsewhere.svc/"]""",
)  # fmt: skip


@pytest.mark.parametrize(("command", "expected", "word"), FAILS)
def test_script_that_cannot_do_its_work_is_told(command: str, expected: F, word: str) -> None:
    (clue,) = read_in(find_told_failures, POD.replace("COMMAND", command))
    assert clue.failure_class is expected
    assert word in clue.cause
    assert clue.quotes


@pytest.mark.parametrize("command", WORKS)
def test_script_that_may_do_its_work_is_let_alone(command: str) -> None:
    assert read_in(find_told_failures, POD.replace("COMMAND", command)) == []


@pytest.mark.parametrize(("value", "found"), [("http://oders/", 1), ("orders:80", 0), ("mailer:25", 0)])
def test_host_of_a_variable_is_held_against_the_services_that_are_near(value: str, found: int) -> None:
    text = POD.replace("COMMAND", "[sleep, '1']").replace(
        "name: REGION, value: eu", f'name: ORDERS_URL, value: "{value}"'
    )
    assert len(read_in(find_told_failures, text)) == found


SERVER = """
apiVersion: apps/v1
kind: KIND
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: app, image: a, command: [sh, -c, "SCRIPT"]HOOK}]}}}
"""


@pytest.mark.parametrize(
    ("kind", "script", "found"),
    [
        ("Deployment", "echo working; sleep 5; echo done", 1),
        ("Deployment", "echo working; /app/server", 0),
        ("Deployment", "echo working; sleep 3600", 0),
        ("Job", "echo working; echo done", 0),
    ],
)
def test_script_of_what_should_go_on_has_to_go_on(kind: str, script: str, found: int) -> None:
    text = SERVER.replace("KIND", kind).replace("SCRIPT", script).replace("HOOK", "")
    assert len(read_in(find_told_failures, text)) == found


@pytest.mark.parametrize(("hook", "found"), [("echo warm; exit 1", 1), ("echo warm || exit 1", 0), ("echo warm", 0)])
def test_hook_that_always_fails_ends_its_container(hook: str, found: int) -> None:
    told = f', lifecycle: {{postStart: {{exec: {{command: [sh, -c, "{hook}"]}}}}}}'
    text = SERVER.replace("KIND", "Deployment").replace("SCRIPT", "/app/server").replace("HOOK", told)
    assert len(read_in(find_told_failures, text)) == found


def test_service_of_another_namespace_is_not_found_by_its_name_alone() -> None:
    text = POD.replace("COMMAND", "[sleep, '1']").replace("name: REGION, value: eu", "name: CACHE_HOST, value: redis")
    other = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: redis, namespace: data}\nspec: {ports: [{port: 6379}]}\n"
    )
    (clue,) = read_in(find_told_failures, text + other)
    assert "it is in data" in clue.cause


def test_cluster_that_runs_tells_by_itself() -> None:
    assert (
        noticed(find_told_failures, lambda state: state.workload("web", {"command": ["sh", "-c", "exit 1"]}) and None)
        == set()
    )
