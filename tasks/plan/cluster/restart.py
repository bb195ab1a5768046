"""Drafts one restart of a workload, where something shows that its pods would do better if they began anew."""

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import identity, revisions_of, serves, workload_of

_REFERENCES = (("configMap", "name"), ("configMapRef", "name"), ("configMapKeyRef", "name"))
_SECRETS = (("secret", "secretName"), ("secretRef", "name"), ("secretKeyRef", "name"))


def restart_rollout(incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """A restart of what hangs, was killed out of memory, or still runs with the configuration of before."""
    target = workload_of(cause, snapshot)
    _require_settled(target, snapshot)
    why = _reason(cause, target, snapshot)
    at = snapshot.captured_at or incident.signal.occurred_at
    action = Action(
        name=Remedy.RESTART_ROLLOUT,
        target=str(target.ref),
        parameters={**identity(target), "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"},
        risk=Risk.MEDIUM,
        summary=f"Restart {target.ref} once: {why}",
        undo=f"take the mark of the restart off {target.ref} again, which starts its pods once more",
    )
    return action, target


def _require_settled(target: KubeObject, snapshot: ClusterSnapshot) -> None:
    if target.kind != "Deployment":
        return
    newest, earlier = revisions_of(target, snapshot)
    if earlier is not None and not serves(newest, target, snapshot):
        raise Unfit("its newest revision does not serve, which a restart does not change")


def _reason(cause: ClusterCause, target: KubeObject, snapshot: ClusterSnapshot) -> str:
    pods = snapshot.pods_of(target.ref)
    found = cause.diagnosis.failure_class
    if found is FailureClass.K8S_OOM:
        return "it was killed out of memory, and was not restarted for that before"
    if found is FailureClass.K8S_CRASH_CONFIG:
        newer = _newer_configuration(pods, snapshot)
        if newer is None:
            raise Unfit("nothing that its pods are configured by is newer than they are")
        return f"its pods are older than {newer.ref}"
    hung = next((pod for pod in pods if _stopped_being_ready(pod)), None)
    if hung is None:
        raise Unfit("none of its pods runs and has stopped being ready")
    return f"{hung.ref} runs on, and has stopped being ready"


def _stopped_being_ready(pod: KubeObject) -> bool:
    """A pod that never was ready lost nothing: its condition is as old as the pod, and older than its containers."""
    ready = pod.condition("Ready")
    started = [str(dig(row, "state", "running", "startedAt") or "") for row in _statuses(pod)]
    changed = str(ready.get("lastTransitionTime") or "")
    return ready.get("status") == "False" and bool(started) and all(started) and changed > max(started)


def _statuses(pod: KubeObject) -> tuple[Json, ...]:
    return mappings_of(pod.status.get("containerStatuses"))


def _newer_configuration(pods: list[KubeObject], snapshot: ClusterSnapshot) -> KubeObject | None:
    for pod in pods:
        begun = str(pod.status.get("startTime") or "")
        for kind, name in _configured_by(pod.pod_spec):
            found = snapshot.find(kind, pod.namespace, name)
            if begun and found is not None and str(dig(found.raw, "metadata", "creationTimestamp") or "") > begun:
                return found
    return None


def _configured_by(spec: Json) -> set[tuple[str, str]]:
    places = [*mappings_of(spec.get("volumes"))]
    for container in mappings_of(spec.get("containers")):
        places += mappings_of(container.get("envFrom"))
        places += [mapping_of(row.get("valueFrom")) for row in mappings_of(container.get("env"))]
    return {
        (kind, str(name))
        for kind, references in (("ConfigMap", _REFERENCES), ("Secret", _SECRETS))
        for field, key in references
        for place in places
        if (name := dig(place, field, key))
    }
