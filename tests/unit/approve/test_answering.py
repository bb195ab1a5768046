"""Answers: whatever is refused settles nothing, is told why, and stands in the audit trail."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.approve import attempt_at, expire, identify
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind, Refusal
from tasks.domain.incident import IncidentStatus
from tests.unit.approve.asking import NOW, Asked

pytestmark = pytest.mark.each_database

DEADLINE = NOW + timedelta(hours=1)
LATE = NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("changes", "refusal", "said"),
    [
        ({"at": LATE}, Refusal.EXPIRED, "silence was taken as no"),
        ({"at": DEADLINE + timedelta(microseconds=1)}, Refusal.EXPIRED, "silence was taken as no"),
        ({"nonce": "of-another-question"}, Refusal.ALTERED, "plan has changed"),
        ({"nonce": ""}, Refusal.ALTERED, "plan has changed"),
        ({"nonce": "ключ"}, Refusal.ALTERED, "plan has changed"),
        ({"plan_digest": "x" * 64}, Refusal.ALTERED, "plan has changed"),
        ({"request_id": "inc-none"}, Refusal.UNKNOWN, "no approval request"),
    ],
)
def test_answer_that_does_not_fit_settles_nothing(
    tmp_path: Path, changes: dict[str, object], refusal: Refusal, said: str
) -> None:
    asked = Asked(tmp_path)
    judgement = asked.say(Answer.APPROVE, **changes)
    assert judgement.refusal is refusal
    assert said in judgement.message
    assert not asked.settled
    assert asked.trail() == ["answer.refused"]


@pytest.mark.parametrize(
    ("terms", "name", "kind", "refusal"),
    [
        ({"approvers": ["ada"]}, "grace", IdentityKind.LOCAL, Refusal.NOT_ALLOWED),
        ({"approvers": ["ada"]}, "ada", IdentityKind.TYPED, Refusal.NOT_ALLOWED),
        ({"approvers": ["ada"]}, "U0MALLORY", IdentityKind.SLACK, Refusal.NOT_ALLOWED),
        ({"typed_name_counts": False}, "Grace Hopper", IdentityKind.TYPED, Refusal.UNVERIFIED),
        ({"author_may_approve": False}, "ada", IdentityKind.LOCAL, Refusal.AUTHOR),
        ({"author_may_approve": False}, "U0ADA", IdentityKind.SLACK, Refusal.AUTHOR),
        ({"author_may_approve": False}, "ada lovelace", IdentityKind.TYPED, Refusal.AUTHOR),
        ({"author_may_approve": False}, "\uff21da  Lovelace", IdentityKind.TYPED, Refusal.AUTHOR),
        ({"author_may_approve": False}, "U0UNKNOWN", IdentityKind.SLACK, Refusal.AUTHOR),
        ({"author_may_approve": False}, "countess", IdentityKind.GITHUB, Refusal.AUTHOR),
        ({"author_may_approve": False}, "countess", IdentityKind.LOCAL, Refusal.AUTHOR),
        ({"people_needed": 2}, "Grace Hopper", IdentityKind.TYPED, Refusal.UNVERIFIED),
        ({"approvers": ["grace"]}, "GRACE", IdentityKind.LOCAL, Refusal.NOT_ALLOWED),
        ({"approvers": ["grace"]}, "gra\uff43e-h", IdentityKind.GITHUB, Refusal.NOT_ALLOWED),
        ({"approvers": ["grace"]}, "email:grace@example.com", IdentityKind.TYPED, Refusal.NOT_ALLOWED),
    ],
)
def test_person_who_may_not_approve_settles_nothing(
    tmp_path: Path, terms: dict[str, object], name: str, kind: IdentityKind, refusal: Refusal
) -> None:
    asked = Asked(tmp_path, **terms)
    assert asked.say(Answer.APPROVE, name, kind).refusal is refusal
    assert asked.say(Answer.EDIT, name, kind).refusal is refusal
    assert not asked.settled
    assert asked.trail() == ["answer.refused"] * 2


@pytest.mark.parametrize("status", [IncidentStatus.ACTING, IncidentStatus.HEALED, IncidentStatus.ESCALATED])
def test_run_that_moved_on_takes_no_answer(tmp_path: Path, status: IncidentStatus) -> None:
    asked = Asked(tmp_path)
    asked.ledger.incidents.set_status(asked.incident.id, status)
    assert asked.say(Answer.APPROVE).refusal is Refusal.MOVED_ON
    assert not asked.settled


def test_older_question_that_is_still_open_takes_no_answer(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    newer = asked.request.model_copy(
        update={
            "id": f"{asked.incident.id}-newer",
            "asked_at": NOW + timedelta(minutes=1),
            "deadline": NOW + timedelta(minutes=5),
        }
    )
    asked.ledger.approvals.ask(newer)
    for answer in (Answer.APPROVE, Answer.EDIT, Answer.REJECT, Answer.SNOOZE):
        judgement = asked.say(answer)
        assert judgement.refusal is Refusal.MOVED_ON
        assert newer.id in judgement.message
    assert not asked.settled
    assert asked.ledger.approvals.to_resume() == ()
    assert asked.trail() == ["answer.refused"] * 4
    assert asked.say(Answer.APPROVE, request_id=newer.id).settles


def test_second_answer_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    assert asked.say(Answer.REJECT, reason="not now").settles
    again = asked.say(Answer.APPROVE)
    assert again.refusal is Refusal.REPLAYED
    assert "already answered: reject by grace" in again.message
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert (stored.answer.answer, stored.answer.reason) == (Answer.REJECT, "not now")


def test_same_person_through_another_channel_is_not_a_second_person(tmp_path: Path) -> None:
    asked = Asked(tmp_path, people_needed=2)
    first = asked.say(Answer.APPROVE, "U0GRACE", IdentityKind.SLACK)
    assert (first.refusal, first.settles) == (None, False)
    assert "one more person" in first.message
    assert asked.say(Answer.APPROVE, "grace").refusal is Refusal.SAME_PERSON
    assert not asked.settled
    assert asked.say(Answer.APPROVE, "ada").settles


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("U0MALLORY", IdentityKind.SLACK), ("mallory", IdentityKind.GITHUB)),
        (("mallory", IdentityKind.GITHUB), ("mallory", IdentityKind.LOCAL)),
        (("linus", IdentityKind.LOCAL), ("U0MALLORY", IdentityKind.SLACK)),
        (("U0MALLORY", IdentityKind.SLACK), ("linus", IdentityKind.LOCAL)),
    ],
)
def test_two_accounts_that_may_be_one_person_are_not_two(
    tmp_path: Path, first: tuple[str, IdentityKind], second: tuple[str, IdentityKind]
) -> None:
    asked = Asked(tmp_path, people_needed=2)
    assert asked.say(Answer.APPROVE, *first).refusal is None
    judgement = asked.say(Answer.APPROVE, *second)
    assert judgement.refusal is Refusal.SAME_PERSON
    assert "has to say who is who" in judgement.message
    assert not asked.settled
    assert asked.say(Answer.APPROVE, first[0] + "2", first[1]).settles, "one system tells two apart"


def test_listed_person_and_another_account_of_a_system_that_knows_both_are_two(tmp_path: Path) -> None:
    asked = Asked(tmp_path, people_needed=2)
    asked.say(Answer.APPROVE, "grace")
    assert asked.say(Answer.APPROVE, "U0MALLORY", IdentityKind.SLACK).settles


def test_merging_needs_the_word_of_everybody(tmp_path: Path) -> None:
    asked = Asked(tmp_path, people_needed=2)
    asked.say(Answer.APPROVE, "grace")
    last = asked.say(Answer.APPROVE_AND_MERGE, "ada").approval
    assert last is not None
    assert (last.answer, last.together_with) == (Answer.APPROVE, ("grace",))


def test_one_no_is_enough_and_the_author_may_say_it(tmp_path: Path) -> None:
    asked = Asked(tmp_path, people_needed=2, author_may_approve=False)
    asked.say(Answer.APPROVE, "grace")
    assert asked.say(Answer.REJECT, "ada").settles


def test_of_many_answers_at_once_one_counts(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    counted: list[bool] = []
    threads = [
        threading.Thread(target=lambda who=who: counted.append(asked.say(Answer.APPROVE, who).settles))  # type: ignore[misc]
        for who in ("ada", "grace", "alan", "edsger", "barbara", "donald")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == [False] * 5 + [True]
    assert sorted(asked.trail()) == ["answer.recorded"] + ["answer.refused"] * 5
    assert asked.ledger.audit.verify().problem == ""


def test_silence_is_recorded_once_and_only_after_the_deadline(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    assert not expire(asked.ledger, asked.request, now=NOW)
    assert expire(asked.ledger, asked.request, now=LATE)
    assert not expire(asked.ledger, asked.request, now=LATE)
    assert asked.trail() == ["answer.expired"]


def test_what_cannot_be_stored_or_seen_keeps_no_no_from_counting(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    assert asked.say(Answer.REJECT, "Gr\x1b[2J\nace\ud800", IdentityKind.TYPED).settles
    stored = asked.ledger.approvals.get(asked.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answered_by == "Gr[2J ace"
    attempt = attempt_at(
        asked.request,
        answer=Answer.REJECT,
        identity=identify(IdentityKind.LOCAL, "ada", ()),
        channel=ApprovalChannel.COMMAND_LINE,
        reason="no\x00\x1b[31m\u202e\ud800,\nnever" + "!" * 100_000,
        now=NOW,
    )
    assert attempt.reason.startswith("no[31m,\nnever!!")
    assert len(attempt.reason) == 1_000


def test_answer_at_the_very_deadline_counts_and_silence_is_no_before_it(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    assert not expire(asked.ledger, asked.request, now=DEADLINE)
    assert asked.say(Answer.SNOOZE, at=DEADLINE, snooze_seconds=3_600).snoozed_until == DEADLINE
    assert asked.say(Answer.APPROVE, at=DEADLINE).settles
    assert not expire(asked.ledger, asked.request, now=LATE)
    assert asked.trail() == ["answer.snoozed", "answer.recorded"]


def test_nonce_is_never_in_the_trail(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.say(Answer.APPROVE)
    assert all("only-this-question" not in entry.document for entry in asked.ledger.audit.entries())
