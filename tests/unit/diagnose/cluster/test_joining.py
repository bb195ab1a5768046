"""Clues are joined into causes: one for all of its victims, the dependency and not who asks it, the event and not the rest."""

from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot, ObjectRef
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.evidence import UnreadableSource
from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import State


def explained(state: State) -> ClusterExplanation:
    return diagnose_cluster(state.snapshot())


def named(found: ClusterExplanation) -> list[tuple[F, str]]:
    return [(cause.diagnosis.failure_class, str(cause.target)) for cause in found.causes]


def test_one_missing_object_is_one_cause_for_all_who_need_it() -> None:
    state = State()
    for name in ("web", "api", "worker"):
        state.workload(name, {"envFrom": [{"configMapRef": {"name": "prices"}}]}, replicas=3)
        state.wait(name, "CreateContainerConfigError", 'configmap "prices" not found')
    found = explained(state)
    assert named(found) == [(F.K8S_MOUNT, "ConfigMap/shop/prices")]
    assert found.causes[0].victim_count >= 12


def test_dependency_is_named_and_its_victims_are_not() -> None:
    state = State()
    state.workload("db")
    state.service("db", port=5432)
    state.crash("db", 'panic: environment variable "PGDATA" not set')
    for name in ("web", "api"):
        state.workload(name)
        state.crash(name, "dial tcp db:5432: connect: connection refused")
    found = explained(state)
    assert named(found) == [(F.K8S_CRASH_ENV, "Deployment/shop/db")]
    assert {"Deployment/shop/web", "Deployment/shop/api"} <= {str(ref) for ref in found.causes[0].victims}


def test_two_faults_that_do_not_concern_each_other_are_two_causes() -> None:
    state = State()
    state.crash("web", "ValueError: no price")
    state.workload("api")
    state.wait("api", "ImagePullBackOff", "manifest unknown")
    assert set(named(explained(state))) == {
        (F.K8S_CRASH_APP, "Deployment/shop/web"),
        (F.K8S_IMAGE_NOTFOUND, "Deployment/shop/api"),
    }


def test_what_runs_on_a_dead_node_is_the_nodes_doing() -> None:
    state = State()
    state.node(
        "n1", {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped"}
    )
    state.unready("web")
    assert named(explained(state)) == [(F.K8S_NODE_NOTREADY, "Node/n1")]


def test_caller_that_gave_up_before_the_other_side_was_ready_blames_no_port() -> None:
    state = State()
    state.workload("db")
    state.service("db", port=5432)
    for pod in state.pods("db"):
        ready = next(row for row in pod["status"]["conditions"] if row["type"] == "Ready")
        ready["lastTransitionTime"] = "2026-06-01T11:59:50Z"
    state.crash("web", "dial tcp db:5432: connect: connection refused")
    assert F.K8S_SVC_PORT not in {failure_class for failure_class, _ in named(explained(state))}


def test_port_that_several_ask_and_the_service_lacks_is_the_services() -> None:
    state = State()
    state.workload("db", {"ports": [{"containerPort": 5432}]})
    state.service("db", port=5433, target=5432)
    for name in ("web", "api"):
        state.workload(name, {"env": [{"name": "DB", "value": "db:5432"}]})
        state.crash(name, "dial tcp db:5432: connect: connection refused")
    assert named(explained(state))[0] == (F.K8S_SVC_PORT, "Service/shop/db")


def test_api_that_does_not_answer_is_the_only_cause() -> None:
    said = UnreadableSource(source="cluster-api", reason="the API server 10.0.0.1:6443 cannot be reached (refused)")
    found = diagnose_cluster(ClusterSnapshot(unreadable=(said,)))
    assert [cause.target for cause in found.causes] == [ObjectRef(kind="Cluster", name="kubernetes")]
    assert found.causes[0].diagnosis.failure_class is F.API_UNREACHABLE
