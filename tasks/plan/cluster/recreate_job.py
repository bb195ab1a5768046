"""Drafts that a Job is deleted and made again: as git describes it now, or as it was where its failure may pass."""

from tasks.domain.cluster import ClusterSnapshot, KubeObject, Manifest
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_jobs import is_stuck_on_its_image, not_recreatable
from tasks.domain.described import Differing, differences
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import identity

PASSING = frozenset({F.K8S_IMAGE_RATE, F.K8S_SANDBOX, F.K8S_NODE_PRESSURE, F.K8S_CRASH_DEP})
"""What a Job may have failed by that passes without anything being changed."""
MAX_SHOWN = 20


def recreate_job(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """One Job that has ended, or waits for an image that it cannot get, and that nothing else makes."""
    ref = cause.target
    job = snapshot.find(ref.kind, ref.namespace, ref.name)
    if job is None or job.kind != "Job":
        raise Unfit("it is no Job")
    pods = snapshot.pods_of(job.ref)
    if why := not_recreatable(job, pods):
        raise Unfit(why)
    manifest = _described(job, snapshot)
    differing = () if manifest is None or manifest.described is None else _template_differs(manifest.described, job)
    if is_stuck_on_its_image(job, pods) and not any(one.path.endswith(".image") for one in differing):
        raise Unfit("it cannot get its image, and git describes no other one")
    if manifest is not None and differing:
        place = {"commit": manifest.commit, "path": manifest.path, "manifest_namespace": manifest.ref.namespace}
        how = f"as {manifest.path} at {manifest.commit[:12]} describes it, which it cannot be changed to"
        return _action(job, place, how, "\n".join(map(_told, differing[:MAX_SHOWN]))), job
    if job.condition("Failed").get("status") != "True":
        raise Unfit("it has not failed, and no manifest in git is known that differs from it")
    if not cause.diagnosis.transient and cause.diagnosis.failure_class not in PASSING:
        raise Unfit("what it failed by does not pass by itself, and git describes it no otherwise")
    return _action(job, {}, "as it was, because what it failed by may have passed", "nothing of it changes"), job


def _described(job: KubeObject, snapshot: ClusterSnapshot) -> Manifest | None:
    found = snapshot.manifests_of(job.ref)
    if len(found) > 1:
        raise Unfit(f"{len(found)} manifests in git describe {job.ref}")
    return found[0] if found else None


def _template_differs(described: KubeObject, job: KubeObject) -> tuple[Differing, ...]:
    return tuple(differences(described.pod_template, job.pod_template, "spec.template"))


def _told(one: Differing) -> str:
    """Of values only those of images: others may hold secrets."""
    if one.path.endswith(".image"):
        return f"{one.path}: {one.there} becomes {one.described}"
    if one.described is None:
        return f"{one.path} goes"
    return f"{one.path} is {'new' if one.there is None else 'another'}"


def _action(job: KubeObject, place: dict[str, str], how: str, preview: str) -> Action:
    return Action(
        name=Remedy.RECREATE_JOB,
        target=str(job.ref),
        parameters={**identity(job), **place},
        risk=Risk.HIGH,
        summary=f"Delete {job.ref} and make it again, {how}",
        undo=f"make {job.ref} again as it was, suspended, so that it does not run once more",
        preview=preview,
    )
