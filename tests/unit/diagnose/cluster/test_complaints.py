"""Whole logs of programs that run: what goes on is a cause, what is over is worth knowing, and a slip is nothing."""

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from flows.explain_cluster import explain_snapshot
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import State

WEB = "Deployment/shop/web"
CALM = "2026-06-01 10:{:02d}:{:02d} INFO order placed"
BAD = "2026-06-01 11:{:02d}:00 ERROR cannot connect to payments.example.com:443: connection timed out"


def explained(*lines: str) -> ClusterExplanation:
    state = State()
    state.log(state.pods("web")[0], *lines)
    return diagnose_cluster(state.snapshot())


def calm(count: int) -> list[str]:
    return [CALM.format(number // 60 % 60, number % 60) for number in range(count)]


def test_burst_that_is_over_is_worth_knowing_only() -> None:
    found = explained(*calm(2_000), *[BAD.format(number) for number in range(20)], *calm(2_000))
    assert found.passed
    (first, *_) = found.hints
    assert "20 times in 4020 lines between 2026-06-01 11:00:00 and 2026-06-01 11:19:00" in first.diagnosis.cause


def test_errors_that_go_on_in_a_ready_program_are_a_cause_of_little_confidence() -> None:
    lines = [line for number in range(60) for line in (*calm(9), BAD.format(number))]
    (cause,) = explained(*lines).causes
    assert (cause.diagnosis.failure_class, str(cause.target)) == (F.K8S_CRASH_DEP, WEB)
    assert cause.diagnosis.confidence < 0.7


def test_one_error_now_and_then_is_no_cause() -> None:
    lines = [line for number in range(5) for line in (*calm(200), BAD.format(number))]
    assert explained(*lines).passed


def test_program_that_became_slow_is_a_cause() -> None:
    lines = [f"GET /cart took {80 if number < 300 else 4000}ms" for number in range(400)]
    (cause,) = explained(*lines).causes
    assert cause.diagnosis.failure_class is F.K8S_SLOW
    assert "from 80 ms to 4000 ms" in cause.diagnosis.cause


def test_program_that_was_always_slow_is_none() -> None:
    assert explained(*["GET /report took 4000ms"] * 400).passed


def test_log_of_a_crashed_program_is_not_read_twice() -> None:
    state = State()
    for pod in state.crash("web", *calm(50), "ValueError: no price"):
        state.log(pod, *calm(50), *["ERROR no price"] * 40)
    assert [cause.diagnosis.rule for cause in diagnose_cluster(state.snapshot()).causes] == ["cluster-crash-exception"]


def leaking(unit: str = "MB", *, falls: bool = False, most: int = 400) -> list[str]:
    sizes = [20 + n * most // 100 for n in range(100)]
    return [
        f"INFO batch {n} done, memory usage: {20 if falls and n > 80 else size}{unit}" for n, size in enumerate(sizes)
    ]


def test_memory_that_only_grows_is_told_of_a_program_that_nobody_looked_at(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text(json.dumps(manifest("web")))
    (tmp_path / "generated.log.gz").write_bytes(gzip.compress("\n".join(leaking()).encode()))
    (cause,) = explain_snapshot(tmp_path).causes
    assert (cause.diagnosis.failure_class, str(cause.target)) == (F.K8S_OOM, WEB)
    assert "grew from 68 MiB to 368 MiB" in cause.diagnosis.cause


def test_memory_that_grows_in_a_ready_program_is_worth_knowing_only() -> None:
    state = State()
    state.log(state.pods("web")[0], *leaking())
    found = diagnose_cluster(state.snapshot())
    assert found.passed
    assert "cluster-grows" in {hint.diagnosis.rule for hint in found.hints}


@pytest.mark.parametrize("lines", [leaking(falls=True), leaking("KB"), leaking(most=20), leaking()[:9]])
def test_memory_that_falls_or_stays_small_is_nothing(lines: list[str]) -> None:
    state = State()
    state.log(state.pods("web")[0], *lines)
    assert "cluster-grows" not in {hint.diagnosis.rule for hint in diagnose_cluster(state.snapshot()).hints}


def manifest(name: str) -> dict[str, Any]:
    pods = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "acme/web:1"}]}}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": pods}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress), ("", bytes)])
def test_packed_log_is_of_the_only_workload_beside_it(tmp_path: Path, suffix: str, pack: Any) -> None:
    lines = [*calm(5_000), BAD.format(0), *calm(5_000)]
    (tmp_path / "deployment.json").write_text(json.dumps(manifest("web")))
    (tmp_path / f"generated.log{suffix}").write_bytes(pack("\n".join(lines).encode()))
    (cause,) = explain_snapshot(tmp_path).causes
    assert (cause.diagnosis.failure_class, str(cause.target)) == (F.K8S_CRASH_DEP, WEB)
    assert cause.diagnosis.confidence < 0.5
    assert "complains once in 10001 lines" in cause.diagnosis.cause


def test_log_that_may_be_of_two_workloads_is_of_none_and_that_is_said(tmp_path: Path) -> None:
    for name in ("web", "api"):
        (tmp_path / f"{name}.json").write_text(json.dumps(manifest(name)))
    (tmp_path / "generated.log.gz").write_bytes(gzip.compress(b"ERROR cannot connect to db:5432\n" * 50))
    found = explain_snapshot(tmp_path)
    assert found.passed
    assert [source.source for source in found.evidence.unreadable] == ["generated.log.gz"]


def test_log_that_is_named_after_a_workload_is_of_it(tmp_path: Path) -> None:
    for name in ("web", "api"):
        (tmp_path / f"{name}.json").write_text(json.dumps(manifest(name)))
    (tmp_path / "api.log.gz").write_bytes(gzip.compress(b"ERROR cannot connect to db:5432\n" * 50))
    assert [str(cause.target) for cause in explain_snapshot(tmp_path).causes] == ["Deployment/shop/api"]


def test_broken_packed_log_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text(json.dumps(manifest("web")))
    (tmp_path / "generated.log.xz").write_bytes(b"no xz at all")
    assert [source.source for source in explain_snapshot(tmp_path).evidence.unreadable] == ["generated.log.xz"]
