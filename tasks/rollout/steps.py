"""The steps of a deploy as plain functions: each speaks with the cluster or the ledger once, and returns a value."""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.clients.http_probe import wait_for_answer
from tasks.clients.kubernetes import Cluster, apply_over_own
from tasks.clients.kustomize import render
from tasks.clients.ledger import Ledger
from tasks.domain.cluster import Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of, selects
from tasks.domain.rollout import (
    Difference,
    Manifests,
    ObjectRefusal,
    Preview,
    ReleaseOrder,
    Rollout,
    RolloutState,
    Smoke,
    VerifiedRevision,
)
from tasks.errors import BadInputError, ConflictError, ForbiddenError, HealflowError, NotFoundError, PermanentError
from tasks.rollout.compare import compare
from tasks.rollout.images import map_images, parse_image_map
from tasks.rollout.placing import place
from tasks.rollout.reasons import why_not_ready
from tasks.rollout.watch import REVISION, ROLLING_KINDS, watch_rollouts
from tasks.settings import KubernetesSettings, Settings

SMOKE_ANSWERS = 3
"""A pod of the old version that is going away may still give the first answers."""
REFUSALS = (ConflictError, BadInputError, ForbiddenError)
"""What the API server answers when it does not take an object."""
_REQUEST = re.compile(r"^[A-Z]+ /\S+: ")
Tell = Callable[[str], None]


def render_release(settings: KubernetesSettings, order: ReleaseOrder) -> Manifests:
    """The objects as they would be applied: rendered, with their images mapped and their namespaces set, and those
    namespaces themselves where the cluster does not have them.

    Raises:
        HealflowError: the folder cannot be rendered, or the image map is none.
    """
    rules = parse_image_map(order.image_map)
    found = [map_images(item, rules) for item in render(Path(order.folder))]
    with Cluster.from_settings(settings) as cluster:
        placed = place(found, namespace=order.namespace, is_namespaced=_asks(cluster))
        return (*_missing_namespaces(cluster, placed), *placed)


def _missing_namespaces(cluster: Cluster, placed: Manifests) -> tuple[dict[str, Any], ...]:
    items = [_object(item) for item in placed]
    made = {item.name for item in items if item.kind == "Namespace"}
    wanted = dict.fromkeys(item.namespace for item in items if item.namespace and item.namespace not in made)
    return tuple(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in wanted
        if not _exists(cluster, ObjectRef(kind="Namespace", name=name))
    )


def _exists(cluster: Cluster, ref: ObjectRef) -> bool:
    try:
        cluster.read(ref)
    except NotFoundError:
        return False
    except ForbiddenError:
        return True  # who may not look at namespaces was given one
    return True


def _asks(cluster: Cluster) -> Callable[[str, str], bool]:
    def is_namespaced(kind: str, api_version: str) -> bool:
        try:
            return cluster.kind_of(kind, api_version).namespaced
        except PermanentError:
            return True  # no such kind: policy denies what it does not know, and the dry run would, too

    return is_namespaced


def preview_release(settings: KubernetesSettings, manifests: Manifests) -> Preview:
    """What applying would change, and all that the API server would refuse, as its dry run says it; nothing is kept.

    Raises:
        HealflowError: the API server cannot be reached.
    """
    made = {item["metadata"]["name"] for item in manifests if item.get("kind") == "Namespace"}
    with Cluster.from_settings(settings, acting=True) as cluster:
        seen = [_preview(cluster, item, made) for item in manifests]
    return Preview(
        differences=tuple(one for one in seen if isinstance(one, Difference)),
        refused=tuple(one for one in seen if isinstance(one, ObjectRefusal)),
    )


