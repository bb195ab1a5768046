"""Custom resources that say themselves that something is wrong: certificates, GitOps applications, releases, operators."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import one_line, spec_quote, status_quote
from tasks.domain.cluster import ClusterSnapshot, KubeObject, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_CORE = frozenset(
    [
        "Pod",
        "Node",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "ReplicationController",
        "Job",
        "CronJob",
        "HorizontalPodAutoscaler",
        "Service",
        "Namespace",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Gateway",
        "GatewayClass",
        "HTTPRoute",
        "CustomResourceDefinition",
        "PodDisruptionBudget",
        "CertificateSigningRequest",
        "Ingress",
        "FlowSchema",
        "PriorityLevelConfiguration",
    ]
)
_GOOD = (
    "Ready",
    "Available",
    "Healthy",
    "Synced",
    "Accepted",
    "Installed",
    "Serving",
    "Succeeded",
    "Progressing",
    "Reconciled",
)
_PHASES = ("Failed", "Degraded", "Error", "InstallReady")
_BAD_STATES = ("TRANSIENT_FAILURE", "CONNECTING", "UpgradePending")


def find_resource_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each resource that reports its own failure, and for releases that never ended."""
    groups: dict[str, list[KubeObject]] = {}
    for item in snapshot.objects:
        if item.kind == "OperatorGroup":
            groups.setdefault(item.namespace, []).append(item)
        if item.kind == "Application" and item.status:
            yield from _application(item)
        elif item.kind not in _CORE and item.status:
            yield from _custom(item)
        elif (
            item.kind == "Secret"
            and item.labels.get("owner") == "helm"
            and str(item.labels.get("status")).startswith(("pending", "failed"))
        ):
            yield _release(snapshot, item)
    for found in groups.values():
        if len(found) > 1:
            yield _clue(
                found[0],
                F.DEP_APPLY_INVALID,
                f"{len(found)} OperatorGroups are in namespace {found[0].namespace}: there may be one.",
                "OperatorGroup",
                0.7,
                hint=False,
            )
    yield from _config_maps(snapshot)


def _clue(item: KubeObject, failure_class: F, cause: str, said: str, confidence: float, *, hint: bool = False) -> Clue:
    return Clue(
        failure_class=failure_class,
        rule="cluster-resource",
        cause=cause,
        target=item.ref,
        quotes=(status_quote(item, said),),
        confidence=confidence,
        rank=30,
        hint=hint,
    )


def _application(item: KubeObject) -> Iterator[Clue]:
    """Argo CD: https://argo-cd.readthedocs.io/en/stable/operator-manual/health/."""
    for row in mappings_of(item.status.get("conditions")):
        if "Error" in str(row.get("type")):
            yield _clue(
                item,
                _refused_as(str(row.get("message"))) or F.DEP_APPLY_INVALID,
                f"{item.ref} cannot be synced: {one_line(str(row.get('message')))[:240]}.",
                f"{row.get('type')}: {row.get('message')}",
                0.85,
            )
            return
    operation = mapping_of(item.status.get("operationState"))
    if operation.get("phase") in ("Failed", "Error"):
        yield _clue(
            item,
            _refused_as(str(operation.get("message"))) or F.DEP_APPLY_INVALID,
            f"{item.ref}: its last sync failed: {one_line(str(operation.get('message')))[:240]}.",
            f"operationState {operation.get('phase')}: {operation.get('message')}",
            0.85,
        )
    elif dig(item.status, "sync", "status") == "OutOfSync":
        yield _clue(
            item,
            F.DEP_DRIFT,
            f"{item.ref} is out of sync: what runs is not what git says.",
            "sync: OutOfSync",
            0.6,
            hint=dig(item.status, "health", "status") == "Healthy",
        )


_REFUSALS = (
    (F.DEP_CONFLICT, re.compile(r"\bconflicts? with|Apply failed with \d+ conflict|object has been modified")),
    (F.DEP_API, re.compile(r"no matches for kind|could not find the requested resource|resource mapping not found")),
    (F.DEP_APPLY_INVALID, re.compile(r"is immutable|is invalid|Invalid value|unknown field|error validating")),
)


