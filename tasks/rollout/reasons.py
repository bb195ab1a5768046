"""Why the pods of a workload are not ready, as the first of them that says so puts it."""

from collections.abc import Iterable

from tasks.domain.cluster import Json, KubeObject, dig, mapping_of, mappings_of, selects

_BEGINNING = frozenset(["ContainerCreating", "PodInitializing"])
_MAX_MESSAGE = 200


def why_not_ready(workload: KubeObject, pods: Iterable[KubeObject]) -> str:
    """Such as `pod cart-7d: app waits, ImagePullBackOff: …`; empty where no pod says anything."""
    selector = mapping_of(dig(workload.spec, "selector", "matchLabels"))
    own = [pod for pod in pods if selector and selects(selector, pod.labels)]
    own.sort(key=lambda pod: str(dig(pod.raw, "metadata", "creationTimestamp")), reverse=True)
    return next((f"pod {pod.name}: {said}" for pod in own if (said := _said(pod))), "")


def _said(pod: KubeObject) -> str:
    scheduled = pod.condition("PodScheduled")
    if scheduled.get("status") == "False":
        return _short(str(scheduled.get("message") or "no node takes it"))
    rows = [row for kind in ("initContainerStatuses", "containerStatuses") for row in mappings_of(pod.status.get(kind))]
    return next((said for row in rows if (said := _of_container(row))), "")


def _of_container(row: Json) -> str:
    name, waiting = row.get("name"), mapping_of(dig(row, "state", "waiting"))
    ended = mapping_of(dig(row, "lastState", "terminated")) or mapping_of(dig(row, "state", "terminated"))
    if ended.get("exitCode"):
        return f"{name} ended with exit code {ended['exitCode']} ({ended.get('reason') or 'Error'})"
    if waiting.get("reason") and waiting["reason"] not in _BEGINNING:
        return _short(f"{name} waits, {waiting['reason']}: {waiting.get('message') or 'no more is said'}")
    if "running" in mapping_of(row.get("state")) and row.get("ready") is False:
        return f"{name} runs, and its readiness probe does not pass"
    return ""


def _short(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= _MAX_MESSAGE else f"{told[: _MAX_MESSAGE - 1]}…"
