"""Opens the incidents of a deploy that failed, so that the dispatcher hands them to the heal flow."""

from collections.abc import Sequence
from datetime import datetime

from flows.opening import Found, open_unless_known
from tasks.collect.redact import redact
from tasks.diagnose.deploys import class_of_refusal
from tasks.domain.cluster import ObjectRef
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import (
    ClusterTarget,
    DeployFailure,
    Incident,
    Severity,
    Signal,
    SignalKind,
    SignalSource,
)
from tasks.domain.rollout import ObjectRefusal, Rollout, Smoke
from tasks.settings import Settings

MAX_SAID, MAX_SAID_CHARACTERS = 10, 1_200


def open_refused(
    settings: Settings, refused: Sequence[ObjectRefusal], *, commit: str, now: datetime
) -> tuple[Incident, ...]:
    """One incident for all that the API server did not take; it is about the first of them.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    said = [f"{one.ref}: {one.message}" for one in refused]
    failure = _failure(class_of(refused), said)
    signal = _signal(refused[0].ref, failure, f"{refused[0].ref} was refused", commit=commit, now=now)
    return _open(settings, [signal], now=now)


def class_of(refused: Sequence[ObjectRefusal]) -> FailureClass:
    """What a refused release is an example of."""
    first = refused[0]
    return FailureClass.DEP_CONFLICT if first.conflict else class_of_refusal(first.message)


def open_failed_rollouts(
    settings: Settings, failed: Sequence[Rollout], *, commit: str, now: datetime
) -> tuple[Incident, ...]:
    """An incident for each workload that did not come out, with its revision and the commit.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    signals = []
    for one in failed:
        failure = _failure(FailureClass.DEP_ROLLOUT_TIMEOUT, [f"the rollout failed: {one.message}"])
        title = f"the rollout of {one.ref} failed: {one.message}"
        signals.append(_signal(one.ref, failure, title, commit=commit, now=now, revision=one.revision))
    return _open(settings, signals, now=now)


def open_failed_smoke(
    settings: Settings, smoke: Smoke, suspects: Sequence[Rollout], *, commit: str, now: datetime
) -> tuple[Incident, ...]:
    """The incident of a release that came out and does not answer, about the workload that is to blame before all
    others; none when the release has no workload at all.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    if not suspects:
        return ()
    first, *others = suspects
    said = [smoke.wrong, *(f"{one.ref} is at revision {one.revision} since this release, too" for one in others)]
    failure = _failure(FailureClass.DEP_SMOKE, said, smoke_url=smoke.url)
    title = f"the smoke test failed after the rollout of {first.ref}: {smoke.wrong}"
    return _open(
        settings, [_signal(first.ref, failure, title, commit=commit, now=now, revision=first.revision)], now=now
    )


def _failure(failure_class: FailureClass, said: Sequence[str], *, smoke_url: str = "") -> DeployFailure:
    lines = tuple(" ".join(redact(text).split())[:MAX_SAID_CHARACTERS] for text in said[:MAX_SAID])
    return DeployFailure(failure_class=failure_class, said=lines, smoke_url=smoke_url)


def _signal(
    ref: ObjectRef, failure: DeployFailure, title: str, *, commit: str, now: datetime, revision: int | None = None
) -> Signal:
    return Signal(
        source=SignalSource.CLUSTER,
        kind=SignalKind.ROLLOUT,
        delivery_id=f"deploy-{ref}-{revision or 0}-{now:%Y%m%dT%H%M%S%f}",
        repository="local/cluster",
        branch="",
        commit=commit,
        title=redact(title)[:200],
        cluster=ClusterTarget(
            namespace=ref.namespace, kind=ref.kind, name=ref.name, revision="" if revision is None else str(revision)
        ),
        deploy=failure,
        severity=Severity.HIGH,
        occurred_at=now,
    )


def _open(settings: Settings, signals: Sequence[Signal], *, now: datetime) -> tuple[Incident, ...]:
    """What failed in the same way and is being healed already keeps its incident."""
    return open_unless_known(settings, [Found(signal=one) for one in signals], same=_failed_in, now=now)


def _failed_in(signal: Signal) -> tuple[object, ...]:
    return (signal.cluster, signal.commit, signal.deploy and (signal.deploy.failure_class, signal.deploy.said))
