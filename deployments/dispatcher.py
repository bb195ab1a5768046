"""The dispatcher: hands accepted events to Prefect, wakes answered runs, enforces deadlines, restarts lost heals.

It works off the ledger alone, one small step after another, so that it may be killed at any moment: what was not done
is found again at the next tick.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from deployments.pace import Pace
from flows.placing import place_signal
from flows.resolving import place_end
from tasks.approve import expire
from tasks.clients.ledger import EventStatus, Ledger, StoredApproval, StoredEvent, StoredIncident
from tasks.domain.approval import Answer
from tasks.domain.incident import (
    Delivery,
    HealNotice,
    Incident,
    IncidentStatus,
    Resolved,
    Signal,
    SignalKind,
    SignalSource,
)
from tasks.errors import BadInputError, PermanentError, TransientError
from tasks.intake import read_delivery
from tasks.remember.ending import end_incident
from tasks.remember.record import unhealed_outcome
from tasks.remember.story import read_story
from tasks.settings import IntakeSettings

RELEASE_GRACE = timedelta(hours=2)
"""A deploy outside of Prefect that has not ended this long after its question expired has died."""
SWEEP_EVERY = timedelta(seconds=5)
"""How often the runs of incidents in flight are looked at."""
LOOKED_AT_ONCE = 25
"""How many of them each time, in turn: each costs a call of the Prefect server."""
PLACED_AT_ONCE = 200
"""Of what one event tells: one notification may hold thousands of alerts, and deadlines and answers wait meanwhile."""

log = logging.getLogger("healflow.dispatcher")


class RunState(StrEnum):
    """What the dispatcher needs to know of a flow run."""

    QUEUED = "queued"
    """It waits for a worker."""
    ALIVE = "alive"
    """The server takes it for running; only signs of life tell whether it does."""
    WAITING = "waiting"
    LOST = "lost"
    """Crashed, failed, cancelled or missing: nothing of it goes on by itself."""
    COMPLETED = "completed"


_OVER = (RunState.LOST, RunState.COMPLETED)


class FlowRuns(Protocol):
    """The heal flow's runs on a Prefect server. Every method raises TransientError when the server is away."""

    def create(self, incident_id: str, *, idempotency_key: str) -> str:
        """Start a run, or find the one with that key; returns its id."""
        ...

    def state(self, run_id: str) -> RunState:
        """What has become of a run."""
        ...

    def give_up(self, run_id: str, reason: str) -> None:
        """Let the server take a run for crashed, so that nothing of it goes on."""
        ...

    def resume(self, run_id: str, *, answer: str, approver: str, reason: str) -> bool:
        """Wake a waiting run with a filled form; false when it does not wait (yet, or any more)."""
        ...


@dataclass(frozen=True)
class Bounds:
    """When a run counts as lost, and when a person takes over."""

    silence_seconds: float = 90
    """Without a sign of life."""
    patience: timedelta = timedelta(hours=6)
    """How long what is away may delay a heal."""
    max_runs: int = 3
    """How many runs of one heal may be lost."""


@dataclass
class _Begun:
    """An event that tells of so much that it is placed over several ticks; after a crash it begins anew."""

    told: Delivery
    done: int = 0
    concerned: dict[str, None] = field(default_factory=dict)
    """The incidents that its failures went to, in their order."""


