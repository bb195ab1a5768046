"""What is watched to prove a fix: who suffered, and not the configuration or the secret that they had missed."""

from typing import Any

from tasks.diagnose.choose import found_by_address, triage_of
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import ClusterTarget
from tasks.verify.cluster import read_health_state
from tests.fakes.kube import fake_cluster

CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")
LOGIN = ObjectRef(kind="Secret", namespace="shop", name="login")
TARGET = ClusterTarget(namespace="shop", kind="Secret", name="login")


def raw(ref: ObjectRef) -> dict[str, Any]:
    return {"kind": ref.kind, "metadata": {"namespace": ref.namespace, "name": ref.name}}


def cause(*victims: ObjectRef) -> ClusterCause:
    found = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="It is missing.", confidence=0.0, fingerprint="f" * 20)
    return ClusterCause(diagnosis=found, target=LOGIN, victims=victims, victim_count=len(victims))


def test_missing_secret_is_not_waited_for_where_a_workload_that_asked_for_it_is_known() -> None:
    state = ClusterSnapshot(objects=(KubeObject(raw=raw(CART)),))
    assert triage_of(cause(CART), TARGET, state).watched == (CART,)


def test_missing_secret_is_waited_for_where_nothing_else_is_known() -> None:
    assert triage_of(cause(), TARGET, ClusterSnapshot()).watched == (LOGIN,)


def test_no_secret_is_read_while_a_fix_is_watched() -> None:
    cluster, _ = fake_cluster(raw(LOGIN), raw(CART))
    state = read_health_state(cluster, (LOGIN, CART))
    assert [item.ref for item in state.objects] == [CART]


def test_node_that_an_exporter_names_by_its_address_is_found() -> None:
    addresses = [{"type": "InternalIP", "address": "10.0.0.5"}, {"type": "Hostname", "address": "worker-1"}]
    worker = KubeObject(raw={"kind": "Node", "metadata": {"name": "worker-1"}, "status": {"addresses": addresses}})
    state = ClusterSnapshot(objects=(worker,))
    for told, name in (("10.0.0.5", "worker-1"), ("worker-1", "worker-1"), ("10.0.0.6", "10.0.0.6")):
        assert found_by_address(ClusterTarget(kind="Node", name=told, node=told), state).name == name


def test_object_of_a_kind_that_is_not_known_is_not_asked_for() -> None:
    cluster, server = fake_cluster()
    release = ObjectRef(kind="HelmRelease", namespace="shop", name="cart")
    assert read_health_state(cluster, [release]).objects == ()
    assert server.writes == []
