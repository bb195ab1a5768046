"""Where failures are read whose webhook was lost: the runs of the Prefect server, and of repositories on GitHub."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from deployments.prefect_runs import patient_client
from deployments.register import HEALS_FAILURES
from flows.sweep import Source
from tasks.clients.github import GithubClient
from tasks.clients.ledger import Ledger, StoredEvent
from tasks.domain.incident import SignalSource
from tasks.intake.prefect import FAILED_STATES, WATCHED_FLOWS
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

PAGE = 200
"""Runs of Prefect that are read at once: its server gives no more."""
MOST_INCIDENTS = 500
"""So many of the newest incidents tell which repositories there are."""


class PrefectFailures:
    """Runs of the watched flows that failed, unless somebody switched their automation off.

    Prefect calls a webhook once, and takes an answer of 503 for success.
    """

    name = "prefect"

    def failures(self, since: datetime, *, now: datetime) -> Sequence[StoredEvent]:
        """Each with the id that Prefect's own event of it has, which is that of the run's state."""
        from prefect.client.schemas.filters import (
            FlowFilter,
            FlowFilterName,
            FlowRunFilter,
            FlowRunFilterEndTime,
            FlowRunFilterState,
            FlowRunFilterStateName,
        )
        from prefect.client.schemas.sorting import FlowRunSort

        with patient_client() as client:
            if not _is_on(client):
                return ()
            watched = FlowFilter(name=FlowFilterName(any_=list(WATCHED_FLOWS)))
            flows = {flow.id: flow.name for flow in client.read_flows(flow_filter=watched)}
            failed = FlowRunFilter(
                state=FlowRunFilterState(name=FlowRunFilterStateName(any_=list(FAILED_STATES))),
                end_time=FlowRunFilterEndTime(after_=since),
            )
            runs = _all_pages(
                lambda offset: client.read_flow_runs(
                    flow_filter=watched,
                    flow_run_filter=failed,
                    sort=FlowRunSort.END_TIME_DESC,
                    limit=PAGE,
                    offset=offset,
                )
            )
        return [
            _event(run, run.state, flows[run.flow_id], now)
            for run in reversed(runs)
            if run.state and run.flow_id in flows
        ]


def _all_pages(read: "Callable[[int], list[FlowRun]]") -> "list[FlowRun]":
    found = page = read(0)
    while len(page) == PAGE:
        found = [*found, *(page := read(len(found)))]
    return found


def _is_on(client: "SyncPrefectClient") -> bool:
    return any(one.enabled for one in client.read_automations_by_name(HEALS_FAILURES))


def _event(run: "FlowRun", state: "State[Any]", flow: str, now: datetime) -> StoredEvent:
    told = {
        "event_id": str(state.id),
        "occurred": state.timestamp.isoformat(),
        "flow": flow,
        "flow_run": run.name,
        "flow_run_id": str(run.id),
        "state": state.name,
    }
    body = json.dumps(told).encode()
    return StoredEvent(delivery_id=str(state.id), source="prefect", event_name="flow_run", body=body, received_at=now)


class GithubFailures:
    """Failed runs of one repository. GitHub delivers a webhook once; only people can have it sent again."""

    def __init__(self, github: GithubClient, repository: str) -> None:
        self._github, self._repository = github, repository

    @property
    def name(self) -> str:
        """Each repository has its own."""
        return f"github:{self._repository.lower()}"

    def failures(self, since: datetime, *, now: datetime) -> Sequence[StoredEvent]:
        """The newest attempt of each."""
        return [
            StoredEvent(
                delivery_id=f"sweep:{one.run_id}:{one.attempt}",
                source="github",
                event_name="workflow_run",
                body=one.body,
                received_at=now,
            )
            for one in self._github.runs.failed_since(self._repository, since)
        ]


def lost_webhooks(settings: Settings, ledger: Ledger, github: GithubClient | None) -> tuple[Source, ...]:
    """Prefect, and, where there are credentials for GitHub, the repositories that are named in the settings or have
    failed before."""
    if github is None:
        return (PrefectFailures(),)
    newest = [stored.incident.signal for stored in ledger.incidents.newest(limit=MOST_INCIDENTS)]
    failed = [signal.repository for signal in newest if signal.source is SignalSource.GITHUB]
    named = {name.lower(): name for name in (*settings.github.repositories, *failed)}
    return (PrefectFailures(), *(GithubFailures(github, name) for name in named.values()))
