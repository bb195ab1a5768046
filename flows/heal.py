"""Heal: from an incident to its outcome, on one page.

triage (read-only) -> policy -> a person, where policy asks for one -> remediate (act, verify, undo) -> outcome.
"""

from prefect import flow
from prefect.logging import get_run_logger

from flows.announcing import announce
from flows.asking import ask_and_wait, edited
from flows.living import giving_signs, own_run_id
from flows.remediate import remediate
from flows.triage import triage
from tasks.act.task import read_begun
from tasks.domain.approval import Answer, Approval
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Decision, Verdict
from tasks.domain.story import Begun, Remediation, Triage
from tasks.errors import PermanentError, TransientError
from tasks.gate.task import decide_plan
from tasks.remember.task import close, close_unhealed, postpone, publish, read_end


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
    kept = read_begun(incident_id)
    if kept is not None:  # an earlier run died while it acted
        begun = Begun.model_validate(kept)
        story, outcome = begun.triage, _act(begun.triage, begun.decision, begun.approval, run_id)
    else:
        story = Triage.model_validate(triage(incident_id))
        meanwhile = read_end(incident_id)
        if meanwhile is not None:
            return Outcome.model_validate(meanwhile)  # it went away by itself
        outcome = _decide_and_act(incident_id, story, run_id)
    announce(story, outcome)
    return outcome


def _decide_and_act(incident_id: str, story: Triage, run_id: str) -> Outcome:
    decision = Decision.model_validate(decide_plan(story))
    get_run_logger().info("Policy says %s: %s", decision.verdict, decision.reason)
    if decision.verdict is Verdict.DENY or not story.plan.changes_something:
        return Outcome.model_validate(close(story, decision, None, None))
    approval = None
    if decision.verdict is Verdict.ASK:
        publish(incident_id)
        announce(story)
        approval = ask_and_wait(story, decision)
        if approval.answer is Answer.EDIT:
            return _decide_and_act(incident_id, edited(story, approval), run_id)
        if not approval.answer.approves:
            return Outcome.model_validate(close(story, decision, approval, None))
    return _act(story, decision, approval, run_id)


def _act(story: Triage, decision: Decision, approval: Approval | None, run_id: str) -> Outcome:
    remediation = Remediation.model_validate(remediate(story, decision, approval, run_id))
    return Outcome.model_validate(close(story, decision, approval, remediation))
