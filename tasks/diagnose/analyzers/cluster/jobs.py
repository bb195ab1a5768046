"""Jobs that gave up or ran out of time, and cron jobs that never start one."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    event_quote,
    events_saying,
    int_of,
    one_line,
    spec_quote,
    status_quote,
)
from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.cluster_cause import SYMPTOM, Clue
from tasks.domain.failure_class import FailureClass as F

_FIELD = re.compile(
    r"^(?:\*|\?|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/\d+)?(?:,(?:\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/\d+)?)*$"
)
LONG_SECONDS = 3600
"""A run that holds up others for longer than this is told as a fault."""
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PLAIN = re.compile(r"^\d+(?:,\d+)*$")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MACRO = re.compile(r"^@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$")


def find_job_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each job that failed; why its pods fail is another's to say."""
    for job in snapshot.of_kind("Job"):
        yield from _job(snapshot, job)
    for job in snapshot.of_kind("CronJob"):
        yield from _cron_job(snapshot, job)


def _job(snapshot: ClusterSnapshot, job: KubeObject) -> Iterator[Clue]:
    failed = job.condition("Failed")
    target = snapshot.workload_of(job)
    events = events_saying(snapshot, job.ref, r"BackoffLimitExceeded|DeadlineExceeded|PodFailurePolicy")
    gone = int_of(job.status.get("failed")) > 0 and not job.status.get("active") and not job.status.get("succeeded")
    if failed.get("status") == "True" or (events and not job.status.get("succeeded")) or gone:
        reason = str(failed.get("reason") or (events[-1].reason if events else "Failed"))
        words = (
            "it ran longer than it may"
            if reason == "DeadlineExceeded"
            else "its pods failed as often as they may (backoff limit)"
        )
        quote = (
            event_quote(events[-1]) if events else status_quote(job, f"Failed: {reason} {failed.get('message') or ''}")
        )
        deadline = reason == "DeadlineExceeded"
        yield Clue(
            failure_class=F.K8S_JOB,
            rule="cluster-job",
            cause=f"{target}: the job has failed: {words} ({reason}).",
            target=target,
            victims=(job.ref,),
            quotes=(quote,),
            confidence=0.9 if deadline else 0.7,
            rank=35 if deadline else SYMPTOM,
        )
    if job.spec.get("suspend") is True:
        yield _hint(job, "is suspended")


def _cron_job(snapshot: ClusterSnapshot, job: KubeObject) -> Iterator[Clue]:
    schedule = str(job.spec.get("schedule") or "")
    why = schedule_fault(schedule) if "schedule" in job.spec else ""
    if why:
        yield Clue(
            failure_class=F.K8S_JOB,
            rule="cluster-schedule",
            cause=f"{job.ref} never starts: its schedule {schedule!r} is not valid ({why}).",
            target=job.ref,
            quotes=(spec_quote(job, f"schedule: {schedule}"),),
            confidence=0.95,
            rank=20,
        )
    if int_of(job.spec.get("startingDeadlineSeconds")) < 0:
        yield Clue(
            failure_class=F.K8S_JOB,
            rule="cluster-deadline",
            cause=f"{job.ref} never starts: its starting deadline is negative.",
            target=job.ref,
            quotes=(spec_quote(job, f"startingDeadlineSeconds: {job.spec.get('startingDeadlineSeconds')}"),),
            confidence=0.95,
            rank=20,
        )
    if job.spec.get("suspend") is True:
        yield _hint(job, "is suspended")
    yield from _held_up(snapshot, job)
    events = events_saying(
        snapshot,
        job.ref,
        r"^(?:FailedNeedsStart|TooManyMissedTimes|InvalidSchedule|UnparseableSchedule|UnknownTimeZone|FailedCreate)",
    )
    if events and not why:
        yield Clue(
            failure_class=F.K8S_JOB,
            rule="cluster-cron",
            cause=f"{job.ref} starts no job: {one_line(events[-1].message)[:200]}.",
            target=job.ref,
            quotes=(event_quote(events[-1]),),
            confidence=0.85,
            rank=25,
        )


def _held_up(snapshot: ClusterSnapshot, job: KubeObject) -> Iterator[Clue]:
    """A cron job that may not run twice at a time waits for a run that does not end."""
    told = events_saying(snapshot, job.ref, r"^JobAlreadyActive")
    active = [item for item in snapshot.children_of(job.ref) if int_of(item.status.get("active"))]
    if not told or not active:
        return
    age = snapshot.seconds_since(active[0].status.get("startTime"))
    yield Clue(
        failure_class=F.K8S_JOB,
        rule="cluster-cron-held",
        cause=f"{job.ref} starts no job: {active[0].ref} has been running since {active[0].status.get('startTime')}.",
        target=job.ref,
        victims=(active[0].ref,),
        quotes=(event_quote(told[-1]), status_quote(active[0], f"startTime: {active[0].status.get('startTime')}")),
        confidence=0.65,
        rank=45,
        hint=age is not None and age < LONG_SECONDS,
    )


def _hint(job: KubeObject, why: str) -> Clue:
    return Clue(
        failure_class=F.K8S_JOB,
        rule="cluster-suspended",
        cause=f"{job.ref} {why}.",
        target=job.ref,
        quotes=(spec_quote(job, "suspend: true"),),
        confidence=0.6,
        hint=True,
    )


def schedule_fault(schedule: str) -> str:
    """Why a cron schedule is not valid, empty when it is; five fields, or a macro such as `@daily`."""
    schedule = re.sub(r"^(?:CRON_)?TZ=\S+\s+", "", schedule.strip())
    if _MACRO.match(schedule):
        return ""
    fields = schedule.split()
    if len(fields) != 5:
        return f"it has {len(fields)} fields, not 5"
    for field, (least, most) in zip(fields, _RANGES, strict=True):
        if not _FIELD.match(field):
            return f"{field!r} is no field of a schedule"
        numbers = [int(number) for number in re.findall(r"(?<![/\d])\d+", field)]
        if any(not least <= number <= most for number in numbers):
            return f"{field!r} is not between {least} and {most}"
    return _never(*fields[2:])


def _never(day: str, month: str, weekday: str) -> str:
    """Why a day of a month never comes; a weekday beside it would make it come."""
    if weekday != "*" or not _PLAIN.match(day) or not _PLAIN.match(month):
        return ""
    days = [int(number) for number in day.split(",")]
    longest = max(_LONGEST[int(number) - 1] for number in month.split(","))
    return f"month {month} has no day {day}" if min(days) > longest else ""