def _preview(cluster: Cluster, manifest: dict[str, object], made: set[str]) -> Difference | ObjectRefusal:
    item = KubeObject(raw=manifest)
    try:
        live = cluster.read(item.ref, api_version=str(manifest.get("apiVersion")))
    except NotFoundError:
        live = None
    try:
        then = apply_over_own(cluster, manifest, dry_run=True)
    except NotFoundError as error:
        if item.namespace not in made:
            return _refusal(item, error)
        return compare(None, item).model_copy(update={"untried": True})
    except REFUSALS as error:
        return _refusal(item, error)
    return compare(live, then.item).model_copy(update={"taken": then.taken})


def _refusal(item: KubeObject, error: HealflowError) -> ObjectRefusal:
    told = _REQUEST.sub("", str(error))
    return ObjectRefusal(ref=item.ref, conflict=isinstance(error, ConflictError), message=told)


def apply_release(
    settings: KubernetesSettings, manifests: Manifests, *, tell: Tell = lambda _: None
) -> ObjectRefusal | None:
    """Apply every object in order, as the field manager `healflow`; fields that others have, too, are never taken.

    The first object that is refused, in spite of the dry run, ends it: those before it are applied.

    Raises:
        HealflowError: the API server cannot be reached.
    """
    with Cluster.from_settings(settings, acting=True) as cluster:
        for number, manifest in enumerate(manifests, 1):
            item = KubeObject(raw=manifest)
            tell(f"applying {item.ref} ({number} of {len(manifests)})")
            try:
                taken = apply_over_own(cluster, manifest).taken
            except (*REFUSALS, NotFoundError) as error:
                return _refusal(item, error)
            if taken:
                tell(f"{item.ref}: took back what a heal had changed ({', '.join(taken)})")
    return None


def watch_release(
    settings: KubernetesSettings, manifests: Manifests, *, timeout_seconds: float, tell: Tell = lambda _: None
) -> tuple[Rollout, ...]:
    """How each workload of the release came out.

    Raises:
        HealflowError: the cluster cannot be read any more.
    """
    with Cluster.from_settings(settings) as cluster:
        seen = watch_rollouts(
            cluster.read,
            workloads_of(manifests),
            timeout_seconds=timeout_seconds,
            clock=time.monotonic,
            wait=time.sleep,
            tell=tell,
        )
        return tuple(_with_reason(cluster, one) if one.state is RolloutState.FAILED else one for one in seen)


def _with_reason(cluster: Cluster, failed: Rollout) -> Rollout:
    pods = (_object(raw) for raw in cluster.list_raw("Pod", namespace=failed.ref.namespace))
    why = why_not_ready(cluster.read(failed.ref), pods)
    return failed.model_copy(update={"message": f"{failed.message}; {why}"}) if why else failed


def workloads_of(manifests: Manifests) -> tuple[ObjectRef, ...]:
    """What has to come out."""
    return tuple(KubeObject(raw=item).ref for item in manifests if item.get("kind") in ROLLING_KINDS)


def smoke_test(settings: KubernetesSettings, order: ReleaseOrder, manifests: Manifests) -> Smoke:
    """Whether the door of the release answers; a release without one has nothing to ask.

    Raises:
        HealflowError: the node's address cannot be read.
    """
    doors = [item for item in map(_object, manifests) if item.kind == "Service" and item.spec.get("type") == "NodePort"]
    if order.smoke_url:
        url, door = order.smoke_url, _door_at(order.smoke_url, doors)
    elif doors:
        url, door = _node_port_url(settings, order.smoke_path, doors[0]), doors[0].ref
    else:
        return Smoke()
    seconds = order.smoke_timeout_seconds
    return Smoke(
        url=url, door=door, wrong=wait_for_answer(url, timeout_seconds=seconds, answers_in_a_row=SMOKE_ANSWERS)
    )


def _door_at(url: str, doors: Sequence[KubeObject]) -> ObjectRef | None:
    with suppress(ValueError):
        port = urlsplit(url).port
        return next((one.ref for one in doors if any(row.get("nodePort") == port for row in _ports(one))), None)
    return None


def _ports(service: KubeObject) -> tuple[Json, ...]:
    return mappings_of(service.spec.get("ports"))