def _refused_as(said: str) -> F | None:
    """How the API server refused what a tool would apply; `None` when that is not what is told."""
    return next((found for found, pattern in _REFUSALS if pattern.search(said)), None)


def _custom(item: KubeObject) -> Iterator[Clue]:
    group = str(item.raw.get("apiVersion") or "")
    failure_class = (
        F.K8S_CERT
        if item.kind.startswith(("Certificate", "Issuer", "ClusterIssuer"))
        else F.DEP_HELM
        if "helm" in group
        else F.DEP_APPLY_INVALID
    )
    for row in mappings_of(item.status.get("conditions")):
        kind, status = str(row.get("type")), row.get("status")
        bad = (kind in _GOOD and status == "False") or (
            re.search(r"Fail|Error|Degraded|Stalled|ResolutionFailed", kind) and status == "True"
        )
        if bad:
            said = f"{kind}={status} {row.get('reason') or ''}: {row.get('message') or ''}"
            failure_class = _refused_as(said) or failure_class
            yield _clue(item, failure_class, f"{item.ref} is not well: {one_line(said)[:240].rstrip('.')}.", said, 0.75)
            return
    if item.status.get("phase") == "RequiresApproval":
        waits = f"{item.ref} waits for the approval of a person."
        yield _clue(item, F.DEP_APPLY_INVALID, waits, "phase: RequiresApproval", 0.5, hint=True)
    state = dig(item.status, "connectionState", "lastObservedState") or item.status.get("state")
    phase = item.status.get("phase")
    if phase in _PHASES or state in _BAD_STATES:
        said = f"phase: {phase}" if phase in _PHASES else f"state: {state}"
        yield _clue(
            item,
            failure_class,
            f"{item.ref} is not well ({said}): {one_line(str(item.status.get('message') or 'see its conditions'))[:200]}.",
            said,
            0.65,
        )


def _release(snapshot: ClusterSnapshot, item: KubeObject) -> Clue:
    """Helm keeps its releases in Secrets: https://helm.sh/docs/topics/advanced/#storage-backends."""
    status, name = str(item.labels.get("status")), str(item.labels.get("name"))
    later = [
        other
        for other in snapshot.of_kind("Secret", item.namespace)
        if other.labels.get("name") == name
        and other.labels.get("status") == "deployed"
        and str(other.labels.get("version")).isdigit()
        and str(item.labels.get("version")).isdigit()
        and int(str(other.labels["version"])) > int(str(item.labels["version"]))
    ]
    clue = _clue(
        item,
        F.DEP_HELM,
        f"The Helm release {name} is stuck in {status!r}: no other operation can start."
        if status.startswith("pending")
        else f"The Helm release {name} has failed.",
        f"helm release {name} status: {status}",
        0.85,
    )
    return clue.model_copy(update={"hint": bool(later) or status == "failed"})


def _config_maps(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """What is empty or too large is worth knowing."""
    for item in snapshot.of_kind("ConfigMap"):
        data = mapping_of(item.raw.get("data"))
        size = sum(len(str(value)) for value in data.values())
        if not data and not item.raw.get("binaryData") and not item.sketched:
            yield Clue(
                failure_class=F.K8S_CONFIG_KEY,
                rule="cluster-empty-config",
                cause=f"{item.ref} is empty.",
                target=item.ref,
                quotes=(spec_quote(item, "data: (none)"),),
                confidence=0.3,
                hint=True,
            )
        elif size > 2**20:
            yield Clue(
                failure_class=F.K8S_CONFIG_KEY,
                rule="cluster-large-config",
                cause=f"{item.ref} is larger than 1 MB.",
                target=item.ref,
                quotes=(spec_quote(item, f"{size} characters"),),
                confidence=0.3,
                hint=True,
            )
