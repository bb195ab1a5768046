"""Reads an accepted event again, whichever door it came through: what the dispatcher works on."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tasks.domain.comment import CommentCommand
from tasks.domain.incident import Delivery, HealNotice, Ignored, Resolved, Signal
from tasks.errors import BadInputError
from tasks.intake.alertmanager import parse_alertmanager
from tasks.intake.events import parse_event
from tasks.intake.github import parse_github
from tasks.intake.prefect import parse_prefect


def read_delivery(
    source: str, event_name: str, delivery_id: str, body: bytes, *, now: datetime, own_cluster: str = ""
) -> Delivery:
    """What the event tells; `source` is the door's name, `own_cluster` what alerts call our cluster.

    Raises:
        BadInputError: it cannot be read; the message repeats nothing of the body.
    """
    if source == "alertmanager":
        return parse_alertmanager(body, now=now, own_cluster=own_cluster)
    reader = _READERS.get(source)
    if reader is None:
        raise BadInputError(f"no door is called {source}", status_code=422)
    return reader(event_name, delivery_id, body, now)


def as_delivery(parsed: Signal | Resolved | HealNotice | CommentCommand | Ignored) -> Delivery:
    """One thing that was told, or none, as a delivery."""
    if isinstance(parsed, Ignored):
        return Delivery(delivery_id=parsed.delivery_id, remark=parsed.reason)
    if isinstance(parsed, Resolved):
        return Delivery(delivery_id=parsed.delivery_id, resolved=(parsed,))
    if isinstance(parsed, HealNotice):
        return Delivery(delivery_id=parsed.delivery_id, notices=(parsed,))
    if isinstance(parsed, CommentCommand):
        return Delivery(delivery_id=parsed.delivery_id, comments=(parsed,))
    return Delivery(delivery_id=parsed.delivery_id, signals=(parsed,))


def _github(event_name: str, delivery_id: str, body: bytes, now: datetime) -> Delivery:
    return as_delivery(parse_github(event_name, delivery_id, body, now=now))


def _prefect(_event_name: str, _delivery_id: str, body: bytes, now: datetime) -> Delivery:
    return as_delivery(parse_prefect(body, now=now))


def _events(_event_name: str, delivery_id: str, body: bytes, now: datetime) -> Delivery:
    return parse_event(body, now=now, delivery_id=delivery_id)


_READERS: Mapping[str, Callable[[str, str, bytes, datetime], Delivery]] = {
    "github": _github,
    "github_comment": _github,
    "prefect": _prefect,
    "events": _events,
}
