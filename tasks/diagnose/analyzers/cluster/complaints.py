"""What whole logs tell of programs that run: errors that are rare among thousands of lines, that came in a burst or go on,
and work that became slower, memory that only grows. Over and done with is worth knowing; what goes on, or whose end nobody saw, is a cause.
"""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.answering import host_in, was_refused
from tasks.diagnose.analyzers.cluster.calling import find_service
from tasks.diagnose.analyzers.cluster.crashes import crashes
from tasks.diagnose.analyzers.cluster.reading import is_healthy, one_line, states_of
from tasks.diagnose.analyzers.cluster.saying import rule_of
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.log_digest import Complaint, ContainerLog, Growth, Pace, message_of

MAX_OF_A_LOG = 4
MIN_LINES = 30
"""A log that is shorter is read as a whole by others."""
_ONGOING_LINES = 15
"""A log that went on for longer than this, and for three times what lay between its complaints, has recovered."""
_GRAVE_SHARE = 0.05
"""The share of complaints from which on a program that is ready is called in trouble."""
_SLOWER, _SLOW_MS = 4.0, 500.0
"""Answers that take so many times as long as before, and at least so long, have become slow."""

_GROWN, _LARGE_MIB = 2.0, 64.0
"""Memory that is so many times what it was, and at least so much, has grown."""


def find_past_complaints(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Clues for the kinds of complaints in the log of each container that does not crash, the most frequent first."""
    for log in snapshot.logs:
        pod = snapshot.find("Pod", log.namespace, log.pod)
        if log.previous or (pod is not None and any(crashes(state, pod) for state in states_of(pod))):
            continue  # the crash analyzer listens to it
        count = log.line_count or len(log.lines)
        if count < MIN_LINES:
            continue
        target = _target(snapshot, log, pod)
        chosen = sorted(log.complaints, key=lambda row: -row.count)[:MAX_OF_A_LOG]
        for complaint in chosen:
            yield _complains(snapshot, log, pod, target, complaint)
        if log.pace is not None and _is_slower(log.pace):
            yield _slower(log, target, log.pace)
        if log.growth is not None and _leaks(log.growth):
            yield _grows(log, pod, target, log.growth)


def _target(snapshot: ClusterSnapshot, log: ContainerLog, pod: KubeObject | None) -> ObjectRef:
    if pod is not None:
        return snapshot.workload_of(pod)
    maker = next((item for item in snapshot.templates() if _bears(item, log)), None)
    return maker.ref if maker is not None else ObjectRef(kind="Pod", namespace=log.namespace, name=log.pod)


def _bears(item: KubeObject, log: ContainerLog) -> bool:
    return item.namespace == log.namespace and (log.pod == item.name or log.pod.startswith(f"{item.name}-"))


def _complains(
    snapshot: ClusterSnapshot, log: ContainerLog, pod: KubeObject | None, target: ObjectRef, complaint: Complaint
) -> Clue:
    said, rule = message_of(complaint.text), rule_of(message_of(complaint.text))
    known = rule is not None and rule.name != "exception"
    failure_class = rule.failure_class if rule is not None and known else F.K8S_CRASH_APP
    count = log.line_count or len(log.lines)
    times = "once" if complaint.count == 1 else f"{complaint.count} times"
    goes_on = _goes_on(log, complaint)
    state = "and goes on" if goes_on else "and went on well after it"
    cause = f"{target}: its log complains {times} in {count} lines{_when(complaint)}, {state}: {one_line(said)[:240]}."
    place = {"first": complaint.line_number, "last": complaint.last_line_number}
    return Clue(
        failure_class=failure_class,
        rule=f"cluster-complaint-{rule.name if rule is not None else 'other'}",
        cause=cause,
        target=target,
        victims=(ObjectRef(kind="Pod", namespace=log.namespace, name=log.pod),),
        quotes=(Quote(source=log.source, text=one_line(complaint.text), line_number=place["first"]),),
        confidence=round(0.35 + min(0.2, 4 * complaint.count / count) + (0.02 if known else 0.0), 3),
        rank=65,
        hint=not (_matters(log, pod, goes_on=goes_on) or (goes_on and _is_turned_away(snapshot, log, complaint))),
        host=host_in(said) if failure_class in (F.K8S_CRASH_DEP, F.K8S_DNS) else "",
    )


def _when(complaint: Complaint) -> str:
    if not complaint.since:
        return ""
    if complaint.since == complaint.until or not complaint.until:
        return f" at {complaint.since}"
    return f" between {complaint.since} and {complaint.until}"


def _goes_on(log: ContainerLog, complaint: Complaint) -> bool:
    """Whether the log ends within what lay between complaints before; of one alone, whether it stands at the end."""
    after = (log.line_count or len(log.lines)) - complaint.last_line_number
    gap = (complaint.last_line_number - complaint.line_number) / max(1, complaint.count - 1)
    return after <= max(_ONGOING_LINES, 3 * gap)


def _matters(log: ContainerLog, pod: KubeObject | None, *, goes_on: bool) -> bool:
    """Of a pod whose state nobody read, the log is all that there is to tell what is wrong."""
    if pod is None or not pod.status:
        return True
    if not is_healthy(pod):
        return goes_on
    share = sum(row.count for row in log.complaints) / max(1, log.line_count or len(log.lines))
    return goes_on and share >= _GRAVE_SHARE and sum(row.count for row in log.complaints) > 2


def _is_turned_away(snapshot: ClusterSnapshot, log: ContainerLog, complaint: Complaint) -> bool:
    """Whether a service of this cluster refuses it again and again, however seldom it is asked."""
    host = host_in(complaint.text) if complaint.count > 2 and was_refused(complaint.text) else ""
    return bool(host) and find_service(snapshot, host, log.namespace) is not None


def _leaks(growth: Growth) -> bool:
    return growth.after_mib >= _LARGE_MIB and growth.after_mib >= _GROWN * max(1.0, growth.before_mib)


def _grows(log: ContainerLog, pod: KubeObject | None, target: ObjectRef, growth: Growth) -> Clue:
    """What fills up at its start grows too, so that of a pod which is well it is worth knowing only."""
    sizes = f"from {growth.before_mib:.0f} MiB to {growth.after_mib:.0f} MiB"
    return Clue(
        failure_class=F.K8S_OOM,
        rule="cluster-grows",
        cause=f"{target}: its memory grew {sizes} over its log and did not fall: it may leak.",
        target=target,
        victims=(ObjectRef(kind="Pod", namespace=log.namespace, name=log.pod),),
        quotes=(Quote(source=log.source, text=one_line(growth.text), line_number=growth.line_number),),
        confidence=0.58,
        rank=63,
        hint=pod is not None and bool(pod.status) and is_healthy(pod),
    )


def _is_slower(pace: Pace) -> bool:
    return pace.after_ms >= _SLOW_MS and pace.after_ms >= _SLOWER * max(1.0, pace.before_ms)


def _slower(log: ContainerLog, target: ObjectRef, pace: Pace) -> Clue:
    cause = f"{target}: its response time grew from {pace.before_ms:.0f} ms to {pace.after_ms:.0f} ms over its log."
    return Clue(
        failure_class=F.K8S_SLOW,
        rule="cluster-slower",
        cause=cause,
        target=target,
        victims=(ObjectRef(kind="Pod", namespace=log.namespace, name=log.pod),),
        quotes=(Quote(source=log.source, text=one_line(pace.text), line_number=pace.line_number),),
        confidence=0.6,
        rank=62,
    )
