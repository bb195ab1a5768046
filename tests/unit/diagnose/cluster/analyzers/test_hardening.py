"""What breaks nothing and should not stay so is always a hint, one for all of a namespace."""

import pytest

from tasks.diagnose.analyzers.cluster.hardening import find_soft_spots
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed
from tests.unit.diagnose.cluster.conditions.all import CONDITIONS


def test_workloads_of_the_default_account_are_one_hint() -> None:
    def plant(state: State) -> None:
        for name in ("api", "worker"):
            state.workload(name)

    found = [clue for clue in clues(find_soft_spots, plant) if str(clue.target) == "ServiceAccount/shop/default"]
    assert len(found) == 1
    assert "2 more workloads" in found[0].cause


def test_config_that_nobody_reads_is_told_and_one_that_is_read_is_not() -> None:
    def plant(state: State) -> None:
        state.put("ConfigMap", "read", data={"a": "1"})
        state.put("ConfigMap", "forgotten", data={"a": "1"})
        state.workload("web", {"envFrom": [{"configMapRef": {"name": "read"}}]})

    targets = {target for _, target, _ in noticed(find_soft_spots, plant)}
    assert "ConfigMap/shop/forgotten" in targets
    assert "ConfigMap/shop/read" not in targets


@pytest.mark.parametrize("condition", CONDITIONS[::10], ids=lambda condition: condition.says)
def test_no_state_makes_it_a_cause(condition: object) -> None:
    plant = getattr(condition, "plant")  # noqa: B009  a row of the table
    assert all(hint for _, _, hint in noticed(find_soft_spots, plant))
