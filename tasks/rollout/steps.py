"""The steps of a deploy as plain functions: each speaks with the cluster or the ledger once, and returns a value."""

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tasks.clients.http_probe import wait_for_answer
from tasks.clients.kubernetes import Cluster
from tasks.clients.kustomize import render
from tasks.clients.ledger import Ledger
from tasks.domain.cluster import KubeObject, ObjectRef, dig, mappings_of
from tasks.domain.rollout import (
    Difference,
    Manifests,
    ObjectRefusal,
    Preview,
    ReleaseOrder,
    Rollout,
    VerifiedRevision,
)
from tasks.errors import BadInputError, ConflictError, ForbiddenError, HealflowError, NotFoundError, PermanentError
from tasks.rollout.compare import compare
from tasks.rollout.images import map_images, parse_image_map
from tasks.rollout.placing import place
from tasks.rollout.watch import REVISION, ROLLING_KINDS, watch_rollouts
from tasks.settings import KubernetesSettings, Settings

SMOKE_SECONDS = 60.0
REFUSALS = (ConflictError, BadInputError, ForbiddenError)
"""What the API server answers when it does not take an object."""
_REQUEST = re.compile(r"^[A-Z]+ /\S+: ")
Tell = Callable[[str], None]


def render_release(settings: KubernetesSettings, order: ReleaseOrder) -> Manifests:
    """The objects as they would be applied: rendered, with their images mapped and their namespaces set.

    Raises:
        HealflowError: the folder cannot be rendered, or the image map is none.
    """
    rules = parse_image_map(order.image_map)
    found = [map_images(item, rules) for item in render(Path(order.folder))]
    with Cluster.from_settings(settings) as cluster:
        return place(found, namespace=order.namespace, is_namespaced=_asks(cluster))


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
        then = cluster.apply(manifest, dry_run=True)
    except NotFoundError as error:
        return compare(None, item) if item.namespace in made else _refusal(item, error)
    except REFUSALS as error:
        return _refusal(item, error)
    return compare(live, then)


def _refusal(item: KubeObject, error: HealflowError) -> ObjectRefusal:
    told = _REQUEST.sub("", str(error))
    return ObjectRefusal(ref=item.ref, conflict=isinstance(error, ConflictError), message=told)


def apply_release(
    settings: KubernetesSettings, manifests: Manifests, *, tell: Tell = lambda _: None
) -> ObjectRefusal | None:
    """Apply every object in order, as the field manager `healflow`; fields of other managers are never taken.

    The first object that is refused, in spite of the dry run, ends it: those before it are applied.

    Raises:
        HealflowError: the API server cannot be reached.
    """
    with Cluster.from_settings(settings, acting=True) as cluster:
        for number, manifest in enumerate(manifests, 1):
            item = KubeObject(raw=manifest)
            tell(f"applying {item.ref} ({number} of {len(manifests)})")
            try:
                cluster.apply(manifest)
            except (*REFUSALS, NotFoundError) as error:
                return _refusal(item, error)
    return None


def watch_release(
    settings: KubernetesSettings, manifests: Manifests, *, timeout_seconds: float, tell: Tell = lambda _: None
) -> tuple[Rollout, ...]:
    """How each workload of the release came out.

    Raises:
        HealflowError: the cluster cannot be read any more.
    """
    with Cluster.from_settings(settings) as cluster:
        return watch_rollouts(
            cluster.read,
            workloads_of(manifests),
            timeout_seconds=timeout_seconds,
            clock=time.monotonic,
            wait=time.sleep,
            tell=tell,
        )


def workloads_of(manifests: Manifests) -> tuple[ObjectRef, ...]:
    """What has to come out."""
    return tuple(KubeObject(raw=item).ref for item in manifests if item.get("kind") in ROLLING_KINDS)


def smoke_test(settings: KubernetesSettings, order: ReleaseOrder, manifests: Manifests) -> str:
    """What is wrong with the door of the release; empty when it answers, or when it has none.

    Raises:
        HealflowError: the node's address cannot be read.
    """
    url = order.smoke_url or _node_port_url(settings, order.smoke_path, manifests)
    return wait_for_answer(url, timeout_seconds=SMOKE_SECONDS) if url else ""


def _node_port_url(settings: KubernetesSettings, path: str, manifests: Manifests) -> str:
    doors = [item for item in map(_object, manifests) if item.kind == "Service" and item.spec.get("type") == "NodePort"]
    if not doors:
        return ""
    with Cluster.from_settings(settings) as cluster:
        ports = mappings_of(cluster.read(doors[0].ref).spec.get("ports"))
        addresses = [
            str(row["address"])
            for node in cluster.list_raw("Node")
            for row in mappings_of(dig(node, "status", "addresses"))
            if row.get("type") == "InternalIP"
        ]
    if not ports or not addresses:
        raise NotFoundError(f"no address of a node is known for {doors[0].ref}: name one with --smoke-url")
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    return f"http://{host}:{ports[0].get('nodePort')}/{path.lstrip('/')}"


def _object(manifest: dict[str, object]) -> KubeObject:
    return KubeObject(raw=manifest)


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
                    replica_set_uid=str(dig(current.raw, "metadata", "uid")),
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