class Dispatcher:
    """One pass over all that is open is a tick."""

    def __init__(
        self,
        ledger: Ledger,
        runs: FlowRuns,
        *,
        intake: IntakeSettings | None = None,
        bounds: Bounds | None = None,
        own_cluster: str = "",
        tell_delay: Callable[[float], None] = lambda _seconds: None,
        tell_waiting: Callable[[bool], None] = lambda _waits: None,
    ) -> None:
        """`own_cluster` is what alerts call the cluster that is healed here, empty for whatever they call it.
        `tell_delay` is told how long each event had waited, in seconds, and `tell_waiting` after each tick whether it
        waits for what does not answer.
        """
        self._ledger, self._runs, self._intake = ledger, runs, intake or IntakeSettings()
        self._bounds = bounds or Bounds()
        self._events, self._heals = Pace(self._intake.events_per_second), Pace(self._intake.heals_per_minute / 60)
        self._tell_delay, self._tell_waiting = tell_delay, tell_waiting
        self._swept_to, self._own_cluster = "", own_cluster
        self._swept_at: datetime | None = None
        self._begun: dict[str, _Begun] = {}
        self._away = False

    def tick(self, now: datetime) -> None:
        """Do what can be done now; a Prefect server that is away only delays."""
        try:
            self._expire(now)  # first, for it needs the ledger alone
            self._hand_on(now)
            self._start_waiting(now)
            for approval in self._ledger.approvals.to_resume():
                self._wake(approval)
            if self._swept_at is None or abs(now - self._swept_at) >= SWEEP_EVERY:
                self._sweep(now)
                self._swept_at = now
        except TransientError as error:
            if not self._away:
                log.warning("Waiting: %s. Nothing is lost; it goes on by itself.", error)
            self._away = True
        else:
            if self._away:
                log.info("Going on: everything answers again.")
            self._away = False
        self._tell_waiting(self._away)

    def _hand_on(self, now: datetime) -> None:
        """The events that waited longest; one that is refused keeps none of the others."""
        allowed = self._events.allowed(now)
        for event in self._ledger.events.pending(limit=allowed) if allowed else ():
            try:
                self._dispatch(event, now)
            except PermanentError as error:
                log.exception("%s cannot be handed on", event.delivery_id)
                self._begun.pop(event.delivery_id, None)
                self._ledger.events.settle(event.delivery_id, EventStatus.REFUSED, note=str(error)[:500])
            self._events.spend()
            if event.delivery_id in self._begun:
                break  # what came later may tell of the end of what is not placed yet
            self._tell_delay((now - event.received_at).total_seconds())

    def _start_waiting(self, now: datetime) -> None:
        """The incidents that waited longest for their run."""
        allowed = self._heals.allowed(now)
        for stored in self._ledger.incidents.unstarted(limit=allowed) if allowed else ():
            self._start(stored)

    def _dispatch(self, event: StoredEvent, now: datetime) -> None:
        if event.delivery_id in self._begun:
            self._place(event, self._begun[event.delivery_id])
            return
        try:
            told = read_delivery(
                event.source, event.event_name, event.delivery_id, event.body, now=now, own_cluster=self._own_cluster
            )
        except BadInputError as error:
            self._ledger.events.settle(event.delivery_id, EventStatus.REFUSED, note=str(error))
            return
        if told.notices:
            self._look_at(told.notices[0], now)
            return
        if told.signals and told.signals[0].source is SignalSource.PREFECT and self._is_told(told.signals[0]):
            return
        self._begun[event.delivery_id] = _Begun(told)
        self._place(event, self._begun[event.delivery_id])

    def _place(self, event: StoredEvent, begun: _Begun) -> None:
        """The next of what an event tells; with the last of it the event is settled."""
        told, arrived = begun.told, event.received_at
        everything: tuple[Signal | Resolved, ...] = (*told.signals, *told.resolved)
        for one in everything[begun.done : begun.done + PLACED_AT_ONCE]:
            if isinstance(one, Signal):
                placed = place_signal(self._ledger, one, settings=self._intake, now=arrived)
                begun.concerned[placed.incident_id] = None
            else:
                place_end(self._ledger, one, now=arrived)
            begun.done += 1
        if begun.done < len(everything):
            return
        concerned = tuple(begun.concerned)
        status = EventStatus.DISPATCHED if everything else EventStatus.IGNORED
        first = concerned[0] if concerned else None
        self._ledger.events.settle(event.delivery_id, status, incident_id=first, note=told.remark)
        del self._begun[event.delivery_id]
        log.info("%s: %s", event.delivery_id, _summary(told, concerned))

    def _is_told(self, signal: Signal) -> bool:
        """Whether the run that failed opened its incident itself, as a deploy does, which knows more than its log."""
        run_id = signal.run.run_id if signal.run is not None else ""
        incident_id = self._ledger.events.told_by_run(run_id)
        if incident_id is None:
            return False
        note = "the run had told its failure itself"
        self._ledger.events.settle(signal.delivery_id, EventStatus.DISPATCHED, incident_id=incident_id, note=note)
        self._ledger.events.forget_run(run_id)
        return True

    def _look_at(self, notice: HealNotice, now: datetime) -> None:
        """A heal run waits or ended: see to it now, and not at the next round."""
        stored = self._ledger.incidents.of_run(notice.flow_run_id)
        if stored is None or stored.incident.status.ended:
            what = "no incident has this run" if stored is None else "the incident has ended"
            self._ledger.events.settle(notice.delivery_id, EventStatus.IGNORED, note=what)
            return
        if notice.waits:
            for question in self._ledger.approvals.of_incident(stored.incident.id):
                if question.answer is None:
                    self._ledger.cards.want(question.request.id, stored.incident.id, at=now)
        else:
            self._expire(now)
            self._look_after(stored, now)
        note = "waits for a person" if notice.waits else "its run ended from outside"
        self._ledger.events.settle(
            notice.delivery_id, EventStatus.DISPATCHED, incident_id=stored.incident.id, note=note
        )

    def _start(self, stored: StoredIncident) -> None:
        incident_id = stored.incident.id
        run_id = self._runs.create(incident_id, idempotency_key=f"{incident_id}:{stored.dispatches + 1}")
        self._ledger.incidents.set_flow_run(incident_id, run_id)
        self._heals.spend()

    def _expire(self, now: datetime) -> None:
        for waiting in self._ledger.approvals.unanswered():
            request = waiting.request
            if now > request.deadline:
                expire(self._ledger, request, now=now)
                log.info("%s: nobody answered in time; silence is no", request.incident_id)

    def _wake(self, stored: StoredApproval) -> None:
        """Tell the waiting run; it reads the answer that counts from the ledger.

        What the wake brings along is a no: should the run wait for another question by now, it is no yes to that one.
        Nobody waits for an older question than the newest.
        """
        if stored.answer is None:
            return
        if self._ledger.approvals.asked_after(stored.request) is not None:
            self._ledger.approvals.mark_resumed(stored.request.id)
            return
        incident = self._ledger.incidents.get(stored.request.incident_id)
        if incident.incident.status is not IncidentStatus.RESOLVED and incident.incident.status.ended:
            self._ledger.approvals.mark_resumed(stored.request.id)
            return
        if incident.flow_run_id is None:
            return
        woken = self._runs.resume(
            incident.flow_run_id,
            answer=str(Answer.REJECT),
            approver="Healflow",
            reason=f"the answer to {stored.request.id} stands in the ledger",
        )
        if woken:
            self._ledger.leases.forget(incident.flow_run_id)
        # A run whose incident went away by itself is woken only to end; it may not have come to wait at all.
        over = incident.incident.status.ended and self._runs.state(incident.flow_run_id) in _OVER
        if woken or over:
            self._ledger.approvals.mark_resumed(stored.request.id)

    def _sweep(self, now: datetime) -> None:
        some = self._ledger.incidents.in_runs(after=self._swept_to, limit=LOOKED_AT_ONCE)
        for stored in (*some, *self._ledger.incidents.held_releases()):
            self._look_after(stored, now)
        self._swept_to = some[-1].incident.id if len(some) == LOOKED_AT_ONCE else ""

    def _look_after(self, stored: StoredIncident, now: datetime) -> None:
        if stored.incident.signal.kind is SignalKind.RELEASE:
            self._look_after_release(stored, now)
        elif stored.flow_run_id is not None and self._is_over(stored.flow_run_id, now):
            # The run may have ended the incident between the two reads.
            again = self._ledger.incidents.get(stored.incident.id)
            if not again.incident.status.ended:
                self._restart(again, now)

    def _is_over(self, run_id: str, now: datetime) -> bool:
        """Whether nothing of a run goes on; one that fell silent is given up, which nothing else might ever do."""
        state = self._runs.state(run_id)
        if state in (RunState.QUEUED, RunState.WAITING):
            self._ledger.leases.forget(run_id)
        if state is RunState.ALIVE and self._ledger.leases.silent(
            run_id, now=now, seconds=self._bounds.silence_seconds
        ):
            self._runs.give_up(run_id, f"its process gave no sign of life for {self._bounds.silence_seconds:.0f} s")
            return True
        return state in _OVER

    def _look_after_release(self, stored: StoredIncident, now: datetime) -> None:
        """A release that waits is not healed: whoever brings it out ends it, unless that ended before."""
        incident_id = stored.incident.id
        if stored.flow_run_id is not None:
            over = self._runs.state(stored.flow_run_id) in _OVER
        else:
            deadlines = [one.request.deadline for one in self._ledger.approvals.of_incident(incident_id)]
            over = now > max(deadlines, default=stored.incident.opened_at) + RELEASE_GRACE
        if over and not self._ledger.incidents.get(incident_id).incident.status.ended:
            self._escalate(stored.incident, "the deploy that asked ended without a word", now)

    def _restart(self, stored: StoredIncident, now: datetime) -> None:
        """Begin again what was lost or delayed, or hand it to a person when that happened too often or for too long."""
        incident, delay = stored.incident, self._ledger.heals.delay(stored.incident.id)
        if delay is not None and now < delay.until:
            return
        lost = stored.dispatches - (delay.times if delay else 0)
        if delay is not None and delay.lasts(now) and now - delay.since > self._bounds.patience:
            hours = self._bounds.patience.total_seconds() / 3600
            self._escalate(incident, f"it waited for {hours:.0f} hours: {delay.reason}", now)
        elif lost >= self._bounds.max_runs:
            reason = f"{self._bounds.max_runs} runs were lost before the heal ended; their logs are in the Prefect UI"
            self._escalate(incident, reason, now)
        elif self._heals.allowed(now):
            self._start(stored)
            told = f"its run was lost; run {lost + 1} of {self._bounds.max_runs} goes on" if lost else "goes on"
            self._ledger.incidents.note(incident.id, told, at=now)
            log.warning("%s: %s", incident.id, told)

    def _escalate(self, incident: Incident, reason: str, now: datetime) -> None:
        story = read_story(self._ledger, incident.id)
        fingerprint = story.diagnosis.fingerprint if story.diagnosis else incident.key
        outcome = unhealed_outcome(incident, reason, fingerprint=fingerprint, now=now)
        end_incident(self._ledger, incident, outcome, plan=story.plan)
        log.error("%s: %s", incident.id, reason)


def _summary(told: Delivery, concerned: tuple[str, ...]) -> str:
    counts = ((len(told.signals), "failing"), (len(told.resolved), "well again"))
    said = ", ".join(f"{count} {what}" for count, what in counts if count) or told.remark
    return f"{said} in {', '.join(concerned[:5])}" if concerned else said