def _node_port_url(settings: KubernetesSettings, path: str, door: KubeObject) -> str:
    with Cluster.from_settings(settings) as cluster:
        ports = _ports(cluster.read(door.ref))
        addresses = [
            str(row["address"])
            for node in cluster.list_raw("Node")
            for row in mappings_of(dig(node, "status", "addresses"))
            if row.get("type") == "InternalIP"
        ]
    if not ports or not addresses:
        raise NotFoundError(f"no address of a node is known for {door.ref}: name one with --smoke-url")
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    return f"http://{host}:{ports[0].get('nodePort')}/{path.lstrip('/')}"


def _object(manifest: dict[str, object]) -> KubeObject:
    return KubeObject(raw=manifest)


def suspects_of(
    settings: Settings, manifests: Manifests, rollouts: Sequence[Rollout], door: ObjectRef | None
) -> tuple[Rollout, ...]:
    """The workloads that this release changed, the likeliest to blame for a wrong answer first: what stands behind the
    door, then what could go back to a verified revision. When nothing changed, what stands behind the door.

    Raises:
        HealflowError: the cluster or the ledger cannot be read.
    """
    behind = _behind(door, manifests)
    with Cluster.from_settings(settings.kubernetes) as cluster:
        kept, place = _replica_sets(cluster, {one.ref.namespace for one in rollouts}), cluster.name
    ledger = Ledger.shared(settings.ledger_url)
    known = {
        one.ref: {found.replica_set_uid for found in ledger.revisions.verified_of(place, one.ref)} for one in rollouts
    }
    changed = [one for one in rollouts if _uid_of(kept.get((one.ref, one.revision))) not in known[one.ref]]
    changed.sort(key=lambda one: (one.ref not in behind, not known[one.ref]))
    return tuple(changed) or tuple(one for one in rollouts if one.ref in behind)


def _behind(door: ObjectRef | None, manifests: Manifests) -> set[ObjectRef]:
    items = [_object(item) for item in manifests]
    selector = next((mapping_of(item.spec.get("selector")) for item in items if item.ref == door), {})
    return {
        item.ref
        for item in items
        if item.kind in ROLLING_KINDS
        and item.namespace == (door.namespace if door else "")
        and selector
        and selects(selector, item.pod_labels)
    }


def _uid_of(item: KubeObject | None) -> str:
    return str(dig(item.raw, "metadata", "uid")) if item is not None else ""


def record_release(
    settings: Settings, rollouts: Sequence[Rollout], *, commit: str, deployed_at: datetime
) -> tuple[VerifiedRevision, ...]:
    """Write the revisions of the Deployments into the ledger as verified.

    Raises:
        HealflowError: the cluster cannot be read, or the ledger cannot be written.
    """
    ledger = Ledger.shared(settings.ledger_url)
    with Cluster.from_settings(settings.kubernetes) as cluster:
        kept = _replica_sets(cluster, {one.ref.namespace for one in rollouts})
        found = []
        for one in rollouts:
            current = kept.get((one.ref, one.revision))
            if current is None:
                continue
            found.append(
                VerifiedRevision(
                    context=cluster.name,
                    ref=one.ref,
                    revision=one.revision,
                    replica_set=current.name,
                    replica_set_uid=_uid_of(current),
                    commit=commit,
                    deployed_at=deployed_at,
                    verified_at=datetime.now(UTC),
                )
            )
    for revision in found:
        ledger.revisions.record_verified(revision)
    return tuple(found)


def _replica_sets(cluster: Cluster, namespaces: set[str]) -> dict[tuple[ObjectRef, int], KubeObject]:
    found: dict[tuple[ObjectRef, int], KubeObject] = {}
    for namespace in sorted(namespaces):
        for raw in cluster.list_raw("ReplicaSet", namespace=namespace):
            item = KubeObject(raw=raw)
            told = str(item.annotations.get(REVISION) or "")
            if item.owner is not None and told.isdigit():
                found[item.owner, int(told)] = item
    return found
