"""What the gateway counts and measures, for `/metrics`; what stands in the ledger is read at each scrape."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.clients.ledger import Ledger
from tasks.domain.incident import IncidentStatus
from tasks.errors import HealflowError

_REASONS = {
    400: "unreadable",
    401: "not_authentic",
    413: "too_large",
    415: "not_json",
    422: "unusable",
    503: "ledger_away",
}
_ANSWER_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_DELAY_SECONDS = (0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 3 * 3600, 24 * 3600)
_ELSEWHERE = "elsewhere"


class Measures:
    """The meters of one gateway and its dispatcher."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = Counter(
            "healflow_events_accepted",
            "Events that were answered with 202, by door and whether they were new, known or ignored",
            ("source", "outcome"),
            registry=self.registry,
        )
        self.refused = Counter(
            "healflow_events_refused", "Events that were refused", ("source", "reason"), registry=self.registry
        )
        self.answer_seconds = Histogram(
            "healflow_answer_seconds",
            "From a request to its answer, the commit included",
            ("door",),
            buckets=_ANSWER_SECONDS,
            registry=self.registry,
        )
        self.dispatch_delay_seconds = Histogram(
            "healflow_dispatch_delay_seconds",
            "From the acceptance of an event until it was handed on",
            buckets=_DELAY_SECONDS,
            registry=self.registry,
        )

        self.dispatcher_waits = False
        Gauge(
            "healflow_dispatcher_waits",
            "Whether the dispatcher waits for the Prefect server or the ledger, which does not answer",
            registry=self.registry,
        ).set_function(lambda: float(self.dispatcher_waits))

    def note_waiting(self, waits: bool) -> None:
        """Note whether the dispatcher waits for what does not answer."""
        self.dispatcher_waits = waits

    def watch(self, ledger: Ledger) -> None:
        """Read this ledger at each scrape."""
        self.registry.register(_Ledger(ledger))

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)


class _Ledger(Collector):
    """Gauges of what stands in the ledger; one that is away is said to be, and costs none of the other figures."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: what is not described is not read when it is registered."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges as they are now."""
        try:
            found = list(self._read(datetime.now(UTC)))
        except HealflowError:
            yield GaugeMetricFamily("healflow_ledger_up", "Whether the ledger answers", value=0)
            return
        yield GaugeMetricFamily("healflow_ledger_up", "Whether the ledger answers", value=1)
        yield from found

    def _read(self, now: datetime) -> Iterable[GaugeMetricFamily]:
        backlog = self._ledger.events.backlog()
        waits = max(0.0, (now - backlog.oldest_at).total_seconds()) if backlog.oldest_at else 0.0
        yield GaugeMetricFamily("healflow_events_pending", "Events not handed on yet", value=backlog.pending)
        yield GaugeMetricFamily("healflow_oldest_pending_seconds", "How long the oldest of them waits", value=waits)
        counts = self._ledger.incidents.counts()
        by_status = GaugeMetricFamily("healflow_incidents", "Incidents by status", labels=["status"])
        for status in IncidentStatus:
            by_status.add_metric([status.value], counts.get(status, 0))
        yield by_status
        unstarted = self._ledger.incidents.count_unstarted()
        yield GaugeMetricFamily("healflow_incidents_unstarted", "Incidents that wait for their run", value=unstarted)
        waiting = self._ledger.approvals.count_unanswered()
        yield GaugeMetricFamily("healflow_approvals_waiting", "Questions that nobody answered yet", value=waiting)


class Measured:
    """Times every answer of an application and counts what it refuses."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, int(message["status"]), time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, answer)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        door = _door(scope)
        self._measures.answer_seconds.labels(door).observe(seconds)
        if status in _REASONS and door.startswith(("/webhooks/", "/slack/")):
            self._measures.refused.labels(door.split("/")[-1 if "webhooks" in door else 1], _REASONS[status]).inc()


def _door(scope: Scope) -> str:
    """The address as it is declared, so that what strangers ask for makes no new series."""
    return str(getattr(scope.get("route"), "path", _ELSEWHERE))
