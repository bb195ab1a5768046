"""Who is to blame for a release that does not answer: nobody whose running revision was verified before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ObjectRef
from tasks.domain.rollout import Rollout, RolloutState, VerifiedRevision
from tasks.rollout.steps import suspects_of
from tasks.settings import KubernetesSettings, Settings
from tests.fakes.kubernetes_api import FakeKubernetes, serving

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DOOR = ObjectRef(kind="Service", namespace="shop", name="front")


def ref(name: str) -> ObjectRef:
    return ObjectRef(kind="Deployment", namespace="shop", name=name)


def manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def release(*names: str) -> tuple[dict[str, Any], ...]:
    workloads = [
        manifest("Deployment", name, {"template": {"metadata": {"labels": {"app": name}}, "spec": {}}})
        for name in names
    ]
    return (manifest("Service", "front", {"selector": {"app": "front"}}), *workloads)


@pytest.fixture
def blamed(tmp_path: Path) -> Any:
    """Names of the suspects, of workloads at revision 2, `verified` telling which revisions a deploy saw serve."""

    def ask(*names: str, verified: tuple[tuple[str, int], ...] = (), door: ObjectRef | None = DOOR) -> list[str]:
        fake = FakeKubernetes()
        for name in names:
            fake.add(
                "ReplicaSet",
                f"{name}-2",
                "shop",
                metadata={
                    "uid": f"{name}-2",
                    "annotations": {"deployment.kubernetes.io/revision": "2"},
                    "ownerReferences": [{"kind": "Deployment", "name": name, "controller": True}],
                },
            )
        with serving(fake):
            settings = Settings(home=tmp_path, kubernetes=KubernetesSettings(kubeconfig=fake.kubeconfig(tmp_path)))
            ledger = Ledger.shared(settings.ledger_url)
            for name, number in verified:
                uid = f"{name}-{number}"
                ledger.revisions.record_verified(
                    VerifiedRevision(
                        context="fake",
                        ref=ref(name),
                        revision=number,
                        replica_set=uid,
                        replica_set_uid=uid,
                        deployed_at=NOW,
                        verified_at=NOW,
                    )
                )
            rollouts = tuple(Rollout(ref=ref(name), state=RolloutState.DONE, message="", revision=2) for name in names)
            return [one.ref.name for one in suspects_of(settings, release(*names), rollouts, door)]

    return ask


def test_workload_at_a_verified_revision_is_not_blamed(blamed: Any) -> None:
    assert blamed("front", "cart", verified=(("front", 2), ("cart", 1))) == ["cart"]


def test_what_stands_behind_the_door_comes_first_then_what_has_a_way_back(blamed: Any) -> None:
    assert blamed("cart", "mail", "front", verified=(("mail", 1),)) == ["front", "mail", "cart"]
    assert blamed("cart", "mail", "front", verified=(("mail", 1),), door=None) == ["mail", "cart", "front"]


def test_release_that_changed_nothing_leaves_the_door_itself(blamed: Any) -> None:
    assert blamed("cart", "front", verified=(("front", 2), ("cart", 2))) == ["front"]
