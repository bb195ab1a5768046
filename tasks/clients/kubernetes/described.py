"""What `kubectl describe` prints, back into an object of Kubernetes' own shape with its events."""

import re
from collections.abc import Sequence
from typing import Any

from tasks.clients.kubernetes.gathering import Gathering, age_seconds
from tasks.clients.kubernetes.outline import Section, outline, pairs_of
from tasks.domain.cluster import ClusterEvent, Json, ObjectRef

_NONE = ("", "<none>", "<unset>", "<nil>")
_PROBE = re.compile(r"^(?P<how>http-get|tcp-socket|exec|grpc)\s+(?P<what>.*?)\s+delay=")
_FROM = re.compile(r"<set to the key '(?P<key>[^']+)' (?:in|of) (?P<kind>secret|config map) '(?P<name>[^']+)'>")
_COUNTS = re.compile(r"(\d+) (desired|updated|total|available|unavailable|Active|Succeeded|Failed)", re.IGNORECASE)


def add_described(lines: Sequence[str], kind: str, source: str, into: Gathering) -> None:
    """Take one description; a text that describes nothing is passed over."""
    top = outline(lines)
    name = top.value("Name")
    if not name or name in _NONE:
        return
    namespace = top.value("Namespace")
    kind = _kind_shown(top) or kind
    metadata: dict[str, Any] = {"name": name, "labels": pairs_of(top.find("Labels"))}
    if namespace and namespace not in _NONE:
        metadata["namespace"] = namespace
    controller, _, owner = top.value("Controlled By").partition("/")
    if owner:
        metadata["ownerReferences"] = [{"kind": controller, "name": owner, "controller": True}]
    raw: dict[str, Any] = {"kind": kind, "metadata": metadata}
    raw |= _BUILDERS.get(kind, _workload)(top)
    into.add(raw)
    if kind == "Node":
        _add_pods_on(top, name, into)
    _add_events(
        top.find("Events"), ObjectRef(kind=kind, namespace=metadata.get("namespace", ""), name=name), source, into
    )


def _kind_shown(top: Section) -> str:
    """What the text describes, whatever was asked for."""
    if top.find("Pods Statuses") is not None and top.find("Pod Template") is not None and top.value("Completions"):
        return "Job"
    if top.find("StrategyType") is not None:
        return "Deployment"
    return "Pod" if top.find("QoS Class") is not None and top.find("Containers") is not None else ""


def _pod(top: Section) -> dict[str, Any]:
    node = top.value("Node").split("/")[0]
    waiting = {row.cells[0]: row.cells for row in top.rows("Conditions")}
    status: dict[str, Any] = {
        "phase": top.value("Status").split(" ")[0],
        "reason": top.value("Reason"),
        "message": top.value("Message"),
        "conditions": [{"type": name, "status": cells[1] if len(cells) > 1 else ""} for name, cells in waiting.items()],
        "containerStatuses": [_container_status(found) for found in top.children("Containers")],
        "initContainerStatuses": [_container_status(found) for found in top.children("Init Containers")],
    }
    return {"spec": _pod_spec(top) | ({} if node in _NONE else {"nodeName": node}), "status": status}


def _pod_spec(top: Section) -> dict[str, Any]:
    return {
        "serviceAccountName": top.value("Service Account"),
        "nodeSelector": pairs_of(top.find("Node-Selectors")),
        "containers": [_container(found) for found in top.children("Containers")],
        "initContainers": [_container(found) for found in top.children("Init Containers")],
        "volumes": [_volume(found) for found in top.children("Volumes") if found.key not in _NONE],
    }


