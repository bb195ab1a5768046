"""What running programs and other tools say: errors that make up a log's end, and a cluster of its own that is split."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.crashes import crashes
from tasks.diagnose.analyzers.cluster.reading import is_healthy, states_of
from tasks.diagnose.analyzers.cluster.saying import RULES, Said, is_loud, listen
from tasks.domain.cluster import CapturedText, ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.log_digest import ContainerLog

_GRAVE = 0.2
"""The share of a log's end that must complain before a program that runs well is called in trouble."""
_TAIL = 60
_HOST = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)\.[a-z0-9-]+\.(?P<namespace>[a-z0-9-]+)\.svc")
_AWAY = re.compile(r"unreachable|not[_ ]running|\bdown\b|partition", re.I)


def find_complaints(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each pod that runs and complains all the time, or whose state was not read."""
    for (namespace, name), logs in _by_pod(snapshot).items():
        pod = snapshot.find("Pod", namespace, name)
        if pod is not None and not pod.sketched and any(crashes(state, pod) for state in states_of(pod)):
            continue  # the crash analyzer listens to it
        said = listen([_ending(log) for log in logs if not log.previous])
        if said is not None and _counts(said, logs, pod):
            yield _clue(
                snapshot,
                pod or KubeObject(raw={"kind": "Pod", "metadata": {"namespace": namespace, "name": name}}),
                said,
            )
    for text in snapshot.texts:
        yield from _partition(snapshot, text)


def _by_pod(snapshot: ClusterSnapshot) -> dict[tuple[str, str], list[ContainerLog]]:
    found: dict[tuple[str, str], list[ContainerLog]] = {}
    for log in snapshot.logs:
        found.setdefault((log.namespace, log.pod), []).append(log)
    return found


def _ending(log: ContainerLog) -> ContainerLog:
    kept = log.lines[-_TAIL:]
    return log.model_copy(
        update={"lines": kept, "first_line_number": log.first_line_number + len(log.lines) - len(kept)}
    )


def _counts(said: Said, logs: list[ContainerLog], pod: KubeObject | None) -> bool:
    if said.rank >= RULES[-1].rank:
        return False  # that errors are logged says nothing about what is wrong
    troubled = pod is not None and pod.status.get("phase") in ("Failed", "Pending")
    if pod is not None and _is_unready(pod) and said.recent and said.repeated > 1:
        return True  # it is not ready, and says why
    return troubled or (
        said.recent
        and said.share >= _GRAVE
        and (said.repeated >= 3 or any(is_loud(quote.text) for quote in said.quotes))
        and bool(logs)
    )


def _is_unready(pod: KubeObject) -> bool:
    return pod.status.get("phase") == "Running" and not is_healthy(pod)


def _clue(snapshot: ClusterSnapshot, pod: KubeObject, said: Said) -> Clue:
    target = snapshot.workload_of(pod)
    if target == pod.ref:
        target = _maker(snapshot, pod) or target
    return Clue(
        failure_class=said.failure_class,
        rule=f"cluster-log-{said.rule}",
        cause=f"{target}: its log says over and over that {said.cause}.",
        target=target,
        victims=(pod.ref,),
        quotes=said.quotes,
        confidence=round(said.confidence * (0.9 if _is_unready(pod) else 0.75), 2),
        rank=38 if _is_unready(pod) else max(40, said.rank),
        host=said.host,
    )


def _maker(snapshot: ClusterSnapshot, pod: KubeObject) -> ObjectRef | None:
    """The workload that said that it made this pod, or whose name it bears, where no owner was read."""
    for event in snapshot.events:
        if event.reason == "SuccessfulCreate" and event.message.rstrip().endswith(pod.name):
            return event.about
    for kind in ("Job", "Deployment", "StatefulSet", "DaemonSet"):
        for item in snapshot.of_kind(kind, pod.namespace):
            if pod.name == item.name or pod.name.startswith(item.name + "-"):
                return item.ref
    return None


def _partition(_snapshot: ClusterSnapshot, text: CapturedText) -> Iterator[Clue]:
    log = ContainerLog(namespace="", pod="", container="", lines=tuple(text.text.splitlines()[-2000:]))
    said = listen([log])
    if said is None or said.rule != "partition":
        return
    lines = log.lines
    away = [index for index, line in enumerate(lines) if _AWAY.search(line)]
    places = [found for index in away for line in lines[index : index + 4] if (found := _HOST.search(line))]
    places = places or [found for line in lines if (found := _HOST.search(line))]
    lost = [
        found
        for index in away
        if "unreachable" in lines[index]
        for line in lines[index + 1 : index + 4]
        if (found := _HOST.search(line))
    ]
    chosen = (lost or places)[0] if places else None
    target = (
        ObjectRef(kind="Pod", namespace=chosen["namespace"], name=chosen["name"])
        if chosen
        else ObjectRef(kind="Cluster", name=text.source)
    )
    quotes = tuple(quote.model_copy(update={"source": f"text:{text.source}"}) for quote in said.quotes)
    yield Clue(
        failure_class=F.K8S_CRASH_DEP,
        rule="cluster-partition",
        cause=f"{target} is cut off from the other nodes of its cluster: there is a network partition between them.",
        target=target,
        quotes=quotes,
        confidence=0.85,
        rank=20,
    )
