"""Answers in comments on GitHub: whatever is refused settles nothing and stands in the audit trail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.comments import USAGE, Comments
from tasks.clients.ledger import EventStatus
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind
from tasks.domain.incident import IncidentStatus
from tests.unit.comments.remarks import ADA, GRACE, MAINTAINER, STRANGER, Remarked, remark, remarked


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Remarked]:
    with remarked(tmp_path) as opened:
        yield opened


def yes(scene: Remarked) -> str:
    return f"/healflow approve {scene.incident.id}"


@pytest.mark.parametrize("action", ["edited", "deleted", ""])
def test_comment_that_was_edited_or_deleted_does_nothing(scene: Remarked, action: str) -> None:
    assert scene.deliver(remark(yes(scene), at=datetime.now(UTC)) | {"action": action}, delivery="d") == 202
    scene.tick()
    assert scene.untouched()
    assert scene.status_of("d") is EventStatus.IGNORED
    assert scene.replies == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": {"login": "helper[bot]", "type": "Bot"}},
        {"sender": {"login": "acme", "type": "Organization"}},
        {"sender": {"login": STRANGER, "type": "User"}},
        {"sender": {"login": GRACE}},
    ],
)
def test_bot_or_somebody_else_than_the_author_does_nothing(scene: Remarked, changes: dict[str, Any]) -> None:
    assert scene.deliver(remark(yes(scene), at=datetime.now(UTC)) | changes, delivery="d") == 202
    scene.tick()
    assert scene.untouched()
    assert scene.status_of("d") is EventStatus.IGNORED
    assert scene.replies == []


def test_comment_that_an_app_wrote_for_a_person_does_nothing(scene: Remarked) -> None:
    scene.say_on_github(yes(scene), performed_via_github_app={"slug": "helper"})
    scene.say_on_github(yes(scene), user={"login": GRACE, "type": "Bot"})
    assert scene.untouched()
    assert scene.replies == []


@pytest.mark.parametrize("body", ["> {}", "please {}", "```\n{}\n```", "I will\n{}", "", "`{}`", "/healflowapprove"])
def test_comment_whose_first_line_is_no_command_does_nothing(scene: Remarked, body: str) -> None:
    scene.say_on_github(body.format(yes(scene)))
    assert scene.untouched()
    assert scene.replies == []


@pytest.mark.parametrize(
    "command", ["approve", "reject {}", "merge {}", "approve inc/../1", "approve-and-merge {}", ""]
)
def test_command_that_is_not_understood_does_nothing_and_tells_how(scene: Remarked, command: str) -> None:
    scene.say_on_github(f"/healflow {command.format(scene.incident.id)}")
    assert scene.untouched()
    assert scene.replies == [f"Nothing was done. {USAGE}"]


def test_event_that_github_did_not_sign_is_refused(scene: Remarked) -> None:
    assert scene.deliver(remark(yes(scene), at=datetime.now(UTC)), secret="guessed") == 401
    scene.tick()
    assert scene.untouched()


@pytest.mark.parametrize("association", ["NONE", "CONTRIBUTOR", "FIRST_TIMER", "", "owner"])
def test_stranger_does_nothing_and_gets_no_reply(scene: Remarked, association: str) -> None:
    scene.fake.people[STRANGER] = "admin"
    scene.say_on_github(yes(scene), login=STRANGER, author_association=association)
    assert scene.untouched()
    assert scene.refusals() == [(f"github:{STRANGER}", "not_allowed")]
    assert scene.replies == []


def test_member_who_may_only_read_does_nothing(scene: Remarked) -> None:
    scene.say_on_github(yes(scene), login=STRANGER, author_association="MEMBER")
    scene.say_on_github(yes(scene), login="unknown-to-github", number=78, author_association="MEMBER")
    assert scene.untouched()
    assert scene.refusals() == [(f"github:{STRANGER}", "not_allowed"), ("github:unknown-to-github", "not_allowed")]
    assert scene.replies == []


def test_without_credentials_only_the_people_of_the_settings_answer_and_nothing_is_written(scene: Remarked) -> None:
    scene.comments = Comments(scene.ledger, scene.settings, None)
    scene.say_on_github(yes(scene), login=MAINTAINER, author_association="OWNER")
    assert scene.untouched()
    assert scene.refusals() == [(f"github:{MAINTAINER}", "not_allowed")]
    scene.say_on_github(yes(scene), number=78)
    assert scene.settled
    assert scene.fake.requests == []


@pytest.mark.parametrize(
    ("terms", "login", "refusal", "said"),
    [
        ({"approvers": ["ada"]}, GRACE, "not_allowed", "policy lets ada answer this"),
        ({"approvers": ["ada"]}, MAINTAINER, "not_allowed", "policy lets ada answer this"),
        ({"author_may_approve": False}, ADA, "author", "wrote the failing change"),
    ],
)
def test_person_whom_policy_does_not_let_approve_does_nothing(
    tmp_path: Path, terms: dict[str, Any], login: str, refusal: str, said: str
) -> None:
    with remarked(tmp_path, **terms) as scene:
        scene.say_on_github(yes(scene), login=login)
        assert scene.untouched()
        assert [told for _, told in scene.refusals()] == [refusal]
        (reply,) = scene.replies
        assert said in reply


def test_incident_of_another_repository_is_neither_answered_nor_told_of(scene: Remarked) -> None:
    elsewhere = remark(yes(scene), at=datetime.now(UTC)) | {"repository": {"id": 8, "full_name": "acme/other"}}
    assert scene.deliver(elsewhere) == 202
    scene.tick()
    assert scene.untouched()
    assert scene.refusals() == [("grace", "unknown")]


def test_unknown_incident_is_said(scene: Remarked) -> None:
    scene.say_on_github("/healflow approve inc-00000000")
    assert scene.untouched()
    assert "no question with exactly the id inc-00000000" in scene.replies[0]


@pytest.mark.parametrize("left_out", [1, 4, len("inc-")])
def test_beginning_of_an_id_answers_nothing_and_names_no_incident(scene: Remarked, left_out: int) -> None:
    for number, whole in enumerate((scene.incident.id, scene.request.id)):
        scene.say_on_github(f"/healflow approve {whole[:-left_out]}", number=80 + number)
    assert scene.untouched()
    assert scene.refusals() == [("grace", "unknown")] * 2
    assert scene.incident.id not in scene.replies[0]


def test_question_is_named_where_several_wait_and_nothing_is_taken_before(scene: Remarked) -> None:
    other = scene.request.model_copy(update={"id": f"{scene.incident.id}-other", "plan_digest": "o" * 64, "nonce": "o"})
    scene.ledger.approvals.ask(other)
    scene.say_on_github(yes(scene))
    assert scene.untouched()
    assert scene.refusals() == [("grace", "unknown")]
    assert scene.request.id in scene.replies[0]
    assert other.id in scene.replies[0]
    scene.say_on_github(f"/healflow approve {scene.request.id}", number=78)
    assert scene.settled
    stored = scene.ledger.approvals.get(other.id)
    assert stored is not None
    assert stored.answer is None, "the other one still waits"


def test_comment_that_is_older_than_the_question_answers_nothing(scene: Remarked) -> None:
    scene.say_on_github(yes(scene), at=scene.request.asked_at - timedelta(seconds=2))
    assert scene.untouched()
    assert scene.refusals() == [("grace", "altered")]
    assert "comment is older than the question" in scene.replies[0]


def test_answer_after_the_deadline_does_nothing(tmp_path: Path) -> None:
    with remarked(tmp_path, asked_ago=7_200) as scene:
        scene.say_on_github(yes(scene))
        assert scene.untouched()
        assert scene.refusals() == [("grace", "expired")]
        assert "silence was taken as no" in scene.replies[0]


def test_run_that_moved_on_takes_no_answer(scene: Remarked) -> None:
    scene.ledger.incidents.set_status(scene.incident.id, IncidentStatus.ACTING)
    scene.say_on_github(yes(scene))
    assert scene.untouched()
    assert scene.refusals() == [("grace", "moved_on")]


def test_same_comment_is_judged_once_under_whatever_delivery_it_comes(tmp_path: Path) -> None:
    with remarked(tmp_path, people_needed=2) as scene:
        comment = remark(yes(scene), at=datetime.now(UTC))
        for delivery in ("d-1", "d-1", "d-2"):
            assert scene.deliver(comment, delivery=delivery) == 202
            scene.tick()
        assert not scene.settled
        assert scene.trail() == ["answer.recorded"]
        assert scene.replies == ["grace-h: recorded; one more person has to say yes."]


def test_one_person_on_github_and_elsewhere_is_no_two_people_and_another_is(tmp_path: Path) -> None:
    with remarked(tmp_path, people_needed=2) as scene:
        assert not scene.say(Answer.APPROVE, "U0GRACE", IdentityKind.SLACK).settles
        scene.say_on_github(yes(scene))
        assert not scene.settled
        assert scene.refusals() == [("grace", "same_person")]
        scene.say_on_github(yes(scene), login=ADA, number=78)
        stored = scene.ledger.approvals.get(scene.request.id)
        assert stored is not None
        assert stored.answer is not None
        assert (stored.answer.answered_by, stored.answer.together_with) == ("ada", ("grace",))
        assert (stored.answer.channel, stored.answer.verified) == (ApprovalChannel.GITHUB, True)


def test_no_comes_with_its_reason_and_a_later_yes_does_not_count(scene: Remarked) -> None:
    scene.say_on_github(f"/healflow reject {scene.request.id} not before the release\nmore", login=MAINTAINER)
    stored = scene.ledger.approvals.get(scene.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert (stored.answer.answer, stored.answer.reason) == (Answer.REJECT, "not before the release")
    assert (stored.answer.answered_by, stored.answer.verified) == (MAINTAINER, True)
    scene.say_on_github(yes(scene), number=78)
    assert scene.refusals() == [("grace", "replayed")]
    assert scene.replies[1].startswith("Nothing was done: ")
    assert "already answered: reject by alan-t" in scene.replies[1]


def test_comment_on_a_commit_answers_and_is_answered_there(scene: Remarked) -> None:
    commit = scene.fake.commit("main", {"a": "1"})
    said = remark(yes(scene), at=datetime.now(UTC), commit_id=commit)
    del said["issue"]
    assert scene.deliver(said, event="commit_comment") == 202
    scene.tick()
    assert scene.settled
    assert [one["issue"] for one in scene.fake.comments.values()] == [commit]


def test_github_that_is_away_delays_the_comment_and_nothing_else(scene: Remarked) -> None:
    scene.fake.fail("GET", ".*/permission", 503, times=9)
    scene.say_on_github(yes(scene), login=MAINTAINER, author_association="OWNER")
    assert not scene.settled
    assert len(scene.ledger.events.pending(comments=True)) == 1
    assert scene.ledger.events.pending() == ()
    asked = len(scene.fake.requests)
    scene.tick(after=1)
    assert len(scene.fake.requests) == asked, "it is left alone for a while"
    scene.fake.faults.clear()
    scene.tick(after=60)
    assert scene.settled


def test_permission_that_github_does_not_tell_is_none(scene: Remarked) -> None:
    scene.fake.fail("GET", ".*/permission", 403, times=9)
    scene.say_on_github(yes(scene), login=MAINTAINER, author_association="OWNER")
    assert scene.untouched()
    assert scene.refusals() == [(f"github:{MAINTAINER}", "not_allowed")]


def test_answer_stands_when_its_reply_cannot_be_written(scene: Remarked) -> None:
    scene.fake.permissions["pulls"] = "read"
    scene.say_on_github(yes(scene))
    assert scene.settled
    assert scene.replies == []
    assert scene.status_of("issue_comment-77") is EventStatus.DISPATCHED


def test_reply_names_no_mail_address_and_nobody_is_notified(scene: Remarked) -> None:
    scene.say(Answer.APPROVE, "someone@example.com", IdentityKind.LOCAL)
    scene.say_on_github(yes(scene))
    (reply,) = scene.replies
    assert "already answered" in reply
    assert "@" not in reply
