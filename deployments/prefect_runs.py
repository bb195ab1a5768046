"""The heal flow's runs on a Prefect server, as the dispatcher needs them.

A server that hangs must hold up nothing else, such as deadlines. So each call waits only a short time and is not
repeated here, as Prefect's client would for minutes: the next tick is the repetition.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Crashed

from deployments.dispatcher import RunState
from tasks.errors import TransientError

DEPLOYMENT = "heal/heal"
SERVER_ERROR = 500
BUSY = (408, 429)
"""Answers that are none: Prefect's client would sleep for as long as they ask for."""
TIMEOUT_SECONDS = 10.0


class PrefectRuns:
    """Implements `FlowRuns` with Prefect's synchronous client; one short-lived client for each call."""

    def __init__(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds

    def create(self, incident_id: str, *, idempotency_key: str) -> str:
        """Start a run of the heal deployment, once per key."""
        with self._client() as client:
            try:
                deployment = client.read_deployment_by_name(DEPLOYMENT)
            except ObjectNotFound as error:
                raise TransientError(f"the deployment {DEPLOYMENT} is not served yet") from error
            run = client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"incident_id": incident_id},
                idempotency_key=idempotency_key,
                name=f"heal-{incident_id}",
            )
            return str(run.id)

    def state(self, run_id: str) -> RunState:
        """What has become of a run; one that the server does not know is lost."""
        with self._client() as client:
            try:
                state = client.read_flow_run(UUID(run_id)).state
            except ObjectNotFound:
                return RunState.LOST
        if state is None or state.is_scheduled():
            return RunState.QUEUED
        if not (state.is_final() or state.is_paused()):
            return RunState.ALIVE
        if state.is_paused():
            return RunState.WAITING
        return RunState.COMPLETED if state.is_completed() else RunState.LOST

    def give_up(self, run_id: str, reason: str) -> None:
        """Let the server take a run for crashed; one that ended meanwhile stays as it ended."""
        if self.state(run_id) is not RunState.ALIVE:
            return
        with self._client() as client:
            client.set_flow_run_state(UUID(run_id), Crashed(message=reason), force=True)

    def resume(self, run_id: str, *, answer: str, approver: str, reason: str) -> bool:
        """Wake a suspended run; a run that has not reached its suspension yet is tried at the next tick."""
        if self.state(run_id) is not RunState.WAITING:
            return False
        form: dict[str, Any] = {"answer": answer, "approver": approver, "reason": reason}
        with self._client() as client:
            verdict = client.resume_flow_run(UUID(run_id), run_input=form).status
        return verdict is SetStateStatus.ACCEPT

    def _client(self) -> AbstractContextManager[SyncPrefectClient]:
        return patient_client(self._timeout_seconds)


@contextmanager
def patient_client(timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[SyncPrefectClient]:
    """A client that asks once.

    Raises:
        TransientError: the server is away.
    """
    patience = {PREFECT_API_REQUEST_TIMEOUT: timeout_seconds, PREFECT_CLIENT_MAX_RETRIES: 0}
    hooks = {"event_hooks": {"response": [_refuse_if_away]}}
    try:
        with temporary_settings(patience), get_client(httpx_settings=hooks, sync_client=True) as client:
            yield client
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        raise _away(type(error).__name__) from error


def _refuse_if_away(response: httpx.Response) -> None:
    if response.status_code >= SERVER_ERROR or response.status_code in BUSY:
        raise _away(f"HTTP {response.status_code}")


def _away(how: str) -> TransientError:
    return TransientError(f"the Prefect server does not answer ({how})")
