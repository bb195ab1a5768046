"""The notifier: no card is lost with a process or a channel, none is doubled without a kill, and each change is shown."""

import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deployments.notifying import Notifier
from deployments.notifying.notifier import GRACE, LEASE, LOOK_EVERY, MAX_ATTEMPTS
from tasks.clients.ledger import StoredCard
from tasks.domain.approval import Answer
from tasks.domain.card import CardState
from tasks.domain.incident import IncidentStatus
from tasks.errors import ForbiddenError, PermanentError, TransientError
from tests.unit.approve.asking import NOW
from tests.unit.approve.telling import Told
from tests.unit.notifying.board import Board

ROOT = Path(__file__).parents[3]
AWAY = TransientError("the other side does not answer")


class Telling:
    """A question, some channels, and a clock that the test turns."""

    def __init__(self, folder: Path, *channels: Board, wanted: bool = True) -> None:
        self.asked = Told(folder)
        self.notifier = Notifier(self.asked.ledger, channels, self.asked.settings)
        self.now = NOW
        if wanted:
            self.asked.ledger.cards.want(self.asked.request.id, self.asked.incident.id, at=NOW)

    def tick(self, *, after: timedelta = timedelta(0)) -> StoredCard | None:
        self.now += after
        self.notifier.tick(self.now)
        return self.asked.ledger.cards.get(self.asked.request.id)

    def pass_time(self, seconds: int) -> list[int]:
        """Tick each second; returns in which of them something was called."""
        (board,) = [guarded._channel for guarded in self.notifier._channels][:1]
        assert isinstance(board, Board)
        called = []
        for second in range(1, seconds + 1):
            before = board.calls
            self.tick(after=timedelta(seconds=1))
            if board.calls > before:
                called.append(second)
        return called


def test_question_that_no_automation_told_of_is_found_after_a_while_and_not_before(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board, wanted=False)
    telling.tick(after=GRACE - timedelta(seconds=1))
    assert board.hung == []
    telling.tick(after=timedelta(seconds=1))
    assert board.hung == [[CardState.WAITING]]


def test_card_is_sent_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    for _ in range(5):
        assert not telling.asked.ledger.cards.want(telling.asked.request.id, telling.asked.incident.id, at=telling.now)
        telling.tick(after=LOOK_EVERY)
    assert board.hung == [[CardState.WAITING]]
    assert board.calls == 1


