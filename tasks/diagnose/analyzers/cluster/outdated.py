"""Pods that were started before the configuration they read at their start was changed: they go on with what was."""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote, status_quote
from tasks.diagnose.analyzers.cluster.saying import listen
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_TELLING = ("credentials", "configuration", "certificate", "env-missing")
"""What a program says that was given the wrong configuration; see `saying`."""


def find_outdated(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each workload and object; a cause where the program complains of its configuration."""
    changed = {
        item.ref: item.changed_at
        for kind in ("ConfigMap", "Secret")
        for item in snapshot.of_kind(kind)
        if item.changed_at
    }
    seen: set[tuple[ObjectRef, ObjectRef]] = set()
    for pod in snapshot.of_kind("Pod") if changed else ():
        started = _started(pod)
        owner = snapshot.workload_of(pod)
        for ref in _read_at_start(pod):
            if started and started < changed.get(ref, "") and (owner, ref) not in seen:
                seen.add((owner, ref))
                yield _clue(snapshot, pod, owner, ref, started, changed[ref])


def _started(pod: KubeObject) -> str:
    """When the newest of its running containers was started; empty where one does not run."""
    rows = mappings_of(pod.status.get("containerStatuses"))
    moments = [str(dig(row, "state", "running", "startedAt") or "") for row in rows]
    return max(moments) if moments and all(moments) else ""


def _read_at_start(pod: KubeObject) -> Iterator[ObjectRef]:
    """What variables and single files are made from; whole volumes follow a change by themselves.

    https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
    """
    for container in containers_of(pod.spec):
        for row in mappings_of(container.get("env")):
            yield from _named(pod, mapping_of(row.get("valueFrom")), "configMapKeyRef", "secretKeyRef")
        for row in mappings_of(container.get("envFrom")):
            yield from _named(pod, row, "configMapRef", "secretRef")
        single = {row.get("name") for row in mappings_of(container.get("volumeMounts")) if row.get("subPath")}
        for volume in mappings_of(pod.spec.get("volumes")):
            if volume.get("name") in single:
                yield from _named(pod, volume, "configMap", "secret")


def _named(pod: KubeObject, row: Json, config: str, secret: str) -> Iterator[ObjectRef]:
    for field, kind in ((config, "ConfigMap"), (secret, "Secret")):
        name = dig(row, field, "name") or dig(row, field, "secretName")
        if name:
            yield ObjectRef(kind=kind, namespace=pod.namespace, name=str(name))


def _clue(
    snapshot: ClusterSnapshot, pod: KubeObject, owner: ObjectRef, ref: ObjectRef, started: str, changed: str
) -> Clue:
    said = listen([log for log in snapshot.logs_of(pod) if not log.previous])
    complains = said is not None and said.rule in _TELLING and said.recent
    quotes = [status_quote(pod, f"started {started}")]
    item = snapshot.find(ref.kind, ref.namespace, ref.name)
    quotes += [spec_quote(item, f"changed {changed}")] if item is not None else []
    quotes += list(said.quotes[:2]) if said is not None and complains else []
    why = f", and its log says that {said.cause}" if said is not None and complains else ""
    return Clue(
        failure_class=F.K8S_CRASH_CONFIG,
        rule="cluster-outdated",
        cause=f"{owner} was started before {ref} was changed, and runs with what was in it before{why}.",
        target=owner,
        victims=(pod.ref,),
        quotes=tuple(quotes),
        confidence=0.8 if complains else 0.4,
        rank=21,
        hint=not complains,
    )
