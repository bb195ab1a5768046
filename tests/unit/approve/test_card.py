"""The card: what it says comes out of the ledger, and a question that takes no answer does not look as if it did."""

from datetime import timedelta
from pathlib import Path

import pytest

from tasks.approve import question_markdown
from tasks.clients.ledger import EntryKind
from tasks.domain.approval import Answer, Refusal
from tasks.domain.card import CardState
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import NotFoundError
from tests.unit.approve.asking import NOW
from tests.unit.approve.telling import DIFF, LINE, Told, quarantine


def test_card_of_an_unknown_question_is_an_error(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.request = told.request.model_copy(update={"id": "inc-none-q"})
    with pytest.raises(NotFoundError, match="inc-none-q"):
        told.card()


def test_card_holds_what_a_person_needs(tmp_path: Path) -> None:
    card = Told(tmp_path, approvers=["ada", "grace"], people_needed=2).card()
    assert card.state is CardState.WAITING
    assert card.what_broke == "test_total fails now and then"
    assert [(quote.source, quote.line_number, quote.text) for quote in card.quotes] == [("log:test", 7, LINE)]
    assert card.unread == ("log:lint: 410 Gone",)
    assert (card.steps[0].preview, card.steps[0].undo, card.risk) == (DIFF, "delete the branch", Risk.MEDIUM)
    assert card.editable == {"1.until": "2026-01-16", "1.owner": "grace"}
    assert card.can_merge
    assert card.terms.approvers == ("ada", "grace")
    assert card.deadline == NOW + timedelta(hours=1)
    assert card.nonce not in repr(card)


def test_price_is_the_sum_that_the_plan_holds(tmp_path: Path) -> None:
    free, dear = Told(tmp_path / "free"), Told(tmp_path / "dear", actions=(quarantine(cost_usd=1.5),) * 2)
    assert free.card().price == "nothing"
    assert dear.card().price == "$3.00"


def test_who_is_affected_is_said_or_said_to_be_unknown(tmp_path: Path) -> None:
    restart = Action(
        name=Remedy.RESTART_ROLLOUT, target="Deployment/shop/cart", risk=Risk.MEDIUM, summary="Restart", undo="none"
    )
    assert "local/shop" in Told(tmp_path / "code").card().affected[0]
    card = Told(tmp_path / "cluster", actions=(restart, restart)).card()
    assert card.affected == (
        "Deployment/shop/cart in namespace shop, and whatever calls it; which callers there are is not recorded.",
    )
    assert not card.can_merge


def test_failures_of_the_same_cause_are_named(tmp_path: Path) -> None:
    told = Told(tmp_path)
    for number in range(8):
        signal = told.incident.signal.model_copy(
            update={"delivery_id": f"d{number}", "title": f"CI of service {number}"}
        )
        told.ledger.members.add(told.incident.id, signal, key=f"k{number}", keys=(), joined_by=None, at=NOW)
    assert told.card().affected[-1] == (
        "With it 7 more failures were taken for the same: CI of service 1; CI of service 2; CI of service 3; "
        "CI of service 4; CI of service 5, and 2 more."
    )


def test_card_of_a_question_that_moved_on_is_void(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.ledger.incidents.set_status(told.incident.id, IncidentStatus.ESCALATED)
    assert told.card().state is CardState.VOID


def test_card_past_its_deadline_is_expired_before_anybody_records_it(tmp_path: Path) -> None:
    assert Told(tmp_path).card(minutes=61).state is CardState.EXPIRED


@pytest.mark.parametrize(
    ("status", "acted", "state"),
    [
        (None, False, CardState.APPROVED),
        (IncidentStatus.HEALED, True, CardState.HEALED),
        (IncidentStatus.ESCALATED, True, CardState.NOT_HEALED),
        (IncidentStatus.ESCALATED, False, CardState.VOID),
    ],
)
def test_state_tells_what_came_of_a_yes(
    tmp_path: Path, status: IncidentStatus | None, acted: bool, state: CardState
) -> None:
    told = Told(tmp_path)
    told.say(Answer.APPROVE, reason="go")
    if acted:
        told.act()
    if status is not None:
        told.end(status)
    card = told.card()
    assert card.state is state
    assert card.answer is not None
    assert (card.answer.by, card.answer.reason, card.answer.verified) == ("grace", "go", True)
    assert card.outcome == ("That is how it ended." if status else "")


def test_no_is_shown_with_its_reason_and_takes_no_second_answer(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.say(Answer.REJECT, reason="not before the release")
    card = told.card()
    assert (card.state, card.state.open) == (CardState.REJECTED, False)
    assert card.answer is not None
    assert card.answer.reason == "not before the release"


def test_card_of_the_first_question_keeps_its_plan_after_an_edit(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.say(Answer.EDIT, edits={"1.until": "2026-01-09"})
    later = quarantine(summary="Skip it until 2026-01-09")
    told.write(EntryKind.PLAN, told.plan.model_copy(update={"actions": (later,)}))
    told.write(EntryKind.ASKED, told.request.model_copy(update={"id": "another"}))
    told.end(IncidentStatus.HEALED)
    card = told.card()
    assert card.state is CardState.EDITED
    assert "2026-01-16" in card.title
    assert card.outcome == ""


def test_snooze_is_quiet_for_a_while_and_the_deadline_stays(tmp_path: Path) -> None:
    told = Told(tmp_path)
    judgement = told.say(Answer.SNOOZE, snooze_seconds=1800)
    assert (judgement.refusal, judgement.settles) == (None, False)
    assert told.card(minutes=29).state is CardState.SNOOZED
    assert told.card(minutes=31).state is CardState.WAITING
    assert told.card(minutes=61).state is CardState.EXPIRED
    assert told.trail() == ["answer.snoozed"]
    assert not told.settled


def test_snooze_never_reaches_past_the_deadline_and_is_no_answer(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.say(Answer.SNOOZE, snooze_seconds=24 * 3600)
    assert told.card().snoozed_until == told.request.deadline
    assert told.say(Answer.APPROVE).settles


def test_snooze_by_somebody_who_may_not_answer_is_refused(tmp_path: Path) -> None:
    told = Told(tmp_path, approvers=["ada"])
    assert told.say(Answer.SNOOZE, snooze_seconds=600).refusal is Refusal.NOT_ALLOWED
    assert told.card().snoozed_until is None


def test_pull_request_is_linked_and_no_other_text_is(tmp_path: Path) -> None:
    opened, odd = Told(tmp_path / "opened"), Told(tmp_path / "odd")
    opened.act("https://github.com/local/shop/pull/7 into main (proven)", Remedy.OPEN_PULL_REQUEST)
    odd.act("javascript:alert(1) into main", Remedy.OPEN_PULL_REQUEST)
    assert [(link.label, link.url) for link in opened.card().links] == [
        ("Pull request", "https://github.com/local/shop/pull/7")
    ]
    assert odd.card().links == ()


def test_markdown_of_the_card_is_no_markup_of_outside_text(tmp_path: Path) -> None:
    text = question_markdown(Told(tmp_path, author_may_approve=False).card())
    assert "```\nE1  log:test:7  " + LINE in text
    assert "+import pytest" in text
    assert "Price: nothing." in text
    assert "not an author of the change" in text


def test_run_that_asks_is_linked_where_its_pages_stand(tmp_path: Path) -> None:
    told = Told(tmp_path)
    assert told.card().links == (), "no run asks here"
    asking = told.request.model_copy(update={"id": f"{told.request.id}2", "flow_run_id": "1f2e"})
    told.request = told.ledger.approvals.ask(asking)
    told.write(EntryKind.ASKED, told.request)
    assert [(link.label, link.url) for link in told.card().links] == [
        ("Prefect run", f"{told.settings.prefect_pages_url.rstrip('/')}/runs/flow-run/1f2e")
    ]