def test_what_was_answered_before_anybody_was_told_is_never_sent(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.asked.say(Answer.REJECT)
    stored = telling.tick()
    assert board.calls == 0
    assert stored is not None
    assert stored.done


def test_channel_that_is_away_is_tried_again_later_each_time_and_then_the_next_one(tmp_path: Path) -> None:
    slack, mail = Board("slack"), Board("email")
    slack.away(AWAY)
    telling = Telling(tmp_path, slack, mail)
    telling.tick()
    assert telling.pass_time(30) == [2, 6, 14]
    assert slack.calls == MAX_ATTEMPTS
    assert (slack.hung, mail.hung) == ([], [[CardState.WAITING]])
    slack.back()
    telling.pass_time(10)
    assert slack.hung == [], "it hangs elsewhere by now"


def test_channel_that_comes_back_in_time_gets_the_card(tmp_path: Path) -> None:
    slack, mail = Board("slack"), Board("email")
    slack.away(AWAY, times=2)
    telling = Telling(tmp_path, slack, mail)
    telling.tick()
    telling.pass_time(30)
    assert (slack.hung, mail.hung) == ([[CardState.WAITING]], [])


def test_time_that_the_other_side_asks_for_is_given_to_it(tmp_path: Path) -> None:
    slack = Board("slack")
    slack.away(TransientError("rate limited", retry_after_seconds=17), times=1)
    telling = Telling(tmp_path, slack)
    telling.tick()
    assert telling.pass_time(30) == [17]
    assert slack.hung == [[CardState.WAITING]]


def test_channel_that_asks_for_too_much_time_is_passed_over(tmp_path: Path) -> None:
    slack, mail = Board("slack"), Board("email")
    slack.away(TransientError("rate limited", retry_after_seconds=3_600))
    telling = Telling(tmp_path, slack, mail)
    telling.tick()
    telling.tick()
    assert (slack.calls, mail.hung) == (1, [[CardState.WAITING]])


@pytest.mark.parametrize("error", [ForbiddenError("the token was revoked"), ValueError("a mistake of the channel's")])
def test_channel_that_cannot_is_passed_over_at_once(tmp_path: Path, error: Exception) -> None:
    slack, mail = Board("slack"), Board("email")
    slack.away(error)
    telling = Telling(tmp_path, slack, mail)
    telling.tick()
    telling.tick()
    assert (slack.calls, mail.hung) == (1, [[CardState.WAITING]])


def test_card_is_not_lost_when_every_channel_is_down_for_long(tmp_path: Path) -> None:
    slack, mail = Board("slack"), Board("email")
    for board in (slack, mail):
        board.away(AWAY)
    telling = Telling(tmp_path, slack, mail)
    telling.tick()
    telling.pass_time(600)
    stored = telling.tick()
    assert stored is not None
    assert (stored.done, stored.reference, stored.problem) == (False, None, str(AWAY))
    assert slack.calls < 40, "and nobody was called without end"
    slack.back()
    mail.back()
    telling.pass_time(200)
    assert [*slack.hung, *mail.hung] == [[CardState.WAITING]]


def test_no_channel_at_all_is_refused_when_it_starts(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no channel is set up"):
        Telling(tmp_path)


def test_each_change_is_shown_in_place_once_with_progress_and_outcome_below(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.tick()
    telling.asked.say(Answer.APPROVE)
    telling.tick(after=LOOK_EVERY)
    telling.asked.act("skipped the test")
    telling.tick(after=LOOK_EVERY)
    telling.asked.end(IncidentStatus.HEALED, "The failed job passes.")
    stored = telling.tick(after=LOOK_EVERY)
    assert board.hung == [[CardState.WAITING, CardState.APPROVED, CardState.HEALED]]
    assert [line.partition(" ")[2] for line in board.lines] == [
        "quarantine_test applied: skipped the test",
        "ended healed: The failed job passes.",
    ]
    assert stored is not None
    assert stored.done
    calls = board.calls
    telling.pass_time(30)
    assert board.calls == calls


def test_healed_card_is_renewed_when_the_fix_is_taken_back(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.tick()
    telling.asked.say(Answer.APPROVE)
    telling.asked.end(IncidentStatus.HEALED)
    telling.tick(after=LOOK_EVERY)
    telling.asked.ledger.incidents.set_status(telling.asked.incident.id, IncidentStatus.UNDONE)
    telling.pass_time(10)
    assert board.hung == [[CardState.WAITING, CardState.HEALED, CardState.UNDONE]]


def test_no_is_told_and_then_that_the_heal_ended(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.tick()
    telling.asked.say(Answer.REJECT, reason="not now")
    stored = telling.tick(after=LOOK_EVERY)
    assert stored is not None
    assert not stored.done
    telling.asked.end(IncidentStatus.REJECTED, "Nothing was done: grace said no.")
    stored = telling.tick(after=LOOK_EVERY)
    assert stored is not None
    assert stored.done
    assert board.hung[0][-1] is CardState.REJECTED
    assert board.lines[-1].endswith("ended rejected: Nothing was done: grace said no.")


def test_snooze_that_is_over_reminds(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.tick()
    telling.asked.say(Answer.SNOOZE, snooze_seconds=60)
    telling.pass_time(50)
    assert board.lines == []
    telling.pass_time(20)
    assert board.hung == [[CardState.WAITING, CardState.SNOOZED, CardState.WAITING]]
    assert [line.partition(",")[0] for line in board.lines] == ["It waits for an answer again"]


def test_change_that_could_not_be_shown_is_shown_later_and_no_line_is_lost_or_doubled(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.tick()
    telling.asked.say(Answer.APPROVE)
    telling.asked.act("skipped the test")
    telling.asked.end(IncidentStatus.HEALED)
    board.away(AWAY, times=7)
    telling.pass_time(400)
    assert board.hung == [[CardState.WAITING, CardState.HEALED]]
    assert len(board.lines) == len(set(board.lines)) == 2


def test_card_that_was_taken_down_is_sent_anew_while_it_is_asked_and_not_after(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    telling.tick()
    board.taken_down.add("0")
    telling.asked.say(Answer.SNOOZE, snooze_seconds=60)
    telling.pass_time(180)
    assert len(board.hung) == 2
    board.taken_down.add("1")
    telling.asked.say(Answer.REJECT)
    telling.asked.end(IncidentStatus.REJECTED)
    telling.pass_time(180)
    assert len(board.hung) == 2
    stored = telling.tick()
    assert stored is not None
    assert stored.done


def test_two_notifiers_send_one_card(tmp_path: Path) -> None:
    board = Board()
    telling = Telling(tmp_path, board)
    other = Notifier(telling.asked.ledger, (board,), telling.asked.settings)
    (due,) = telling.asked.ledger.cards.due(NOW, limit=5)
    assert telling.asked.ledger.cards.claim(due, until=NOW + LEASE)
    assert not telling.asked.ledger.cards.claim(due, until=NOW + LEASE)
    other.tick(NOW)
    assert board.calls == 0, "somebody else has it"


DYING = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from deployments.notifying import Notifier, Reference
from tasks.clients.ledger import Ledger
from tasks.settings import Settings

sent, now = Path(sys.argv[3]), datetime.fromisoformat(sys.argv[4])

class Dying:
    name = "board"
    def send(self, card):
        with sent.open("a") as file:
            file.write(card.request_id + "\\n")
        if len(sent.read_text().splitlines()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Reference(channel="board", place="wall", message="1")
    def update(self, reference, card): raise AssertionError("nothing changed")
    def say(self, reference, text): raise AssertionError("nothing happened")

ledger = Ledger.in_folder(Path(sys.argv[2]))
Notifier(ledger, (Dying(),), Settings()).tick(now)
"""


def run_until_it_dies(folder: Path, now: datetime) -> int:
    command = [sys.executable, "-c", DYING, str(ROOT), str(folder), str(folder / "sent"), now.isoformat()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).returncode


def test_notifier_killed_between_sending_and_recording_doubles_one_card_and_loses_none(tmp_path: Path) -> None:
    telling = Telling(tmp_path, Board())
    assert run_until_it_dies(tmp_path, NOW) == -signal.SIGKILL
    stored = telling.asked.ledger.cards.get(telling.asked.request.id)
    assert stored is not None
    assert (stored.channel, stored.reference, stored.attempts) == ("board", None, 1), "the intention outlived it"
    assert run_until_it_dies(tmp_path, NOW + timedelta(seconds=1)) == 0
    assert (tmp_path / "sent").read_text().count("\n") == 1, "not before its lease has ended"
    for minute in range(1, 4):
        assert run_until_it_dies(tmp_path, NOW + LEASE + timedelta(minutes=minute)) == 0
    assert (tmp_path / "sent").read_text().count("\n") == 2
    found = telling.asked.ledger.cards.get(telling.asked.request.id)
    assert found is not None
    assert found.reference is not None
