"""Makes the card of a question out of what stands in the ledger, at any time and in any process."""

from datetime import datetime

from tasks.approve.affected import affected_by
from tasks.approve.editing import editable
from tasks.clients.ledger import StoredApproval
from tasks.domain.approval import Answer, Approval, ApprovalRequest
from tasks.domain.card import Card, CardAnswer, CardLink, CardState, CardStep
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.incident import Incident, IncidentStatus, SignalSource
from tasks.domain.outcome import ActionResult
from tasks.domain.plan import CLUSTER_REMEDIES, Plan, Remedy, Risk
from tasks.domain.story import Story
from tasks.errors import ConflictError

_RISKS = tuple(Risk)
_CHANGE_NO_CODE = CLUSTER_REMEDIES | {Remedy.RERUN_FAILED_JOBS, Remedy.REPORT_ONLY}
_ENDS = {IncidentStatus.HEALED: CardState.HEALED, IncidentStatus.UNDONE: CardState.UNDONE}
_ANSWERS = {Answer.REJECT: CardState.REJECTED, Answer.EDIT: CardState.EDITED, Answer.EXPIRED: CardState.EXPIRED}


def make_card(story: Story, stored: StoredApproval, *, now: datetime, prefect_url: str = "", web_url: str = "") -> Card:
    """The card of `stored.request`; `story` is the incident's as it stood around that question.

    `prefect_url` and `web_url` are where the pages of Prefect and of the code host stand; empty leaves their links out.

    Raises:
        ConflictError: the story holds no plan or no diagnosis, so that there is nothing to decide about.
    """
    plan, diagnosis, request = story.plan, story.diagnosis, stored.request
    if plan is None or diagnosis is None:
        raise ConflictError(f"{story.incident.id} has no plan yet, so that there is nothing to decide")
    known = editable(plan)
    return Card(
        incident_id=story.incident.id,
        request_id=request.id,
        plan_digest=request.plan_digest,
        nonce=request.nonce,
        title=_title(plan),
        place=_place(story.incident),
        environment=story.incident.environment,
        what_broke=diagnosis.cause,
        failure_class=diagnosis.failure_class,
        confidence=diagnosis.confidence,
        said_by=f"{diagnosis.said_by} {diagnosis.rule}".strip(),
        quotes=_quotes(story.evidence, diagnosis.evidence_ids),
        unread=tuple(f"{one.source}: {one.reason}" for one in story.evidence.unreadable) if story.evidence else (),
        steps=tuple(
            CardStep(
                number=number,
                summary=action.summary,
                target=action.target,
                risk=action.risk,
                undo=action.undo,
                preview=action.preview,
                editable={key: value for key, value in known.items() if key.startswith(f"{number}.")},
            )
            for number, action in enumerate(plan.actions, 1)
        ),
        risk=max((action.risk for action in plan.actions), key=_RISKS.index),
        price=price_of(plan),
        affected=affected_by(plan, story),
        links=_links(story, request, prefect_url=prefect_url, web_url=web_url),
        asked_because=story.decision.reason if story.decision else "",
        remembered_incident=plan.remembered_incident,
        can_merge=can_merge(plan, story.incident),
        asked_at=request.asked_at,
        deadline=request.deadline,
        terms=request.terms,
        said_yes=tuple(vote.answered_by for vote in stored.votes) if stored.answer is None else (),
        state=state_of(story, stored, now=now),
        snoozed_until=stored.snoozed_until,
        answer=_answer(stored.answer),
        outcome=story.outcome.summary if story.outcome else "",
        progress=tuple(entry for entry in story.timeline if entry.at >= request.asked_at),
    )


def price_of(plan: Plan) -> str:
    """The sum of what the actions say that they cost."""
    cost = sum(action.cost_usd for action in plan.actions)
    return f"${cost:,.2f}" if cost else "nothing"


def state_of(story: Story, stored: StoredApproval, *, now: datetime) -> CardState:
    """Where the question stands: what was answered, and what came of it."""
    answer = stored.answer.answer if stored.answer else None
    if answer in _ANSWERS:
        return _ANSWERS[answer]
    if answer is None:
        return _unanswered(story, stored, now=now)
    if story.outcome is None:
        return CardState.APPROVED
    status = IncidentStatus.UNDONE if story.incident.status is IncidentStatus.UNDONE else story.outcome.status
    if status in _ENDS:
        return _ENDS[status]
    return CardState.NOT_HEALED if story.results else CardState.VOID


def _unanswered(story: Story, stored: StoredApproval, *, now: datetime) -> CardState:
    moved_on = story.incident.status.ended or story.incident.status is IncidentStatus.ACTING
    if moved_on or (story.request is not None and story.request.id != stored.request.id):
        return CardState.VOID
    if now > stored.request.deadline:
        return CardState.EXPIRED
    if stored.snoozed_until is not None and now < stored.snoozed_until:
        return CardState.SNOOZED
    return CardState.WAITING


def _title(plan: Plan) -> str:
    first, *others = plan.actions
    more = f", and {len(others)} more step{'s' if len(others) > 1 else ''}" if others else ""
    return f"{' '.join(first.summary.split())}{more}"


def _place(incident: Incident) -> str:
    signal = incident.signal
    if signal.cluster is not None and signal.run is None:
        place = signal.cluster
        what = "/".join(part for part in (place.kind, place.namespace, place.name) if part) or "the cluster"
        return f"{what} in {place.context}" if place.context else what
    return f"{signal.repository} on {signal.branch} at {signal.commit[:12]}"


def _quotes(evidence: Evidence | None, only: tuple[str, ...]) -> tuple[EvidenceLine, ...]:
    lines = evidence.lines if evidence else ()
    return tuple(line for line in lines if line.id in only) or lines


def can_merge(plan: Plan, incident: Incident) -> bool:
    """Here a proven fix can be merged; on GitHub it is offered as a pull request, and a cluster has no branch."""
    changes_code = any(action.name not in _CHANGE_NO_CODE for action in plan.actions)
    return changes_code and incident.signal.source is SignalSource.PIPELINE


def _answer(approval: Approval | None) -> CardAnswer | None:
    if approval is None:
        return None
    return CardAnswer(
        by=approval.told_by,
        at=approval.answered_at,
        channel=approval.channel,
        verified=approval.verified,
        reason=approval.reason,
        together_with=approval.together_with,
    )


def _links(story: Story, request: ApprovalRequest, *, prefect_url: str, web_url: str) -> tuple[CardLink, ...]:
    signal = story.incident.signal
    found: list[tuple[str, str]] = []
    if signal.run is not None:
        found.append(("Failed run", signal.run.url))
    if signal.source is SignalSource.GITHUB and web_url:
        found.append(("Commit", f"{web_url.rstrip('/')}/{signal.repository}/commit/{signal.commit}"))
    if request.flow_run_id and prefect_url:
        found.append(("Prefect run", f"{prefect_url.rstrip('/')}/runs/flow-run/{request.flow_run_id}"))
    found += [("Pull request", result.message.split(" ", 1)[0]) for result in story.results if _opened(result)]
    return tuple(CardLink(label=label, url=url) for label, url in found if _is_link(url))


def _opened(result: ActionResult) -> bool:
    return result.action_name == Remedy.OPEN_PULL_REQUEST


def _is_link(url: str) -> bool:
    return url.startswith(("http://", "https://")) and not set(url) & set(" \t\r\n<>|\"'`")
