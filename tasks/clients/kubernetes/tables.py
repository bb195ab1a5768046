"""Tables as `kubectl get` and `kubectl events` print them: pods become sketches of pods, events become events."""

import re
from collections.abc import Iterator, Sequence

from tasks.clients.kubernetes.gathering import Gathering, TableRow, age_seconds
from tasks.domain.cluster import ClusterEvent, ObjectRef

KINDS = {
    name.lower(): name
    for name in [
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Service",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "Ingress",
        "NetworkPolicy",
        "ServiceAccount",
        "Node",
        "Namespace",
        "ResourceQuota",
        "LimitRange",
        "Endpoints",
        "HorizontalPodAutoscaler",
        "StorageClass",
        "IngressClass",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
    ]
}
_SHORT = {
    "po": "Pod", "deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "rs": "ReplicaSet", "svc": "Service",
    "cm": "ConfigMap", "pvc": "PersistentVolumeClaim", "pv": "PersistentVolume", "ing": "Ingress", "no": "Node",
    "ns": "Namespace", "netpol": "NetworkPolicy", "sa": "ServiceAccount", "hpa": "HorizontalPodAutoscaler",
    "quota": "ResourceQuota", "sc": "StorageClass", "cj": "CronJob", "ep": "Endpoints",
}  # fmt: skip
_HEADING = re.compile(r"\S+(?: \S+)*")
_POD_ROW = re.compile(
    r"^(?:(?P<namespace>[a-z0-9-]+)\s+)?(?P<name>[a-z0-9][a-z0-9.-]*)\s+(?P<ready>\d+/\d+)\s+(?P<status>[A-Z]\S*)\s+(?P<rest>\d.*)$"
)
_WAITING = re.compile(
    r"BackOff|^Err|Error$|^Invalid|^CreateContainer|^ContainerCreating|^PodInitializing|^RunContainer"
)

# A template's hash and a pod's suffix are written without vowels and a few look-alikes:
# https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go
_GENERATED = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9.-]*)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$"
)


def kind_of(word: str) -> str:
    """`pods`, `po`, `deployments.apps` and so on as the kind they stand for."""
    word = word.lower().split(".")[0]
    plural = word.removesuffix("es") if word.endswith("sses") or word.endswith("ies") else word.removesuffix("s")
    return _SHORT.get(word) or KINDS.get(word) or KINDS.get(plural) or KINDS.get(word + "s") or word.capitalize()


def read_table(lines: Sequence[str]) -> Iterator[TableRow]:
    """The rows of a table whose heading says where the columns start."""
    heading = lines[0]
    spans = [(found.start(), found.group()) for found in re.finditer(r"\S+(?: (?=[A-Z(])\S+)*", heading)]
    for line in lines[1:]:
        if not line.strip():
            return
        ends = [start for start, _ in spans[1:]] + [len(line)]
        yield TableRow(cells={name: line[start:end].strip() for (start, name), end in zip(spans, ends, strict=True)})


def add_pods(lines: Sequence[str], namespace: str, into: Gathering) -> None:
    """Rows of pods, with or without a heading."""
    if lines and lines[0].startswith(("NAME ", "NAMESPACE ")):
        rows = list(read_table(lines))
    else:
        rows = [TableRow(cells=_bare(found)) for line in lines if (found := _POD_ROW.match(line))]
    for row in rows:
        name, status = row.get("NAME"), row.get("STATUS")
        if name and status:
            _add_pod(row, name, status, row.get("NAMESPACE") or namespace, into)


def _bare(found: re.Match[str]) -> dict[str, str]:
    rest = re.sub(r"\s*\([^)]*\)", "", found["rest"]).split()
    node = rest[3] if len(rest) > 3 else ""
    return {
        "NAMESPACE": found["namespace"] or "",
        "NAME": found["name"],
        "READY": found["ready"],
        "STATUS": found["status"],
        "RESTARTS": rest[0],
        "NODE": node,
    }


