"""Drafts the remedies that switch something: suspend a CronJob, open a node, restart the DNS."""

import itertools
import re

from tasks.domain.cluster import ClusterSnapshot, KubeObject, dig, mapping_of
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_state import CLUSTER_DNS, CORDONED_BY
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import diff_of, identity

_ENDED = re.compile(r"Saw completed job: (?P<job>\S+), (?:status|condition): (?P<end>\w+)")
FAILED_JOBS_NEEDED = 2
"""So many of a CronJob's newest jobs in a row must have failed before it is suspended."""


def suspend_cron_job(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """Where its newest jobs all failed, so that another start would only fail again."""
    target = _target(cause, snapshot, "CronJob")
    if target.spec.get("suspend") is True:
        raise Unfit("it is suspended already")
    failed = _failures_on_end(target, snapshot)
    if failed < FAILED_JOBS_NEEDED:
        raise Unfit(f"not all of its last {FAILED_JOBS_NEEDED} jobs are known to have failed")
    action = Action(
        name=Remedy.SUSPEND_CRON_JOB,
        target=str(target.ref),
        parameters=identity(target),
        risk=Risk.MEDIUM,
        summary=f"Suspend {target.ref}, whose last {failed} jobs failed, until a person looked at it",
        undo=f"let {target.ref} start jobs again",
        preview=diff_of({"suspend": False}, {"suspend": True}, str(target.ref)),
    )
    return action, target


def _failures_on_end(target: KubeObject, snapshot: ClusterSnapshot) -> int:
    """How many jobs failed one after the other up to now. A CronJob keeps but one failed job unless told otherwise
    (`failedJobsHistoryLimit`); its events tell of the others."""
    jobs = [item for item in snapshot.children_of(target.ref) if item.kind == "Job" and not item.status.get("active")]
    jobs.sort(key=lambda job: str(dig(job.raw, "metadata", "creationTimestamp")))
    ends = {
        found["job"]: found["end"] == "Failed"
        for event in snapshot.events_of(target.ref)
        if (found := _ENDED.search(event.message))
    }
    for job in jobs:
        ends.pop(job.name, None)
        ends[job.name] = job.condition("Failed").get("status") == "True"
    return len(list(itertools.takewhile(bool, reversed(ends.values()))))


def uncordon_node(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """Only a node that Healflow closed itself, and that is ready."""
    target = _target(cause, snapshot, "Node")
    if target.spec.get("unschedulable") is not True:
        raise Unfit("it is not cordoned")
    if not target.annotations.get(CORDONED_BY):
        raise Unfit("it was not Healflow that cordoned it")
    if target.condition("Ready").get("status") != "True":
        raise Unfit("the node is not ready")
    action = Action(
        name=Remedy.UNCORDON_NODE,
        target=str(target.ref),
        parameters=identity(target),
        risk=Risk.MEDIUM,
        summary=f"Let {target.ref} take pods again, which Healflow closed for {target.annotations[CORDONED_BY]}",
        undo=f"cordon {target.ref} again",
        preview=diff_of({"unschedulable": True}, {}, str(target.ref)),
    )
    return action, target


def restart_coredns(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """Where the DNS wants pods and none of them is ready."""
    target = _target(cause, snapshot, "Deployment")
    if target.ref != CLUSTER_DNS or target.labels.get("k8s-app") != "kube-dns":
        raise Unfit("it is not the cluster's DNS")
    if not target.spec.get("replicas", 1) or mapping_of(target.status).get("readyReplicas"):
        raise Unfit("it has ready pods, or wants none")
    action = Action(
        name=Remedy.RESTART_COREDNS,
        target=str(target.ref),
        parameters={**identity(target), "fingerprint": cause.diagnosis.fingerprint},
        risk=Risk.MEDIUM,
        summary=f"Restart {target.ref} once, of which no pod is ready",
        undo=f"take the mark of the restart from {target.ref}, which makes its pods anew once more",
    )
    return action, target


def _target(cause: ClusterCause, snapshot: ClusterSnapshot, kind: str) -> KubeObject:
    found = snapshot.find(cause.target.kind, cause.target.namespace, cause.target.name)
    if found is None or found.kind != kind:
        raise Unfit(f"what has to change is no {kind}")
    return found
