"""Workloads that do not become what they should be, and what changed in them last."""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    STARTING_SECONDS,
    containers_of,
    int_of,
    is_healthy,
    is_leaving,
    one_line,
    spec_quote,
    states_of,
    status_quote,
)
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import SYMPTOM, Clue, Quote
from tasks.domain.failure_class import FailureClass as F

_REVISION = "deployment.kubernetes.io/revision"
PREPARING_SECONDS = 120
"""An init container may take this long before it is told."""
_NOT_COMPARED = ("terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "name")


def find_stuck_rollouts(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each workload with less than it should have: a symptom, where another analyzer knows why."""
    yield from _preparing(snapshot)
    for item in snapshot.of_kind("Deployment"):
        yield from _deployment(snapshot, item)
    for kind, wanted, ready in (
        ("StatefulSet", "replicas", "readyReplicas"),
        ("DaemonSet", "desiredNumberScheduled", "numberReady"),
        ("ReplicaSet", "replicas", "readyReplicas"),
        ("ReplicationController", "replicas", "readyReplicas"),
    ):
        for item in snapshot.of_kind(kind):
            if item.status and not item.sketched and item.owner is None:
                source = item.spec if kind != "DaemonSet" else item.status
                yield from _short(
                    snapshot,
                    item,
                    int_of(source.get(wanted), 1 if kind != "DaemonSet" else 0),
                    int_of(item.status.get(ready)),
                )
    if snapshot.knows("Service") or snapshot.desired_only:
        for item in snapshot.of_kind("StatefulSet"):
            name = str(item.spec.get("serviceName") or "")
            if name and snapshot.find("Service", item.namespace, name) is None and _has_another(snapshot, item):
                yield Clue(
                    failure_class=F.K8S_SVC_SELECTOR,
                    rule="cluster-headless",
                    cause=f"{item.ref} names the service {name}, which does not exist.",
                    target=ObjectRef(kind="Service", namespace=item.namespace, name=name),
                    victims=(item.ref,),
                    quotes=(spec_quote(item, f"serviceName: {name}"),),
                    confidence=0.75,
                    rank=35,
                )


def _has_another(snapshot: ClusterSnapshot, item: KubeObject) -> bool:
    """Of manifests alone, whether a service for the same pods is there under another name: what is not, may be elsewhere."""
    services = snapshot.of_kind("Service", item.namespace)
    chosen = (mapping_of(service.spec.get("selector")) for service in services)
    return not snapshot.desired_only or any(selector and selects(selector, item.pod_labels) for selector in chosen)


def _preparing(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Pods whose init container runs and runs: what it waits for, its log or its command may tell."""
    for pod in snapshot.of_kind("Pod"):
        age = snapshot.age_seconds(pod)
        if pod.status.get("phase") != "Pending" or is_leaving(pod) or (age is not None and age < PREPARING_SECONDS):
            continue
        for state in states_of(pod):
            if state.init and state.running and not state.ready and not _goes_along(pod, state.name):
                yield _prepares(snapshot, pod, state.name)
                break


def _prepares(snapshot: ClusterSnapshot, pod: KubeObject, name: str) -> Clue:
    target = snapshot.workload_of(pod)
    return Clue(
        failure_class=F.DEP_ROLLOUT_TIMEOUT,
        rule="cluster-init-runs",
        cause=f"{target}: its pod does not start, because init container {name} does not come to an end.",
        target=target,
        victims=(pod.ref,),
        quotes=(status_quote(pod, f"init container {name} running"),),
        confidence=0.7,
        rank=55,
    )


def _goes_along(pod: KubeObject, name: str) -> bool:
    """Whether an init container is meant to run beside the others: a sidecar."""
    rows = mappings_of(pod.spec.get("initContainers"))
    return any(row.get("name") == name and row.get("restartPolicy") == "Always" for row in rows)


def _deployment(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    progressing = item.condition("Progressing")
    if progressing.get("status") == "False":
        said = one_line(f"Progressing=False {progressing.get('reason')}: {progressing.get('message') or ''}")
        yield Clue(
            failure_class=F.DEP_ROLLOUT_TIMEOUT,
            rule="cluster-rollout",
            cause=f"{item.ref}: its rollout does not come to an end ({progressing.get('reason')}).",
            target=item.ref,
            quotes=(status_quote(item, said),),
            confidence=0.8,
            rank=SYMPTOM,
        )
        return
    if item.status and not item.sketched:
        yield from _short(
            snapshot, item, int_of(item.spec.get("replicas"), 1), int_of(item.status.get("availableReplicas"))
        )
    if item.spec.get("paused") is True:
        yield Clue(
            failure_class=F.DEP_ROLLOUT_TIMEOUT,
            rule="cluster-paused",
            cause=f"{item.ref} is paused: its rollout does not go on.",
            target=item.ref,
            quotes=(spec_quote(item, "paused: true"),),
            confidence=0.6,
            hint=True,
        )


def _is_starting(snapshot: ClusterSnapshot, item: KubeObject) -> bool:
    """Whether what it lacks has only just been made."""
    lacking = [pod for pod in snapshot.pods_of(item.ref) if not is_healthy(pod)] or [item]
    ages = [snapshot.age_seconds(one) for one in lacking]
    return all(age is not None and age < STARTING_SECONDS for age in ages)


def _short(snapshot: ClusterSnapshot, item: KubeObject, wanted: int, ready: int) -> Iterator[Clue]:
    if ready < wanted and not _is_starting(snapshot, item):
        yield Clue(
            failure_class=F.DEP_ROLLOUT_TIMEOUT,
            rule="cluster-short",
            cause=f"{item.ref} has {ready} of {wanted} pods ready; nothing that was read says why.",
            target=item.ref,
            quotes=(status_quote(item, f"{ready} of {wanted} ready"),),
            confidence=0.4,
            rank=SYMPTOM + 10,
        )


def changes_of(snapshot: ClusterSnapshot, workload: ObjectRef) -> tuple[Quote, ...]:
    """What the last revision of a Deployment changed, as quotes; nothing when one revision is all that was read."""
    if workload.kind != "Deployment":
        return ()
    rows = [
        (int(str(item.annotations.get(_REVISION))), item)
        for item in snapshot.children_of(workload)
        if item.kind == "ReplicaSet" and str(item.annotations.get(_REVISION)).isdigit()
    ]
    rows.sort(key=lambda row: row[0])
    if len(rows) < 2:
        return ()
    (before, old), (after, new) = rows[-2:]
    said = list(_differences(old.pod_spec, new.pod_spec))[:4]
    return tuple(
        Quote(source=f"change:{workload}", text=f"revision {before} -> {after}: {one_line(text)[:400]}")
        for text in said
    )


def _differences(old: Json, new: Json) -> Iterator[str]:
    earlier = {str(row.get("name")): row for row in containers_of(old)}
    for container in containers_of(new):
        name = str(container.get("name"))
        before = mapping_of(earlier.get(name))
        if not before:
            yield f"container {name} is new"
            continue
        yield from _variables(name, before, container)
        for field in sorted(set(before) | set(container) - set(_NOT_COMPARED)):
            if field not in (*_NOT_COMPARED, "env") and before.get(field) != container.get(field):
                yield f"container {name} {field}: {before.get(field)} -> {container.get(field)}"
    for field in ("nodeSelector", "affinity", "tolerations", "volumes", "serviceAccountName", "securityContext"):
        if old.get(field) != new.get(field):
            yield f"{field}: {old.get(field)} -> {new.get(field)}"


def _variables(name: str, before: Json, after: Json) -> Iterator[str]:
    old, new = ({str(row.get("name")): row for row in mappings_of(side.get("env"))} for side in (before, after))
    for key in old.keys() - new.keys():
        yield f"container {name} env {key} was removed"
    for key in new.keys() - old.keys():
        yield f"container {name} env {key} was added"
    for key in old.keys() & new.keys():
        if old[key] != new[key]:
            yield f"container {name} env {key} was changed"