def _container(found: Section) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": found.key,
        "image": found.value("Image"),
        "env": [_variable(row) for row in found.children("Environment") if row.key not in _NONE],
        "envFrom": [_variables_from(row) for row in found.children("Environment Variables from")],
        "resources": {
            "limits": {row.key: row.text for row in found.children("Limits")},
            "requests": {row.key: row.text for row in found.children("Requests")},
        },
        "ports": [
            {"containerPort": int(port)} for port in re.findall(r"(\d+)/", found.value("Port") or found.value("Ports"))
        ],
    }
    for field, heading in (("command", "Command"), ("args", "Args")):
        section = found.find(heading)
        if section is not None:
            said = [section.text] if section.text not in _NONE else []
            container[field] = said + section.all_lines()
    for field, heading in (("livenessProbe", "Liveness"), ("readinessProbe", "Readiness"), ("startupProbe", "Startup")):
        if probe := _probe(found.value(heading)):
            container[field] = probe
    return container


def _probe(text: str) -> dict[str, Any] | None:
    found = _PROBE.match(text)
    if found is None:
        return None
    if found["how"] == "exec":
        return {"exec": {"command": found["what"].strip("[]").split()}}
    port = re.search(r":(\w[\w-]*)(/\S*)?$", found["what"])
    where: dict[str, Any] = {"port": int(port[1]) if port and port[1].isdigit() else port[1] if port else ""}
    if found["how"] == "http-get":
        return {"httpGet": where | {"path": (port[2] if port else "") or "/"}}
    return {"tcpSocket" if found["how"] == "tcp-socket" else "grpc": where}


def _variable(row: Section) -> dict[str, Any]:
    found = _FROM.search(row.text)
    if found is None:
        return {"name": row.key, "value": row.text}
    field = "secretKeyRef" if found["kind"] == "secret" else "configMapKeyRef"
    ref = {"name": found["name"], "key": found["key"], "optional": "Optional: true" in row.text}
    return {"name": row.key, "valueFrom": {field: ref}}


def _variables_from(row: Section) -> dict[str, Any]:
    field = "secretRef" if "Secret" in row.text else "configMapRef"
    return {field: {"name": row.key, "optional": "Optional: true" in row.text}}


def _volume(found: Section) -> dict[str, Any]:
    kind, optional = found.value("Type").split(" ")[0], found.value("Optional") == "true"
    if kind == "ConfigMap":
        return {"name": found.key, "configMap": {"name": found.value("Name"), "optional": optional}}
    if kind == "Secret":
        return {"name": found.key, "secret": {"secretName": found.value("SecretName"), "optional": optional}}
    if kind == "PersistentVolumeClaim":
        return {"name": found.key, "persistentVolumeClaim": {"claimName": found.value("ClaimName")}}
    return {"name": found.key}


def _container_status(found: Section) -> dict[str, Any]:
    restarts = found.value("Restart Count")
    return {
        "name": found.key,
        "image": found.value("Image"),
        "ready": found.value("Ready") == "True",
        "restartCount": int(restarts) if restarts.isdigit() else 0,
        "state": _state(found.find("State")),
        "lastState": _state(found.find("Last State")),
    }


def _state(found: Section | None) -> dict[str, Any]:
    if found is None or not found.text:
        return {}
    said: dict[str, Any] = {"reason": found.value("Reason"), "message": found.value("Message")}
    code = found.value("Exit Code")
    if code.lstrip("-").isdigit():
        said["exitCode"] = int(code)
    return {found.text.lower(): said}