def _add_pod(row: TableRow, name: str, status: str, namespace: str, into: Gathering) -> None:
    ready, _, wanted = row.get("READY").partition("/")
    restarts = re.match(r"\d+", row.get("RESTARTS"))
    reason = status.removeprefix("Init:")
    labels = dict(part.split("=", 1) for part in row.get("LABELS").split(",") if "=" in part)
    state: dict[str, object] = {}
    if _WAITING.search(reason) and status != "Error":
        state = {"waiting": {"reason": reason}}
    elif reason in ("Error", "OOMKilled", "ContainerCannotRun", "StartError"):
        state = {"terminated": {"reason": reason, "exitCode": 1}}
    elif status == "Running":
        state = {"running": {}}
    field = "initContainerStatuses" if status.startswith("Init:") else "containerStatuses"
    entry = {"name": "", "ready": ready == wanted, "restartCount": int(restarts[0]) if restarts else 0, "state": state}
    phase = (
        status if status in ("Running", "Pending", "Unknown") else "Failed" if status in ("Error", "Evicted") else ""
    )
    phase = "Succeeded" if status == "Completed" else phase or "Pending"
    node = row.get("NODE")
    owner = _owner(name, labels)
    raw = {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner] if owner else [],
        },
        "spec": {"nodeName": node} if node and node != "<none>" else {},
        "status": {
            "phase": phase,
            field: [entry] if state else [],
            "reason": status if status == "Evicted" else "",
        },
    }
    into.add(raw, sketched=True)


def _owner(name: str, labels: dict[str, str]) -> dict[str, object] | None:
    """What made a pod, by the labels that controllers give, or by the names that they make."""
    job = labels.get("batch.kubernetes.io/job-name") or labels.get("job-name")
    if job:
        return {"kind": "Job", "name": job, "controller": True}
    if "statefulset.kubernetes.io/pod-name" in labels:
        return {"kind": "StatefulSet", "name": name.rpartition("-")[0], "controller": True}
    if "pod-template-hash" in labels:
        return {"kind": "Deployment", "name": name.rsplit("-", 2)[0], "controller": True}
    found = None if labels else _GENERATED.match(name)
    return {"kind": "Deployment", "name": found["name"], "controller": True} if found else None


def add_named(lines: Sequence[str], kind: str, namespace: str, into: Gathering) -> None:
    """Rows of any other kind: that they exist, and what labels and selector they have."""
    for row in read_table(lines):
        if not row.get("NAME"):
            continue
        metadata: dict[str, object] = {"name": row.get("NAME")}
        if kind not in ("Node", "Namespace", "PersistentVolume", "StorageClass", "IngressClass"):
            metadata["namespace"] = row.get("NAMESPACE") or namespace
        metadata["labels"] = _pairs(row.get("LABELS"))
        raw: dict[str, object] = {"kind": kind, "metadata": metadata, "spec": {}, "status": {}}
        if kind == "Service":
            raw["spec"] = {"selector": _pairs(row.get("SELECTOR")), "type": row.get("TYPE")}
        if kind == "Node":
            ready = "True" if row.get("STATUS").startswith("Ready") else "False"
            raw["status"] = {"conditions": [{"type": "Ready", "status": ready, "message": row.get("STATUS")}]}
            raw["spec"] = {"unschedulable": "SchedulingDisabled" in row.get("STATUS")}
        if kind == "PersistentVolumeClaim":
            raw["status"] = {"phase": row.get("STATUS")}
            raw["spec"] = {"storageClassName": row.get("STORAGECLASS")}
        into.add(raw, sketched=True)


def _pairs(cell: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in cell.split(",") if "=" in part)


def add_events(lines: Sequence[str], namespace: str, source: str, into: Gathering) -> None:
    """Rows of `kubectl get events` and `kubectl events`."""
    for number, row in enumerate(read_table(lines), 2):
        kind, _, name = row.get("OBJECT").partition("/")
        if not name:
            continue
        seen = row.get("LAST SEEN")
        times = re.search(r"\(x(\d+)", seen)
        into.add_event(
            ClusterEvent(
                id=f"{source}:{number}",
                about=ObjectRef(kind=kind_of(kind), namespace=row.get("NAMESPACE") or namespace, name=name),
                reason=row.get("REASON"),
                message=row.get("MESSAGE"),
                warning=row.get("TYPE") == "Warning",
                count=int(times[1]) if times else 1,
                seen_at=-age_seconds(seen),
            )
        )
