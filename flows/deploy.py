"""Deploy: the story of a release as a Prefect flow, suspended where policy asks for a person."""

from typing import Any

from prefect import flow, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from flows.asking import ask_and_wait
from flows.release import Steps, bring_out
from tasks.domain.approval import Approval
from tasks.domain.plan import Decision
from tasks.domain.rollout import DeployReport, ReleaseOrder
from tasks.domain.story import Triage
from tasks.errors import PermanentError
from tasks.rollout import task as tasks_of_rollout
from tasks.settings import Settings


class FlowAsker:
    """Asks as the heal flow does: the run is suspended, and any channel may answer."""

    actor = ""

    def __init__(self) -> None:
        self.run_id = str(_flow_run().id)
        with get_client(sync_client=True) as client:
            tries = sum(state.is_final() for state in client.read_flow_run_states(_flow_run().id))
        self.key = f"{self.run_id}-{tries + 1}"  # a retry forced in the Prefect UI is asked about anew

    def ask(self, triage: Triage, decision: Decision) -> Approval:
        """The answer, also in another process days later."""
        return ask_and_wait(triage, decision)


@flow(name="deploy", flow_run_name="deploy-{folder}", persist_result=True, result_serializer="json")
def deploy(
    folder: str,
    namespace: str = "",
    image_map: list[str] | None = None,
    commit: str = "",
    smoke_url: str = "",
    smoke_path: str = "/_healthz",
    dry_run: bool = False,
    rollout_timeout_seconds: float = 300,
) -> DeployReport:
    """Bring a release out.

    Raises:
        PermanentError: it did not come out, with the reason; the run fails.
    """
    order = ReleaseOrder(
        folder=folder,
        namespace=namespace,
        image_map=tuple(image_map or ()),
        commit=commit,
        smoke_url=smoke_url,
        smoke_path=smoke_path,
        dry_run=dry_run,
        rollout_timeout_seconds=rollout_timeout_seconds,
    )
    report = bring_out(Settings(), order, _prefect_steps(), asker=FlowAsker())
    get_run_logger().info("%s: %s", report.status, report.message)
    if not report.succeeded:
        raise PermanentError(f"the deploy ended as {report.status}: {report.message}")
    return report


def _prefect_steps() -> Steps:
    made: Any = tasks_of_rollout  # Prefect's tasks are callable, with more arguments than these steps have
    return Steps(
        render=made.render_release,
        preview=made.preview_release,
        apply=made.apply_release,
        watch=made.watch_release,
        smoke=made.smoke_test,
        suspects=made.suspects_of,
        record=made.record_release,
    )


def _flow_run() -> FlowRun:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("a deploy with Prefect is a flow run")
    return context.flow_run
