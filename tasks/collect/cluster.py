"""Takes secrets out of a snapshot of a cluster and bounds it, before anything else sees it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from tasks.clients.kubernetes import Cluster, capture_cluster, in_bulk
from tasks.collect.redact import MASK, redact
from tasks.domain.cluster import (
    ClusterSnapshot,
    Json,
    KubeObject,
    mapping_of,
    mappings_of,
    without_secret_data,
)
from tasks.domain.log_digest import ContainerLog, Growth, Pace

MAX_VALUE_CHARACTERS = 20_000
_SECRET_NAME = re.compile(r"passw|secret|token|api_?key|access_?key|private_?key|credential", re.IGNORECASE)


def read_state(
    cluster: Cluster, namespaces: tuple[str, ...] | None, *, now: datetime, tell: Callable[[str], None] = lambda _: None
) -> ClusterSnapshot:
    """The state of these namespaces and of what they stand on, or of the whole cluster when `None`, without secrets.

    Raises:
        HealflowError: there is no such namespace, or the account is refused.
    """
    with in_bulk():
        return redact_snapshot(capture_cluster(cluster, namespaces=namespaces, now=now, tell=tell))


def redact_snapshot(snapshot: ClusterSnapshot) -> ClusterSnapshot:
    """The same state without secrets: of a Secret only the names of its keys stay, other text is masked."""
    return snapshot.model_copy(
        update={
            "objects": tuple(_redact_object(item) for item in snapshot.objects),
            "events": tuple(
                event.model_copy(update={"message": redact(event.message)}) if event.warning else event
                for event in snapshot.events
            ),
            "logs": tuple(_redact_log(log) for log in snapshot.logs),
            "texts": tuple(text.model_copy(update={"text": redact(text.text)}) for text in snapshot.texts),
        }
    )


def _redact_log(log: ContainerLog) -> ContainerLog:
    lines = tuple(redact("\n".join(log.lines)).split("\n"))
    complaints = tuple(row.model_copy(update={"text": redact(row.text)}) for row in log.complaints)
    told = {name: _redact_told(getattr(log, name)) for name in ("pace", "growth")}
    return log.model_copy(update={"lines": lines, "complaints": complaints, **told})


def _redact_told(told: Pace | Growth | None) -> Pace | Growth | None:
    return told and told.model_copy(update={"text": redact(told.text)})


def redact_object(item: KubeObject) -> KubeObject:
    """One object of any kind, also one that nothing is known of, without secrets: text is masked wherever it stands,
    and whole where its field is named like a secret. Of a Secret, annotations keep only their names too."""
    raw = dict(_masked(_redact_object(item).raw))
    if item.kind == "Secret":
        metadata = dict(mapping_of(raw.get("metadata")))
        metadata["annotations"] = dict.fromkeys(mapping_of(metadata.get("annotations")), "")
        raw["metadata"] = metadata
    elif item.kind == "ConfigMap":
        told = mapping_of(raw.get("data"))
        raw["data"] = {key: MASK if value and _SECRET_NAME.search(key) else value for key, value in told.items()}
        raw.pop("binaryData", None)
    return KubeObject(raw=raw)


_SECRET_FIELD = re.compile(
    r"(passw(or)?d|secret|token|api_?key|access_?key|private_?key|credentials?|connection_?string)$", re.IGNORECASE
)


def _masked(value: Any, field: str = "") -> Any:
    if isinstance(value, Mapping):
        told = {key: _masked(inner, str(key)) for key, inner in value.items()}
        if isinstance(told.get("value"), str) and _SECRET_NAME.search(str(told.get("name") or "")):
            told["value"] = MASK  # a variable of a container, in a kind that nothing is known of
        return told
    if isinstance(value, list | tuple):
        return [_masked(inner, field) for inner in value]
    if not isinstance(value, str) or not value:
        return value
    return MASK if _SECRET_FIELD.search(field) else redact(value)


def _redact_object(item: KubeObject) -> KubeObject:
    raw = without_secret_data(item.raw)
    if item.kind == "ConfigMap":
        raw = {**raw, "data": {key: _bounded(value) for key, value in mapping_of(raw.get("data")).items()}}
    elif item.pod_spec:
        raw = _redact_containers(raw)
    return KubeObject(raw=raw, sketched=item.sketched)


def _bounded(value: Any) -> str:
    return redact(str(value)[:MAX_VALUE_CHARACTERS])


def _redact_containers(value: Json) -> Json:
    """The object with the environment and the command of its containers masked, wherever they stand in it."""
    changed: dict[str, Any] = {}
    for key in ("spec", "template", "jobTemplate"):
        if isinstance(value.get(key), dict):
            changed[key] = _redact_containers(value[key])
    for key in ("containers", "initContainers", "ephemeralContainers"):
        if isinstance(value.get(key), list):
            changed[key] = [_redact_container(container) for container in mappings_of(value[key])]
    return {**value, **changed}


def _redact_container(container: Json) -> Json:
    changed: dict[str, Any] = {}
    if container.get("env"):
        changed["env"] = [_redact_variable(row) for row in mappings_of(container["env"])]
    for key in ("command", "args"):
        if isinstance(container.get(key), list):
            changed[key] = [redact(str(word)) if len(str(word)) > 6 else str(word) for word in container[key]]
    return {**container, **changed} if changed else container


def _redact_variable(row: Json) -> Json:
    value = row.get("value")
    if not isinstance(value, str) or not value:
        return row
    return {**row, "value": MASK if _SECRET_NAME.search(str(row.get("name"))) else _redact_value(value)}


@lru_cache(maxsize=2048)
def _redact_value(value: str) -> str:
    """The pods of one workload all have the same variables."""
    return redact(value)
