"""Volumes: claims that stay pending, classes that do not exist, volumes that failed."""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import event_quote, one_line, spec_quote, status_quote
from tasks.domain.cluster import (
    ClusterSnapshot,
    KubeObject,
    ObjectRef,
    dig,
    mapping_of,
    mappings_of,
    selects,
    unique_refs,
)
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_USUAL = {
    "standard",
    "gp2",
    "gp3",
    "local-path",
    "default",
    "hostpath",
    "standard-rwo",
    "premium-rwo",
    "managed-csi",
    "managed-premium",
    "azurefile",
    "longhorn",
    "rook-ceph-block",
    "nfs-client",
    "efs-sc",
    "do-block-storage",
    "microk8s-hostpath",
}
"""Classes that common distributions bring along."""


def _out_of_reach(snapshot: ClusterSnapshot, claim: KubeObject, victims: tuple[ObjectRef, ...]) -> Iterator[Clue]:
    """A volume that no node may mount, while a pod that wants it waits: it was made in another zone, or for a node that
    is gone.
    """
    volume = snapshot.find("PersistentVolume", "", str(claim.spec.get("volumeName") or ""))
    terms = mappings_of(dig(volume.spec, "nodeAffinity", "required", "nodeSelectorTerms")) if volume is not None else ()
    nodes = snapshot.of_kind("Node")
    waiting = [pod for ref in victims if ref.kind == "Pod" and (pod := snapshot.find(*_place(ref))) is not None]
    if volume is None or not terms or not nodes or not any(not pod.spec.get("nodeName") for pod in waiting):
        return
    rows = [row for term in terms for row in mappings_of(term.get("matchExpressions"))]
    if not rows or any(
        selects({"matchExpressions": term.get("matchExpressions")}, node.labels) for node in nodes for term in terms
    ):
        return
    key = str(rows[0].get("key"))
    there = ", ".join(sorted({str(node.labels.get(key, "(none)")) for node in nodes}))
    bound = " or ".join(map(str, rows[0].get("values") or ()))
    yield Clue(
        failure_class=F.K8S_PENDING_PVC,
        rule="cluster-volume-elsewhere",
        cause=f"{claim.ref} is bound to {volume.ref}, which is in {key}={bound}, and the nodes are in {there}.",
        target=claim.ref,
        victims=victims,
        quotes=(spec_quote(volume, f"nodeAffinity: {key} {rows[0].get('operator')} {bound}"),),
        confidence=0.93,
        rank=22,
    )


def _fits_none(snapshot: ClusterSnapshot, claim: KubeObject, victims: tuple[ObjectRef, ...]) -> Iterator[Clue]:
    """A claim of a class whose volumes are all made by hand, of which none is large enough or may be used so."""
    name = claim.spec.get("storageClassName")
    volumes = [one for one in snapshot.of_kind("PersistentVolume") if name and one.spec.get("storageClassName") == name]
    wanted, modes = dig(claim.spec, "resources", "requests", "storage"), claim.spec.get("accessModes") or []
    if not volumes or snapshot.find("StorageClass", "", str(name)) is not None:
        return
    misfits = []
    for volume in volumes:
        size, ways = dig(volume.spec, "capacity", "storage"), volume.spec.get("accessModes") or []
        if (amount(size) or 0.0) < (amount(wanted) or 0.0):
            misfits.append(f"{volume.ref} has {size} of the {wanted} that it wants")
        elif any(mode not in ways for mode in modes):
            misfits.append(f"{volume.ref} is {' and '.join(map(str, ways))}, not {' and '.join(map(str, modes))}")
    if len(misfits) == len(volumes):
        said = f"storage: {wanted}, accessModes: {modes}"
        yield Clue(
            failure_class=F.K8S_PENDING_PVC,
            rule="cluster-volume-misfit",
            cause=f"{claim.ref} cannot be bound: {misfits[0]}.",
            target=claim.ref,
            victims=victims,
            quotes=(spec_quote(claim, said), spec_quote(volumes[0], str(dict(volumes[0].spec))[:300])),
            confidence=0.85,
            rank=22,
        )


def _place(ref: ObjectRef) -> tuple[str, str, str]:
    return ref.kind, ref.namespace, ref.name


