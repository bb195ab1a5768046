"""Claims and volumes: the claim that cannot be bound is named, and who waits for it is a victim."""

import pytest

from tasks.diagnose.analyzers.cluster.storage import find_storage_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed, read_in

NOTICED = (
    ("a claim without a class finds no volume", "claim", "PersistentVolumeClaim/shop/data"),
    ("a claim names a storage class that does not exist", "storage-class", "PersistentVolumeClaim/shop/data"),
    ("a claim has lost its volume", "claim-lost", "PersistentVolumeClaim/shop/data"),
    ("a volume failed", "volume", "PersistentVolume/disk"),
    ("a volume is in another zone than the nodes", "volume-elsewhere", "PersistentVolumeClaim/shop/data-db-0"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_claim_that_cannot_be_bound_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_storage_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_storage_faults, lambda state: None) == set()


def test_who_waits_for_a_volume_elsewhere_is_a_victim() -> None:
    (clue,) = (one for one in clues(find_storage_faults, "a volume is in another zone than the nodes"))
    assert "StatefulSet/shop/db" in {str(ref) for ref in clue.victims}
    assert "eu-1a" in clue.cause
    assert "eu-1b" in clue.cause


def test_volume_on_a_node_that_is_there_is_within_reach() -> None:
    def plant(state: State) -> None:
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["n1"]}]}]
        state.node("n1")["metadata"]["labels"]["kubernetes.io/hostname"] = "n1"
        spec = {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}
        state.put("PersistentVolume", "pv", namespace="", spec=spec, status={"phase": "Bound"})
        state.put("PersistentVolumeClaim", "data", spec={"volumeName": "pv"}, status={"phase": "Bound"})
        state.workload("web", pod={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]})
        state.pending("web", "0/1 nodes are available: 1 Insufficient cpu.")

    assert noticed(find_storage_faults, plant) == set()


BY_HAND = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec: {capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce], storageClassName: manual}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: manual, accessModes: [MODE], resources: {requests: {storage: SIZE}}}
"""


@pytest.mark.parametrize(
    ("mode", "size", "word"),
    [
        ("ReadWriteOnce", "10Gi", "5Gi of the 10Gi"),
        ("ReadWriteMany", "1Gi", "not ReadWriteMany"),
        ("ReadWriteOnce", "5Gi", ""),
    ],
)
def test_claim_is_held_against_the_volumes_that_were_made_by_hand(mode: str, size: str, word: str) -> None:
    found = read_in(find_storage_faults, BY_HAND.replace("MODE", mode).replace("SIZE", size))
    assert [word in clue.cause for clue in found] == ([True] if word else [])
