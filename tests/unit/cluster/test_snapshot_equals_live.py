"""What `healflow snapshot` wrote is explained word for word as the cluster it was taken of: nothing counts that it loses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.explain_cluster import explain_live_cluster, explain_snapshot, save_cluster
from tasks.clients.kubernetes.capture import KEPT_LINES
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.failure_class import FailureClass as F
from tasks.settings import KubernetesSettings
from tests.fakes.cluster_state import NOW, State
from tests.fakes.kubernetes_api import FakeKubernetes, serving

BURST = "2026-06-01 10:00:0{} ERROR could not connect to broker kafka:9092: connection timed out"
QUIET = [f"INFO handled request {number} of user" for number in range(4 * KEPT_LINES)]


def complains_early(state: State) -> None:
    """A burst of errors long before the end of the log that is kept."""
    state.log(state.pods("web")[0], *(BURST.format(number) for number in range(9)), *QUIET)


def complains_throughout(state: State) -> None:
    """One line in ten is an error, so that the kept end holds a part of them only."""
    pod = state.pods("web")[0]
    state.log(pod, *(BURST.format(n % 9) if n % 10 == 0 else line for n, line in enumerate(QUIET)))


def slows_down(state: State) -> None:
    """Answers take ever longer; the kept end alone was always slow."""
    state.log(state.pods("web")[0], *(f"INFO GET /cart response_time={5 + number * 2}ms" for number in range(1200)))


def tells_secrets(state: State) -> None:
    """A program whose complaints hold what is no one's business, in the kept end and before it."""
    said = "ERROR cannot log in to postgres://shop:hunter2-hunter2@db:5432: password authentication failed"
    state.log(state.pods("web")[0], said, *QUIET, *[said] * 200)


def two_at_once(state: State) -> None:
    """Two faults of the same weight, whose order must be one."""
    for name in ("worker", "api"):
        state.workload(name, replicas=2)
        state.crash(name, "ValueError: no price")


def cut_off(state: State) -> None:
    state.workload("db", {"ports": [{"containerPort": 5432}]})
    state.service("db", port=5432)
    state.put("NetworkPolicy", "few", spec={"podSelector": {"matchLabels": {"app": "db"}}, "ingress": []})
    state.workload("api", {"env": [{"name": "DB", "value": "db:5432"}]})
    state.crash("api", *QUIET, "dial tcp db:5432: i/o timeout")


STATES: tuple[tuple[Callable[[State], None], F | None], ...] = (
    (complains_early, None),
    (complains_throughout, F.K8S_CRASH_DEP),
    (slows_down, F.K8S_SLOW),
    (tells_secrets, F.K8S_CRASH_CONFIG),
    (two_at_once, F.K8S_CRASH_APP),
    (cut_off, F.K8S_NETPOL),
)


def both(state: State, tmp_path: Path) -> tuple[ClusterExplanation, ClusterExplanation]:
    """What the live cluster says, and the snapshot of it."""
    with serving(FakeKubernetes()) as fake:
        fake.objects = [*state.objects.values(), *state.events]
        fake.logs = {(space, pod, before): "\n".join(lines) for space, pod, before, lines in state.logs}
        settings = KubernetesSettings(kubeconfig=fake.kubeconfig(tmp_path))
        live = explain_live_cluster(settings, namespace="shop", now=NOW)
        save_cluster(settings, tmp_path / "saved", namespace="shop", now=NOW, version="test", tell=lambda _: None)
    return live, explain_snapshot(tmp_path / "saved", namespace="shop")


@pytest.mark.parametrize(("plant", "expected"), STATES, ids=[plant.__name__ for plant, _ in STATES])
def test_snapshot_is_explained_as_the_live_cluster(
    plant: Callable[[State], None], expected: F | None, tmp_path: Path
) -> None:
    state = State()
    plant(state)
    live, saved = both(state, tmp_path)
    assert saved == live
    assert [cause.diagnosis.failure_class for cause in live.causes][:1] == ([expected] if expected else [])


def test_complaint_outside_the_kept_end_is_told_of_both(tmp_path: Path) -> None:
    state = State()
    complains_early(state)
    for found in both(state, tmp_path):
        assert any("9 times in 1209 lines" in hint.diagnosis.cause for hint in found.hints)


def test_no_secret_is_written_beside_a_log(tmp_path: Path) -> None:
    state = State()
    tells_secrets(state)
    both(state, tmp_path)
    (digest,) = (tmp_path / "saved").rglob("*.digest.json")
    assert "postgres://shop:" in digest.read_text()
    assert "hunter2" not in digest.read_text()


def test_no_secret_is_written_with_the_pace_of_a_log(tmp_path: Path) -> None:
    state = State()
    said = "INFO GET postgres://shop:hunter2-hunter2@db/ response_time={0}ms, heap {0}MB"
    state.log(state.pods("web")[0], *(said.format(5 + number * 2) for number in range(1200)))
    live, _ = both(state, tmp_path)
    (digest,) = (tmp_path / "saved").rglob("*.digest.json")
    assert '"growth":{' in digest.read_text()
    assert "hunter2" not in digest.read_text() + live.model_dump_json()


@pytest.mark.parametrize("told", ["", "[]", "{", json.dumps({"line_count": "many"})])
def test_digest_that_is_none_is_said_and_the_log_is_read(told: str, tmp_path: Path) -> None:
    state = State()
    state.crash("web", 'panic: environment variable "PGDATA" not set')
    both(state, tmp_path)
    (digest,) = (tmp_path / "saved").rglob("*.digest.json")
    digest.write_text(told)
    found = explain_snapshot(tmp_path / "saved", namespace="shop")
    assert [source.source for source in found.evidence.unreadable] == ["logs/shop/web-5d4f8c7b9-abc0x/app.previous.log"]
    assert found.causes[0].diagnosis.failure_class is F.K8S_CRASH_ENV
