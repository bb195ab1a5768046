"""One heal for one cause: what turns out to be about the cause of another incident in flight joins that one.

The names of two objects need not tell that they fail by one thing; the triage of each does.
"""

from datetime import UTC, datetime

from prefect.logging import get_run_logger

from tasks.clients.ledger import Ledger
from tasks.domain.grouping import GroupedBy, GroupKey
from tasks.domain.incident import SignalSource
from tasks.domain.outcome import Outcome
from tasks.domain.story import Triage
from tasks.intake import cause_keys, group_keys
from tasks.remember.record import joined_outcome
from tasks.settings import IntakeSettings, Settings

_TOLD_FROM_OUTSIDE = (SignalSource.ALERTMANAGER, SignalSource.EVENTS)
"""What was found here, by a deploy or by somebody who looked, knows its cause itself and joins nothing."""


def join_same_cause(story: Triage) -> Outcome | None:
    """End the incident into another one in flight that is about the same; `None` when there is none, and from then on
    it is the one that others find.

    Raises:
        TransientError: the ledger does not answer.
    """
    settings = Settings()
    shared, about = keys_of(story, settings.intake)
    incident, now = story.incident, datetime.now(UTC)
    if not about and not shared:
        return None
    ledger = Ledger.shared(settings.ledger_url)
    home = ledger.joining.settle(
        incident.id,
        shared=shared,
        about=about,
        end=lambda home_id: joined_outcome(incident, story.diagnosis, home_id, now=now),
        repository=incident.signal.repository,
        environment=incident.environment,
        at=now,
    )
    if home is None:
        return None
    get_run_logger().info("Joined %s, which is about the same cause", home)
    return ledger.memory.outcome_of(incident.id)


def keys_of(story: Triage, intake: IntakeSettings) -> tuple[tuple[GroupKey, ...], tuple[GroupKey, ...]]:
    """By what it can find the one that it belongs to, and under what it is found itself.

    That is what has to change. Where nothing was found that has to, it is what it names itself, which may be what
    suffers from something else.
    """
    signal = story.incident.signal
    if story.cluster is None or not intake.group_window_seconds or GroupedBy.CAUSE not in intake.group_by:
        return (), ()
    joins = signal.source in _TOLD_FROM_OUTSIDE and signal.deploy is None
    cause = story.cluster.cause
    if cause is None:
        named = group_keys(signal, by=set(intake.group_by) & {GroupedBy.TARGET})
        return (named if joins else ()), ()
    about = cause_keys(signal, cause.target, cause.victims, by=intake.group_by)
    return (about[:1] if joins else ()), about
