"""Every condition that is known elsewhere, as a state of a cluster: its class and object come first, healthy ones yield
nothing. Run as `triage --snapshot` runs: through a folder.
"""

import json
import os
import re
from pathlib import Path

import pytest

from flows.explain_cluster import explain_snapshot
from tasks.clients.kubernetes import write_snapshot_folder
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.failure_class import FailureClass
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.conditions.all import CONDITIONS, SHOWN_ELSEWHERE
from tests.unit.diagnose.cluster.conditions.table import Condition

SHARED = Path(os.environ.get("HEALFLOW_SHARED_DATA", Path(__file__).parents[5] / "shared" / "data"))
COVERED = {row for condition in CONDITIONS for row in condition.covers} | set(SHOWN_ELSEWHERE)
FILTERS = ("LabelSelector", "NamespaceFiltering")
"""Endings of tests there that are about which objects are chosen; here `--namespace` chooses, for all kinds alike."""


def explained(state: State, folder: Path, namespace: str | None = None) -> ClusterExplanation:
    write_snapshot_folder(state.snapshot(), folder, version="test")
    return explain_snapshot(folder, namespace=namespace)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.says)
def test_condition_is_told_as_it_is(condition: Condition, tmp_path: Path) -> None:
    state = State()
    condition.plant(state)
    found = explained(state, tmp_path / "state")
    causes = [(cause.diagnosis.failure_class, str(cause.target)) for cause in found.causes]
    assert not [source for source in found.evidence.unreadable if source.source.startswith("analyzer:")]
    if condition.expected is None or condition.hint:
        assert causes == []
    else:
        assert causes[:1] == [(condition.expected, condition.target)], [c.diagnosis.cause for c in found.causes]
        assert found.causes[0].diagnosis.evidence_ids
    if condition.hint:
        hints = [(cause.diagnosis.failure_class, str(cause.target)) for cause in found.hints]
        assert (condition.expected, condition.target) in hints


def test_healthy_namespace_yields_nothing(tmp_path: Path) -> None:
    assert explained(State(), tmp_path / "state").passed


def test_fault_elsewhere_is_not_told_of_another_namespace(tmp_path: Path) -> None:
    state = State()
    state.workload("bad", namespace="other")
    state.crash("bad")
    assert explained(state, tmp_path / "a", "shop").passed
    assert not explained(state, tmp_path / "b", "other").passed


@pytest.mark.parametrize("found", [found for found in FailureClass if found.startswith(("k8s.", "dep."))])
def test_every_class_of_a_cluster_has_a_condition(found: FailureClass) -> None:
    assert found in {condition.expected for condition in CONDITIONS} or str(found) in SHOWN_ELSEWHERE


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.says)
def test_names_of_conditions_are_told_apart(condition: Condition) -> None:
    assert [other.says for other in CONDITIONS].count(condition.says) == 1


def given(name: str) -> list[dict[str, object]]:
    path = SHARED / "k8sgpt" / name
    if not path.is_file():
        pytest.skip("the lists of conditions are not here: set HEALFLOW_SHARED_DATA")
    return list(json.loads(path.read_text()))


def test_every_condition_of_k8sgpt_is_covered() -> None:
    tests = [str(row["test"]) for row in given("unit_test_conditions.json")]
    named = {row.partition("/")[0] for row in COVERED}
    missing = [name for name in tests if name not in named and not any(part in name for part in FILTERS)]
    assert missing == []


def test_every_text_of_k8sgpt_is_covered() -> None:
    texts = [f"{Path(str(row['file'])).name}:{row['line']}" for row in given("failure_texts.json")]
    assert [text for text in texts if text not in COVERED] == []


def test_every_row_of_the_catalogue_is_covered() -> None:
    path = SHARED.parent / "failure_catalogue.md"
    if not path.is_file():
        pytest.skip("the catalogue is not here: set HEALFLOW_SHARED_DATA")
    rows = re.findall(r"^\| ((?:node|api|k8s|dep|loop|llm)\.[^|]+?) \|", path.read_text(), re.M)
    assert len(rows) > 50
    assert [row for row in rows if row not in COVERED] == []
