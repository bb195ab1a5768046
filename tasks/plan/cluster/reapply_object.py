"""Drafts that a missing object is made again as its manifest in git says."""

from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import identity

_KINDS = ("ConfigMap", "Service", "Secret")


def reapply_object(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """Where exactly one manifest describes what is not there."""
    ref = cause.target
    if ref.kind not in _KINDS:
        raise Unfit(f"a {ref.kind} is not made again")
    if snapshot.find(ref.kind, ref.namespace, ref.name) is not None:
        raise Unfit(f"{ref} is there")
    if not snapshot.manifests:
        raise Unfit("no manifests in git are known (HEALFLOW_KUBERNETES__MANIFESTS__REPOSITORY)")
    found = snapshot.manifests_of(ref)
    if len(found) != 1:
        raise Unfit(f"{len(found) or 'no'} manifests in git describe {ref}")
    manifest = found[0]
    absent = KubeObject(raw={"kind": ref.kind, "metadata": {"namespace": ref.namespace, "name": ref.name}})
    place = {"commit": manifest.commit, "path": manifest.path, "manifest_namespace": manifest.ref.namespace}
    action = Action(
        name=Remedy.REAPPLY_OBJECT,
        target=str(ref),
        parameters={**identity(absent), **place},
        risk=Risk.MEDIUM,
        summary=f"Make {ref} again from {manifest.path} at {manifest.commit[:12]}",
        undo=f"delete {ref} again",
        preview=f"{ref} as {manifest.path} describes it at commit {manifest.commit}",
    )
    return action, absent
