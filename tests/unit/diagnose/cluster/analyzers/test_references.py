"""What a pod names and is not there is the object that is missing, and not the pod."""

import pytest

from tasks.diagnose.analyzers.cluster.references import find_missing
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a ConfigMap does not exist", "missing", "ConfigMap/shop/prices"),
    ("a key is missing", "key", "ConfigMap/shop/prices"),
    ("it must not run as root and would", "config", "Deployment/shop/web"),
    ("a folder of the node is not there", "mount", "Deployment/shop/web"),
    ("a volume is still attached to another node", "multi-attach", "Deployment/shop/cms"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_missing_object_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_missing, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_missing, lambda state: None) == set()


def mounts(name: str, *, optional: bool = False) -> dict[str, object]:
    return {"envFrom": [{"configMapRef": {"name": name, "optional": optional}}]}


def test_what_may_be_missing_is_not_missed() -> None:
    assert noticed(find_missing, lambda state: state.workload("web", mounts("absent", optional=True))) == set()


def test_secret_of_the_same_name_is_told_of() -> None:
    def plant(state: State) -> None:
        state.put("Secret", "prices", data={"a": "x"})
        state.workload("web", mounts("prices"))
        state.wait("web", "CreateContainerConfigError", 'configmap "prices" not found')

    said = " ".join(clue.cause for clue in clues(find_missing, plant))
    assert "There is a Secret of that name" in said
