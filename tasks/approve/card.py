"""The question as Markdown: what broke, the quoted evidence, the diff, the risk and the undo."""

from tasks.domain.approval import ApprovalTerms
from tasks.domain.markdown import bounded_diff, inline, prose, quoted
from tasks.domain.plan import Decision
from tasks.domain.story import Triage


def question_markdown(triage: Triage, decision: Decision) -> str:
    """What the approver reads, in the Prefect UI and elsewhere."""
    signal, diagnosis = triage.incident.signal, triage.diagnosis
    parts = [
        f"### {triage.incident.id}: {prose(diagnosis.cause)}",
        f"{inline(signal.repository)} on {inline(signal.branch)} at {inline(signal.commit[:12])} · "
        f"class {inline(diagnosis.failure_class)} · confidence {diagnosis.confidence:.0%}",
        quoted(triage.evidence.lines, only=diagnosis.evidence_ids),
    ]
    for number, action in enumerate(triage.plan.actions, 1):
        parts.append(f"**{number}. {prose(action.summary)}** · risk {action.risk} · undo: {prose(action.undo)}")
        if action.preview:
            parts.append(bounded_diff(action.preview))
    if triage.plan.remembered_incident:
        parts.append(f"The same fix healed {inline(triage.plan.remembered_incident)}.")
    parts.append(_who(decision.terms))
    parts.append(f"Asked because: {prose(decision.reason)}. The failed job is run again before the fix counts.")
    return "\n\n".join(parts)


def _who(terms: ApprovalTerms) -> str:
    who = ", ".join(inline(name) for name in terms.approvers) or "anybody who can answer"
    people = "" if terms.people_needed == 1 else f" {terms.people_needed} different people have to say yes."
    author = "" if terms.author_may_approve else " The author of the change may not approve it."
    typed = "" if terms.typed_name_counts else " A typed name does not count here."
    return f"May answer: {who}.{people}{author}{typed}"
