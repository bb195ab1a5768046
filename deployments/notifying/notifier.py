"""The notifier: tells people of every question that waits, over the first channel that works, until it has its end.

It works off the outbox in the ledger, one small step after another: what is about to be sent is written before, and
what was sent after, so that a process that dies in between leaves at most one card doubled and none lost. It runs
beside the dispatcher and never in a heal: a channel that is down delays nothing but its own cards.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from deployments.notifying.cards import read_card
from deployments.notifying.channel import Channel, Reference
from tasks.clients.ledger import Ledger, StoredCard
from tasks.domain.card import Card, CardState
from tasks.errors import HealflowError, PermanentError, TransientError
from tasks.settings import Settings

CARDS_A_TICK = 10
LOOK_EVERY = timedelta(seconds=2)
"""How soon a change is shown."""
LEASE = timedelta(seconds=60)
"""Longer than any channel waits for its other side; a card whose sender died is taken up again after that."""
GRACE = timedelta(seconds=15)
"""How long an automation of Prefect has to tell of a question before it is found without."""
MAX_ATTEMPTS = 4
"""How often one channel is tried for a new card before the next one is."""
LONGEST_WAIT = timedelta(minutes=2)
"""A channel that asks for more time than this has the next one tried instead."""
LONGEST_PAUSE = timedelta(minutes=5)

log = logging.getLogger("healflow.notifier")


class Guarded:
    """A channel whose own mistakes are permanent errors: one that breaks is passed over, and breaks nothing else."""

    def __init__(self, channel: Channel) -> None:
        self.name = channel.name
        self._channel = channel

    def send(self, card: Card) -> Reference:
        """As the channel does."""
        with self._guarded(card.incident_id):
            return self._channel.send(card)

    def update(self, reference: Reference, card: Card) -> None:
        """As the channel does."""
        with self._guarded(card.incident_id):
            self._channel.update(reference, card)

    def say(self, reference: Reference, text: str) -> None:
        """As the channel does."""
        with self._guarded(reference.message):
            self._channel.say(reference, text)

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            yield
        except HealflowError:
            raise
        except Exception as error:
            log.exception("%s: the channel %s broke", what, self.name)
            raise PermanentError(f"the channel {self.name} broke ({type(error).__name__})") from error


class Notifier:
    """One pass over all that is due is a tick."""

    def __init__(self, ledger: Ledger, channels: Sequence[Channel], settings: Settings) -> None:
        if not channels:
            raise PermanentError("no channel is set up; let HEALFLOW_APPROVALS__CHANNELS name 'log' at least")
        self._ledger, self._settings = ledger, settings
        self._channels = tuple(Guarded(channel) for channel in channels)

    def tick(self, now: datetime) -> None:
        """Send, renew and go on telling whatever is due; whatever fails is written down and tried again."""
        for request in self._ledger.cards.untold():
            if now - request.asked_at >= GRACE:
                self._ledger.cards.want(request.id, request.incident_id, at=now)
        for stored in self._ledger.cards.due(now, limit=CARDS_A_TICK):
            if self._ledger.cards.claim(stored, until=now + LEASE):
                self._look(stored, now)

    def _look(self, stored: StoredCard, now: datetime) -> None:
        try:
            card = read_card(self._ledger, stored.request_id, settings=self._settings, now=now)
        except PermanentError as error:
            self._save(stored, now, done=True, problem=str(error))
            return
        if stored.reference is not None:
            self._keep_up(stored, card, now)
        elif card.state.open:
            self._send(stored, card, now)
        else:
            self._save(stored, now, done=True, problem="answered before anybody was told")

    def _send(self, stored: StoredCard, card: Card, now: datetime) -> None:
        channel = self._channel(stored.channel) or self._channels[0]
        trying = stored.model_copy(update={"channel": channel.name, "attempts": stored.attempts + 1})
        self._ledger.cards.save(trying.model_copy(update={"next_at": now + LEASE}))
        try:
            reference = channel.send(card)
        except TransientError as error:
            self._send_later(trying, card, error, now)
        except PermanentError as error:
            self._send_elsewhere(trying, error, now)
        else:
            self._save(
                trying,
                now,
                channel=reference.channel,
                reference=reference.model_dump_json(),
                shown=_digest(card),
                state=card.state,
                said=len(card.progress),
                attempts=0,
                problem="",
            )
            log.info("%s: its card was sent over %s", stored.incident_id, reference.channel)

    def _send_later(self, stored: StoredCard, card: Card, error: TransientError, now: datetime) -> None:
        wait = _pause(stored.attempts, error)
        too_long = wait > LONGEST_WAIT or now + wait >= card.deadline
        if stored.attempts >= MAX_ATTEMPTS or (too_long and stored.channel != self._channels[-1].name):
            self._send_elsewhere(stored, error, now)
        else:
            self._save(stored, now, wait=wait, problem=str(error))

    def _send_elsewhere(self, stored: StoredCard, error: HealflowError, now: datetime) -> None:
        """The next channel at once; after the last one the first again, a while later."""
        names = [channel.name for channel in self._channels]
        index = names.index(stored.channel) + 1
        following = names[index % len(names)]
        wait = timedelta(0) if index < len(names) else LONGEST_WAIT
        log.warning("%s: no card over %s (%s); %s is next", stored.incident_id, stored.channel, error, following)
        self._save(stored, now, wait=wait, channel=following, attempts=0, problem=str(error))

    def _keep_up(self, stored: StoredCard, card: Card, now: datetime) -> None:
        """Show the card as it is now, and tell below it what happened since."""
        channel = self._channel(stored.channel)
        if channel is None:
            self._save(stored, now, done=True, state=card.state, problem=f"{stored.channel} is set up no more")
            return
        reference = Reference.model_validate_json(stored.reference or "")
        try:
            stored = self._show(channel, reference, stored, card, now)
            stored = self._tell(channel, reference, stored, card, now)
        except TransientError as error:
            failed = stored.attempts + 1
            self._save(stored, now, wait=_pause(failed, error), attempts=failed, problem=str(error))
        except PermanentError as error:
            self._lose(stored, card, error, now)
        else:
            self._save(stored, now, attempts=0, problem="", done=_is_finished(card))

    def _show(
        self, channel: Channel, reference: Reference, stored: StoredCard, card: Card, now: datetime
    ) -> StoredCard:
        digest = _digest(card)
        if digest == stored.shown:
            return stored
        channel.update(reference, card)
        if stored.state == CardState.SNOOZED and card.state is CardState.WAITING:
            channel.say(reference, f"It waits for an answer again, until {card.deadline:%Y-%m-%d %H:%M} UTC.")
        return self._save(stored, now, wait=LEASE, shown=digest, state=card.state)

    def _tell(
        self, channel: Channel, reference: Reference, stored: StoredCard, card: Card, now: datetime
    ) -> StoredCard:
        for entry in card.progress[stored.said :]:
            channel.say(reference, f"{entry.at:%H:%M:%S} {entry.what}")
            stored = self._save(stored, now, wait=LEASE, said=stored.said + 1)
        return stored

    def _lose(self, stored: StoredCard, card: Card, error: PermanentError, now: datetime) -> None:
        """The card is gone from its channel, or may not be touched: while it is asked, it is sent anew."""
        log.warning("%s: its card over %s cannot be renewed: %s", stored.incident_id, stored.channel, error)
        if card.state.open:
            lost = stored.model_copy(update={"reference": None, "shown": "", "state": "", "said": 0})
            self._send_elsewhere(lost, error, now)
        else:
            self._save(stored, now, done=True, state=card.state, problem=str(error))

    def _channel(self, name: str) -> Channel | None:
        return next((channel for channel in self._channels if channel.name == name), None)

    def _save(
        self, stored: StoredCard, now: datetime, *, wait: timedelta = LOOK_EVERY, **changes: object
    ) -> StoredCard:
        saved = stored.model_copy(update={"next_at": now + wait, **changes})
        self._ledger.cards.save(saved)
        return saved


def _digest(card: Card) -> str:
    """Of what the card itself shows; its progress is told below it."""
    return hashlib.sha256(card.model_dump_json(exclude={"progress"}).encode()).hexdigest()


def _pause(attempts: int, error: TransientError) -> timedelta:
    """What the other side asked for, else twice as long each time."""
    if error.retry_after_seconds is not None:
        return timedelta(seconds=max(1.0, min(error.retry_after_seconds, 86_400.0)))
    return min(timedelta(seconds=2**attempts), LONGEST_PAUSE)


def _is_finished(card: Card) -> bool:
    """Whether nothing more happens to it: a no is told until its incident has ended as well."""
    return card.state.ended and (bool(card.outcome) or card.state in (CardState.EDITED, CardState.VOID))
