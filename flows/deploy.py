"""Deploy: the story of a release as a Prefect flow, suspended where policy asks for a person."""

import hashlib
from typing import Any, Literal

from prefect import flow, get_client, suspend_flow_run
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.input import RunInput
from prefect.logging import get_run_logger

from flows.release import Question, Steps, bring_out
from tasks.domain.rollout import DeployReport, ReleaseOrder
from tasks.errors import PermanentError
from tasks.rollout import task as tasks_of_rollout
from tasks.settings import Settings


class DeployForm(RunInput):
    """What the Prefect UI asks for on Resume; the answer has no default, so a bare resume applies nothing."""

    answer: Literal["apply", "reject"]


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
    report = bring_out(Settings(), order, _prefect_steps(), approve=_ask_and_wait, run_id=str(_flow_run().id))
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


def _ask_and_wait(question: Question) -> bool:
    """The pause key holds what is asked about and the ended tries of the run, so that no old answer is used again."""
    with get_client(sync_client=True) as client:
        tries = sum(state.is_final() for state in client.read_flow_run_states(_flow_run().id))
    digest = hashlib.sha256(question.model_dump_json().encode()).hexdigest()
    form = suspend_flow_run(
        wait_for_input=DeployForm.with_initial_data(description=_markdown(question)),
        timeout=Settings().approval_timeout_seconds,
        key=f"deploy-{tries + 1}-{digest}",
    )
    return bool(form.answer == "apply")


def _flow_run() -> FlowRun:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("a deploy with Prefect is a flow run")
    return context.flow_run


def _markdown(question: Question) -> str:
    reasons = [f"- `{one.ref}`: {one.reason}" for one in question.asked]
    changed = [f"- `{one.ref}` {'is new' if one.created else 'changes'}" for one in question.differences if one.text]
    return "\n".join(["**Policy wants a person to say yes:**", *reasons, "", "**What would change:**", *changed])
