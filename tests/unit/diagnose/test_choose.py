"""What is watched to prove a fix: who suffered, and not the configuration or the secret that they had missed."""

from typing import Any

from tasks.diagnose.choose import triage_of
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