def _workload(top: Section) -> dict[str, Any]:
    """Deployment, ReplicaSet, StatefulSet, DaemonSet and Job, and as much of any other kind as looks like them."""
    template = top.find("Pod Template")
    counts = {word.lower(): int(number) for number, word in _COUNTS.findall(top.value("Replicas"))}
    jobs = {word.lower(): int(number) for number, word in _COUNTS.findall(top.value("Pods Statuses"))}
    spec: dict[str, Any] = {"selector": {"matchLabels": pairs_of(top.find("Selector"))}}
    if template is not None:
        spec["template"] = {"metadata": {"labels": pairs_of(template.find("Labels"))}, "spec": _pod_spec(template)}
    if "desired" in counts:
        spec["replicas"] = counts["desired"]
    status: dict[str, Any] = {
        "availableReplicas": counts.get("available"),
        "unavailableReplicas": counts.get("unavailable"),
        "conditions": _conditions(top),
    }
    status |= {field: jobs[field] for field in ("active", "succeeded", "failed") if jobs.get(field)}
    if re.search(r"\bBackoffLimitExceeded\b", " ".join(top.body("Events"))):
        status["conditions"].append({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"})
    return {"spec": spec, "status": {key: value for key, value in status.items() if value is not None}}


def _conditions(top: Section) -> list[dict[str, Any]]:
    found = []
    for row in top.rows("Conditions"):
        cells = row.cells
        if len(cells) >= 2:
            # Nodes print two times between status and reason, workloads none.
            reason, message = (cells[4], cells[5]) if len(cells) >= 6 else (cells[2] if len(cells) > 2 else "", "")
            message = cells[3] if len(cells) == 4 else message
            found.append({"type": cells[0], "status": cells[1], "reason": reason, "message": message})
    return found


def _node(top: Section) -> dict[str, Any]:
    taints = [text for text in (top.value("Taints"), *top.body("Taints")) if text not in _NONE]
    return {
        "spec": {"unschedulable": top.value("Unschedulable") == "true", "taints": [_taint(text) for text in taints]},
        "status": {
            "conditions": _conditions(top),
            "allocatable": {row.key: row.text for row in top.children("Allocatable")},
            "capacity": {row.key: row.text for row in top.children("Capacity")},
        },
    }


def _taint(text: str) -> Json:
    left, _, effect = text.rpartition(":")
    key, _, value = left.partition("=")
    return {"key": key, "value": value, "effect": effect}


def _add_pods_on(top: Section, node: str, into: Gathering) -> None:
    for row in top.rows("Non-terminated Pods"):
        if len(row.cells) >= 2:
            metadata = {"namespace": row.cells[0], "name": row.cells[1]}
            pod = {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": "Running"}}
            into.add(pod, sketched=True)


def _service(top: Section) -> dict[str, Any]:
    found = _workload(top)
    found["spec"] = {
        "selector": pairs_of(top.find("Selector")),
        "type": top.value("Type"),
        "ports": [
            {"port": int(port)}
            for port in re.findall(r"(\d+)/(?:TCP|UDP)", " ".join((top.value("Port"), *top.body("Port"))))
        ],
    }
    return found


def _claim(top: Section) -> dict[str, Any]:
    spec = {"storageClassName": top.value("StorageClass"), "volumeName": top.value("Volume")}
    return {"spec": spec, "status": {"phase": top.value("Status")}}


def _autoscaler(top: Section) -> dict[str, Any]:
    kind, _, name = top.value("Reference").partition("/")
    spec: dict[str, Any] = {"scaleTargetRef": {"kind": kind, "name": name}}
    for field, heading in (("minReplicas", "Min replicas"), ("maxReplicas", "Max replicas")):
        if top.value(heading).isdigit():
            spec[field] = int(top.value(heading))
    return {"spec": spec, "status": {"conditions": _conditions(top)}}


_BUILDERS = {
    "Pod": _pod,
    "Node": _node,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "HorizontalPodAutoscaler": _autoscaler,
}


def _add_events(events: Section | None, about: ObjectRef, source: str, into: Gathering) -> None:
    for row in events.table() if events is not None else ():
        kind, reason, age, _, *message = [*row.cells, "", "", "", "", ""][: max(5, len(row.cells))]
        if kind not in ("Normal", "Warning"):
            continue
        times = re.search(r"\(x(\d+)", age)
        into.add_event(
            ClusterEvent(
                id=f"{source}:{row.line_number}",
                about=about,
                reason=reason,
                message="  ".join(part for part in message if part),
                warning=kind == "Warning",
                count=int(times[1]) if times else 1,
                seen_at=-age_seconds(age),
            )
        )
