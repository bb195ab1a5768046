"""Heal: from an incident to its outcome, on one page.

triage (read-only) -> policy -> a person, where policy asks for one -> remediate (act, verify, undo) -> outcome.
"""

from prefect import flow
from prefect.logging import get_run_logger

from flows.announcing import announce
from flows.asking import ask_and_wait, edited
from flows.following import close_with_what_is_left
from flows.joining import join_same_cause
from flows.living import giving_signs, own_run_id
from flows.remediate import remediate
from flows.triage import triage
from tasks.domain.approval import Answer
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Decision, Verdict
from tasks.domain.story import Remediation, Settled, Triage
from tasks.errors import PermanentError, TransientError
from tasks.gate.task import decide_plan
from tasks.remember.task import close, close_unhealed, postpone, publish, read_end, read_settled


@flow(name="heal", flow_run_name="heal-{incident_id}", persist_result=True, result_serializer="json")
def heal(incident_id: str) -> Outcome:
    """Heal one incident, or say why not; what only a person can put right ends as *escalated*, not as a crash."""
    known = read_end(incident_id)
    if known is not None:
        return Outcome.model_validate(known)  # ended before: a run forced to retry does nothing again
    run_id = own_run_id()
    with giving_signs(run_id):
        try:
            outcome = _heal(incident_id, run_id)
            get_run_logger().info("Ended %s: %s", outcome.status, outcome.summary)
            return outcome
        except PermanentError as error:
            get_run_logger().warning("Cannot go on: %s", error)
            return Outcome.model_validate(close_unhealed(incident_id, str(error)))
        except TransientError as error:
            postpone(incident_id, str(error))
            raise  # the run fails, and the dispatcher starts another once the delay is over
        finally:
            publish(incident_id)


def _heal(incident_id: str, run_id: str) -> Outcome:
    kept = read_settled(incident_id)
    if kept is not None:  # a run that was resumed, or that goes on where another died
        settled = Settled.model_validate(kept)
        story, outcome = settled.triage, _go_on(settled, run_id)
    else:
        story = Triage.model_validate(triage(incident_id))
        meanwhile = read_end(incident_id)
        if meanwhile is not None:
            return Outcome.model_validate(meanwhile)  # it went away by itself
        joined = join_same_cause(story)
        if joined is not None:
            return joined
        outcome = _decide_and_act(story, run_id)
    announce(story, outcome)
    return outcome


def _decide_and_act(story: Triage, run_id: str) -> Outcome:
    decision = Decision.model_validate(decide_plan(story))
    get_run_logger().info("Policy says %s: %s", decision.verdict, decision.reason)
    if decision.verdict is Verdict.DENY:
        return Outcome.model_validate(close(story, decision, None, None))
    if not story.plan.changes_something:
        return close_with_what_is_left(story, decision, None, None)
    if decision.verdict is Verdict.ASK:
        publish(story.incident.id)
        announce(story)
    return _go_on(Settled(triage=story, decision=decision), run_id)


def _go_on(settled: Settled, run_id: str) -> Outcome:
    story, decision, approval = settled.triage, settled.decision, settled.approval
    if decision.verdict is Verdict.ASK and approval is None:
        approval = ask_and_wait(story, decision)
        if approval.answer is Answer.EDIT:
            return _decide_and_act(edited(story, approval), run_id)
        if not approval.answer.approves:
            return Outcome.model_validate(close(story, decision, approval, None))
    remediation = Remediation.model_validate(remediate(story, decision, approval, run_id))
    return close_with_what_is_left(story, decision, approval, remediation)