def find_storage_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each claim that is not bound and each volume that is broken."""
    users = _users(snapshot)
    for claim in snapshot.of_kind("PersistentVolumeClaim"):
        victims = tuple(users.get((claim.namespace, claim.name), ()))
        for clue in _claim(snapshot, claim):
            yield clue.model_copy(update={"victims": unique_refs(victims)})
        yield from _out_of_reach(snapshot, claim, unique_refs(victims))
        if snapshot.desired_only:
            yield from _fits_none(snapshot, claim, unique_refs(victims))
    for item in snapshot.of_kind("StatefulSet"):
        for template in mappings_of(item.spec.get("volumeClaimTemplates")):
            name = dig(template, "spec", "storageClassName")
            if name and _absent(snapshot, str(name)):
                yield _class_missing(snapshot, item, str(name))
    for volume in snapshot.of_kind("PersistentVolume"):
        phase = volume.status.get("phase")
        if phase in ("Failed", "Released"):
            yield Clue(
                failure_class=F.K8S_PENDING_PVC,
                rule="cluster-volume",
                cause=f"{volume.ref} is {str(phase).lower()}: {one_line(str(volume.status.get('message') or 'its claim is gone'))[:160]}.",
                target=volume.ref,
                quotes=(status_quote(volume, f"phase: {phase}"),),
                confidence=0.7,
                rank=30,
                hint=phase == "Released",
            )
    yield from _classes(snapshot)


def _users(snapshot: ClusterSnapshot) -> dict[tuple[str, str], list[ObjectRef]]:
    """Who mounts each claim, and what stands behind them."""
    found: dict[tuple[str, str], list[ObjectRef]] = {}
    for item in (*snapshot.of_kind("Pod"), *snapshot.templates()):
        for volume in mappings_of(item.pod_spec.get("volumes")):
            name = dig(volume, "persistentVolumeClaim", "claimName")
            if name:
                found.setdefault((item.namespace, str(name)), []).extend((snapshot.workload_of(item), item.ref))
    return found


def _absent(snapshot: ClusterSnapshot, name: str) -> bool:
    known = {item.name for item in snapshot.of_kind("StorageClass")}
    if snapshot.knows("StorageClass"):
        return name not in known
    static = any(volume.spec.get("storageClassName") == name for volume in snapshot.of_kind("PersistentVolume"))
    return snapshot.desired_only and not static and name not in known and name not in _USUAL


def _class_missing(snapshot: ClusterSnapshot, item: KubeObject, name: str) -> Clue:
    sure = snapshot.knows("StorageClass")
    known = ", ".join(sorted(found.name for found in snapshot.of_kind("StorageClass"))) or "none known"
    said = "which does not exist" if sure else "which is no usual one and is not defined here"
    return Clue(
        failure_class=F.K8S_PENDING_PVC,
        rule="cluster-storage-class",
        cause=f"{item.ref} asks for the storage class {name!r}, {said} (there are: {known}): the PersistentVolumeClaim cannot be bound.",
        target=item.ref,
        quotes=(spec_quote(item, f"storageClassName: {name}"),),
        confidence=0.9 if sure else 0.65,
        rank=18,
    )


def _claim(snapshot: ClusterSnapshot, claim: KubeObject) -> Iterator[Clue]:
    phase, name = claim.status.get("phase"), claim.spec.get("storageClassName")
    if phase == "Lost":
        yield Clue(
            failure_class=F.K8S_PENDING_PVC,
            rule="cluster-claim-lost",
            cause=f"{claim.ref} has lost its volume {claim.spec.get('volumeName')}.",
            target=claim.ref,
            quotes=(status_quote(claim, "phase: Lost"),),
            confidence=0.95,
            rank=18,
        )
        return
    if phase not in (None, "", "Pending") or (claim.sketched and phase != "Pending"):
        return
    events = [
        event
        for event in snapshot.events_of(claim.ref)
        if event.warning or event.reason in ("FailedBinding", "ProvisioningFailed")
    ]
    if name and name != "<unset>" and _absent(snapshot, str(name)):
        clue = _class_missing(snapshot, claim, str(name))
        yield clue.model_copy(update={"quotes": (*clue.quotes, *(event_quote(event) for event in events[-1:]))})
        return
    if events:
        yield _pending(
            claim,
            f"{claim.ref} cannot be bound: {one_line(events[-1].message)[:240].rstrip('.')}{_misfit(snapshot, claim)}.",
            event_quote(events[-1]),
            0.92,
        )
    elif phase == "Pending" and not _waits_for_pod(snapshot, claim):
        why = "" if name or _default(snapshot) else ": it names no storage class, and there is no default"
        why = why or _misfit(snapshot, claim)
        yield _pending(
            claim,
            f"{claim.ref} is pending and no volume is bound to it{why}.",
            status_quote(claim, "phase: Pending"),
            0.7,
        )


def _misfit(snapshot: ClusterSnapshot, claim: KubeObject) -> str:
    """What keeps the volume from it that fits best: the one that it names, or one of its class."""
    name, kind = claim.spec.get("volumeName"), claim.spec.get("storageClassName")
    volumes = snapshot.of_kind("PersistentVolume")
    meant = [item for item in volumes if item.name == name] if name else []
    meant = meant or [item for item in volumes if kind and item.spec.get("storageClassName") == kind and not name]
    found = sorted((list(_differences(item, claim)), item.name) for item in meant)
    if not found or not found[0][0]:
        return ""
    return f": the volume {found[0][1]} {' and '.join(found[0][0])}"


def _differences(volume: KubeObject, claim: KubeObject) -> Iterator[str]:
    holder = mapping_of(volume.spec.get("claimRef"))
    if holder and (holder.get("namespace"), holder.get("name")) != (claim.namespace, claim.name):
        yield f"is of another claim ({holder.get('namespace')}/{holder.get('name')})"
    if volume.spec.get("storageClassName") != claim.spec.get("storageClassName"):
        yield f"is of the class {volume.spec.get('storageClassName')!r}"
    size, wanted = dig(volume.spec, "capacity", "storage"), dig(claim.spec, "resources", "requests", "storage")
    if (amount(size) or 0.0) < (amount(wanted) or 0.0):
        yield f"holds {size}, and {wanted} are asked for"
    modes = volume.spec.get("accessModes") or ()
    lacking = [mode for mode in claim.spec.get("accessModes") or () if mode not in modes]
    if lacking:
        yield f"cannot be opened as {lacking[0]}"
    labels = mapping_of(claim.spec.get("selector"))
    if labels and not selects(labels, volume.labels):
        yield "does not have the labels that are asked for"


def _pending(claim: KubeObject, cause: str, quote: Quote, confidence: float) -> Clue:
    return Clue(
        failure_class=F.K8S_PENDING_PVC,
        rule="cluster-claim",
        cause=cause,
        target=claim.ref,
        quotes=(quote,),
        confidence=confidence,
        rank=18,
    )


def _default(snapshot: ClusterSnapshot) -> bool:
    return any(
        item.annotations.get(_DEFAULT) == "true" for item in snapshot.of_kind("StorageClass")
    ) or not snapshot.knows("StorageClass")


def _waits_for_pod(snapshot: ClusterSnapshot, claim: KubeObject) -> bool:
    """A class that binds only when a pod comes leaves the claim pending until then, rightly."""
    item = snapshot.find("StorageClass", "", str(claim.spec.get("storageClassName") or ""))
    waits = any(event.reason == "WaitForFirstConsumer" for event in snapshot.events_of(claim.ref))
    return waits or (item is not None and item.raw.get("volumeBindingMode") == "WaitForFirstConsumer")


def _classes(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    defaults = [item for item in snapshot.of_kind("StorageClass") if item.annotations.get(_DEFAULT) == "true"]
    if len(defaults) > 1:
        yield Clue(
            failure_class=F.K8S_PENDING_PVC,
            rule="cluster-defaults",
            cause=f"{len(defaults)} storage classes are the default: {', '.join(item.name for item in defaults)}.",
            target=defaults[1].ref,
            quotes=(spec_quote(defaults[1], f"{_DEFAULT}: true"),),
            confidence=0.6,
            hint=True,
        )
    for item in snapshot.of_kind("StorageClass"):
        if item.raw.get("provisioner") == "kubernetes.io/no-provisioner":
            yield Clue(
                failure_class=F.K8S_PENDING_PVC,
                rule="cluster-no-provisioner",
                cause=f"{item.ref} makes no volumes itself (kubernetes.io/no-provisioner).",
                target=item.ref,
                quotes=(spec_quote(item, "provisioner: kubernetes.io/no-provisioner"),),
                confidence=0.5,
                hint=True,
            )
    for kind in ("PersistentVolume", "PersistentVolumeClaim"):
        for item in snapshot.of_kind(kind):
            said = dig(item.spec, "capacity", "storage") or dig(item.spec, "resources", "requests", "storage")
            size = amount(said) if said else None
            if size is not None and 0 < size < 2**30 and mapping_of(item.spec):
                yield Clue(
                    failure_class=F.K8S_PENDING_PVC,
                    rule="cluster-small",
                    cause=f"{item.ref} is small ({said}).",
                    target=item.ref,
                    quotes=(spec_quote(item, f"storage: {said}"),),
                    confidence=0.3,
                    hint=True,
                )
