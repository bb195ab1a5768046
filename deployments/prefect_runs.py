"""The heal flow's runs on a Prefect server, as the dispatcher needs them."""

from typing import Any
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Crashed

from deployments.dispatcher import RunState
from tasks.errors import TransientError

DEPLOYMENT = "heal/heal"
SERVER_ERROR = 500


class PrefectRuns:
    """Implements `FlowRuns` with Prefect's synchronous client; one short-lived client for each call."""

    def create(self, incident_id: str, *, idempotency_key: str) -> str:
        """Start a run of the heal deployment, once per key."""
        with _translated(), get_client(sync_client=True) as client:
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
        with _translated(), get_client(sync_client=True) as client:
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
        with _translated(), get_client(sync_client=True) as client:
            client.set_flow_run_state(UUID(run_id), Crashed(message=reason), force=True)

    def resume(self, run_id: str, *, answer: str, approver: str, reason: str) -> bool:
        """Wake a suspended run; a run that has not reached its suspension yet is tried at the next tick."""
        if self.state(run_id) is not RunState.WAITING:
            return False
        form: dict[str, Any] = {"answer": answer, "approver": approver, "reason": reason}
        with _translated(), get_client(sync_client=True) as client:
            verdict = client.resume_flow_run(UUID(run_id), run_input=form).status
        return verdict is SetStateStatus.ACCEPT


class _translated:  # noqa: N801 -- reads as a verb where it is used
    """Turns "the server is away" into TransientError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PrefectHTTPStatusError) and error.response.status_code < SERVER_ERROR:
            return
        if isinstance(error, httpx.HTTPError | PrefectHTTPStatusError | OSError | RuntimeError):
            raise TransientError(f"the Prefect server does not answer ({type(error).__name__})") from error
