"""The approval page: what is refused is said, is in the audit trail, and settles nothing; looking changes nothing."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tasks.approve import form_seal
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind
from tasks.domain.incident import IncidentStatus
from tests.doors.paging import KEY, Paged, seal_of, written
from tests.unit.approve.telling import LINE


def test_looking_at_a_link_changes_nothing_however_often(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    before = written(asked.ledger)
    for method in ("GET", "HEAD", "GET"):
        assert asked.get(asked.token(), method).status_code == 200
    assert written(asked.ledger) == before
    assert not asked.settled


@pytest.mark.parametrize(
    "form", [{"answer": "approve"}, {"answer": "approve", "seal": ""}, {"answer": "approve", "seal": "x"}]
)
def test_form_without_the_seal_of_its_page_settles_nothing(tmp_path: Path, form: dict[str, str]) -> None:
    asked = Paged(tmp_path)
    asked.get(asked.token())
    answer = asked.post(asked.token(), form)
    assert answer.status_code == 403
    assert "not sent from the page" in answer.text
    assert not asked.settled
    assert asked.trail_of_refusals() == [("grace", "forged")]


def test_form_sent_by_another_browser_or_from_another_site_settles_nothing(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    seal = seal_of(asked.get(asked.token()).text)
    assert (
        asked.post(asked.token(), {"answer": "approve", "seal": seal}, **{"Sec-Fetch-Site": "cross-site"}).status_code
        == 403
    )
    asked.cookies = {"healflow_form": "the-cookie-of-somebody-else"}
    assert asked.post(asked.token(), {"answer": "approve", "seal": seal}).status_code == 403
    asked.cookies = {}
    assert asked.post(asked.token(), {"answer": "approve", "seal": seal}).status_code == 403
    assert not asked.settled
    assert len(asked.trail_of_refusals()) == 3


@pytest.mark.parametrize("how", ["person", "cut", "other key", "other home", "empty", "long"])
def test_altered_link_shows_and_settles_nothing(tmp_path: Path, how: str) -> None:
    asked = Paged(tmp_path)
    good = asked.token()
    body, _, mark = good.partition(".")
    token = {
        "person": f"{asked.token('ada').partition('.')[0]}.{mark}",
        "cut": good[:-1],
        "other key": asked.token(key=b"another key"),
        "other home": asked.token(key=b""),
        "empty": f"{body}.",
        "long": "x" * 3_000,
    }[how]
    page = asked.get(token)
    assert page.status_code == 400
    assert "ask for a new one" in page.text
    assert LINE[:12] not in page.text
    asked.get(good)
    answer = asked.post(token, {"answer": "approve", "seal": seal_of(asked.get(good).text)})
    assert answer.status_code == 400
    assert not asked.settled
    assert asked.trail_of_refusals() == [("nobody", "forged")]


def test_last_character_of_a_link_cannot_be_another_that_means_the_same(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    good = asked.token()
    others = [good[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if last != good[-1]]
    assert {asked.get(token).status_code for token in others} == {400}


def test_unsigned_links_cannot_fill_the_audit_trail(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    app = asked.app
    for number in range(30):

        async def knock(number: int = number) -> int:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return (await client.post(f"/approve/x{number}", data={"answer": "approve"})).status_code

        assert asyncio.run(knock()) == 400
    assert len(asked.trail_of_refusals()) == 20


def test_expired_question_takes_no_answer(tmp_path: Path) -> None:
    asked = Paged(tmp_path, asked_ago=timedelta(hours=2))
    page = asked.get(asked.token())
    assert "silence is no: nothing was done" in page.text
    assert "<form" not in page.text
    assert post_as_shown_before(asked, answer="approve") == (410, True)
    assert not asked.settled
    assert asked.trail_of_refusals() == [("grace", "expired")]


def post_as_shown_before(asked: Paged, **form: str) -> tuple[int, bool]:
    """Send the form that a page showed while the question was still open."""
    asked.cookies = {"healflow_form": "shown-while-it-was-open"}
    token = asked.token()
    answer = asked.post(token, {"seal": form_seal(token, "shown-while-it-was-open", KEY), **form})
    return answer.status_code, "<form" not in answer.text


def test_second_answer_is_refused_and_told_who_decided(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    recorded = asked.fill(asked.token(), answer="reject", reason="not before the release")
    assert (recorded.status_code, recorded.headers["location"]) == (303, f"/approve/{asked.token()}")
    page = asked.get(asked.token())
    assert "Decided by <strong>grace, by a link from ada</strong> on the approval page" in page.text
    assert "not before the release" in page.text
    assert "<form" not in page.text
    assert post_as_shown_before(asked, answer="approve") == (409, True)
    assert asked.trail_of_refusals() == [("grace", "replayed")]
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answer is Answer.REJECT


def test_link_of_another_question_is_refused(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    other = asked.token(nonce="of-an-older-question")
    assert asked.fill(other, answer="approve").status_code == 409
    assert asked.get(asked.token(request_id="inc-none-q")).status_code == 404
    assert not asked.settled
    assert asked.trail_of_refusals() == [("grace", "altered")]


@pytest.mark.parametrize("status", [IncidentStatus.ACTING, IncidentStatus.ESCALATED])
def test_run_that_moved_on_takes_no_answer(tmp_path: Path, status: IncidentStatus) -> None:
    asked = Paged(tmp_path)
    asked.ledger.incidents.set_status(asked.incident.id, status)
    assert "nothing is done any more" in asked.get(asked.token()).text
    assert post_as_shown_before(asked, answer="approve") == (409, True)
    assert not asked.settled
    assert asked.trail_of_refusals() == [("grace", "moved_on")]


@pytest.mark.parametrize(
    ("terms", "person", "made_by", "refusal", "said"),
    [
        ({"approvers": ["ada"]}, "grace", "ada", "not_allowed", "policy lets ada answer this"),
        ({"link_counts": False}, "grace", "ada", "unverified", "takes no yes through a link"),
        ({"author_may_approve": False}, "ada", "grace", "author", "ada wrote the failing change"),
        ({"author_may_approve": False}, "grace", "ada", "author", "ada wrote the failing change"),
        ({}, "mallory", "ada", "not_allowed", "stands no longer among the people"),
    ],
)
def test_person_who_may_not_approve_is_offered_no_yes_and_gets_none(
    tmp_path: Path, terms: dict[str, object], person: str, made_by: str, refusal: str, said: str
) -> None:
    asked = Paged(tmp_path, **terms)
    token = asked.token(person, made_by=made_by)
    page = asked.get(token)
    assert said.casefold() in page.text.casefold()
    assert 'value="approve"' not in page.text
    answer = asked.fill(token, answer="approve")
    assert answer.status_code == 403
    assert said.casefold() in answer.text.casefold()
    assert not asked.settled
    assert asked.trail_of_refusals() == [(person, refusal)]


def test_one_person_who_makes_links_for_two_is_no_two_people(tmp_path: Path) -> None:
    asked = Paged(tmp_path, people_needed=2)
    assert asked.fill(asked.token("grace", made_by="local:root"), answer="approve").status_code == 303
    assert "said yes so far: grace" in asked.get(asked.token("grace", made_by="local:root")).text
    again = asked.fill(asked.token("ada", made_by="local:root"), answer="approve")
    assert again.status_code == 403
    assert "stands behind both answers" in again.text
    assert not asked.settled


def test_maker_of_a_link_is_no_second_person_beside_it(tmp_path: Path) -> None:
    asked = Paged(tmp_path, people_needed=2)
    assert not asked.say(Answer.APPROVE, "ada").settles
    assert asked.fill(asked.token("grace", made_by="ada"), answer="approve").status_code == 403
    assert not asked.settled


def test_two_people_through_two_channels_are_two(tmp_path: Path) -> None:
    asked = Paged(tmp_path, people_needed=2)
    assert not asked.say(Answer.APPROVE, "U0GRACE", IdentityKind.SLACK).settles
    assert not asked.settled
    assert asked.fill(asked.token("ada", made_by="email:ada@example.com"), answer="approve").status_code == 303
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert (stored.answer.answered_by, stored.answer.together_with) == ("ada", ("grace",))
    assert stored.answer.channel is ApprovalChannel.PAGE
    assert stored.answer.told_by == "ada, by a link mailed to ada@example.com"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"answer": "reject", "reason": "  "}, "a no comes with a reason"),
        ({"answer": "certainly"}, "choose one of the answers"),
        ({"answer": "expired"}, "choose one of the answers"),
        ({}, "choose one of the answers"),
        ({"answer": "edit", "edit.1.until": "2026-01-16", "edit.1.owner": "grace"}, "change a value"),
        ({"answer": "edit", "edit.1.file": "setup.py"}, "cannot be changed"),
        ({"answer": "edit", "edit.1.owner": "two\nlines"}, "one line"),
    ],
)
def test_form_that_is_not_filled_is_shown_again_and_settles_nothing(
    tmp_path: Path, form: dict[str, str], said: str
) -> None:
    asked = Paged(tmp_path)
    answer = asked.fill(asked.token(), **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="approve"' in answer.text, "the question is still there"
    assert not asked.settled


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"answer=approve", "text/plain", 415),
        (b"{}", "application/json", 415),
        (b"a" * 40_000, "application/x-www-form-urlencoded", 413),
        (b"answer", "application/x-www-form-urlencoded", 422),
        (b"answer=\xff", "application/x-www-form-urlencoded", 422),
    ],
)
def test_what_is_no_form_is_refused(tmp_path: Path, body: bytes, kind: str, status: int) -> None:
    asked = Paged(tmp_path)

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=asked.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.post(f"/approve/{asked.token()}", content=body, headers={"Content-Type": kind})

    answer = asyncio.run(post())
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert not asked.settled


def test_edit_asks_for_a_new_plan_and_approves_nothing(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    form = {"answer": "edit", "edit.1.until": "2026-01-10", "edit.1.owner": "grace"}
    assert asked.fill(asked.token(), **form).status_code == 303
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answer is Answer.EDIT
    assert stored.answer.edits["1.until"] == "2026-01-10"
    assert "asks about the plan with other values" in asked.get(asked.token()).text


def test_snooze_answers_nothing_and_keeps_the_deadline(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    assert asked.fill(asked.token(), answer="snooze").status_code == 303
    assert not asked.settled
    assert asked.ledger.approvals.to_resume() == (), "no run is woken"
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.snoozed_until is not None
    assert timedelta(minutes=59) < stored.snoozed_until - asked.at <= timedelta(hours=1)
    assert stored.request.deadline == asked.request.deadline
    assert asked.trail() == ["answer.snoozed"]
    page = asked.get(asked.token()).text
    assert "Quiet until" in page
    assert 'value="approve"' in page, "it can be answered all the same"
    assert asked.fill(asked.token(), answer="reject", reason="not now").status_code == 303
    assert asked.settled


@pytest.mark.parametrize(
    ("terms", "person", "ago", "status", "refusal"),
    [
        ({"approvers": ["ada"]}, "grace", timedelta(0), 403, "not_allowed"),
        ({}, "mallory", timedelta(0), 403, "not_allowed"),
        ({}, "grace", timedelta(hours=2), 410, "expired"),
    ],
)
def test_snooze_by_somebody_who_may_not_or_too_late_puts_nothing_off(
    tmp_path: Path, terms: dict[str, object], person: str, ago: timedelta, status: int, refusal: str
) -> None:
    asked = Paged(tmp_path, asked_ago=ago, **terms)
    asked.cookies = {"healflow_form": "shown-while-it-was-open"}
    token = asked.token(person)
    form = {"seal": form_seal(token, "shown-while-it-was-open", KEY), "answer": "snooze"}
    assert asked.post(token, form).status_code == status
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.snoozed_until is None
    assert asked.trail_of_refusals() == [(person, refusal)]


def test_snooze_without_the_seal_of_the_page_puts_nothing_off(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    asked.get(asked.token())
    assert asked.post(asked.token(), {"answer": "snooze", "seal": "guessed"}).status_code == 403
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.snoozed_until is None


def test_page_runs_no_script_loads_nothing_and_is_kept_nowhere(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    shown = asked.get(asked.token())
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    cookie = shown.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert not re.search(r"<script|<img|<link|<iframe|javascript:|\son\w+=|@import|url\(", shown.text)
    for refused in (asked.get("x"), asked.post(asked.token(), {})):
        assert refused.headers["content-security-policy"] == policy
        assert refused.headers["cache-control"] == "no-store"


def test_outside_text_is_shown_as_it_is_and_never_is_markup(tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    page = asked.get(asked.token()).text
    assert "&lt;b&gt;assert 1 == 0&lt;/b&gt; &amp; &lt;!channel&gt;" in page
    assert "<b>" not in page
    assert asked.request.nonce not in page


def test_text_that_turns_around_what_stands_beside_it_is_written_out() -> None:
    from deployments.gateway.page_html import seen

    assert seen("access\u202e\u2066// check\u2069\x1b[2J") == "access\\u202e\\u2066// check\\u2069\\u001b[2J"
