"""A person's comment on GitHub -> its command: `/healflow approve ID` or `/healflow reject ID REASON`, the first line.

Only a comment that was just written by a person is one; what is edited, deleted, quoted, or written by an app is not.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment
"""

import re
from datetime import datetime

from tasks.domain.approval import Answer
from tasks.domain.comment import LOGIN, CommentCommand
from tasks.domain.incident import Ignored
from tasks.intake.fields import Fields
from tasks.intake.verify import check_not_future

COMMAND = "/healflow"
MAX_LINE_CHARACTERS = 1_200
_TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""https://docs.github.com/en/graphql/reference/enums#commentauthorassociation; a contributor may be anybody."""
_ABOUT = re.compile(r"inc-[a-z0-9-]{1,60}")
_ANSWERS = {"approve": Answer.APPROVE, "reject": Answer.REJECT}


def parse_comment(event_name: str, delivery_id: str, payload: Fields, *, now: datetime) -> CommentCommand | Ignored:
    """The command of an `issue_comment` or `commit_comment`.

    Raises:
        BadInputError: 422; a field of a command is missing or malformed.
    """
    if reason := _why_none(payload):
        return Ignored(delivery_id=delivery_id, event=event_name, reason=reason)
    comment = payload.within("comment")
    login = comment.within("user").text("login", limit=100)
    if not LOGIN.fullmatch(login):
        comment.refuse("user.login", "is no login")
    written_at, number = comment.moment("created_at"), comment.whole_number("id")
    check_not_future(written_at, now=now)
    answer, about, reason = _read(comment.first_line("body", limit=MAX_LINE_CHARACTERS))
    return CommentCommand(
        # GitHub signs the body and not the delivery's id: one comment is judged once, however often it is sent
        delivery_id=f"{event_name}-{number}",
        repository=payload.within("repository").repository("full_name"),
        comment_id=number,
        thread=_thread(payload, comment),
        login=login,
        trusted=comment.text("author_association") in _TRUSTED,
        answer=answer,
        about=about,
        reason=reason,
        occurred_at=written_at,
    )


def _why_none(payload: Fields) -> str:
    """Why a comment gives no command; empty when a person gives one in it."""
    if payload.text("action") != "created":
        return "only a comment that was just written can answer, not one that was edited or deleted"
    comment = payload.within("comment")
    if comment.first_line("body", limit=MAX_LINE_CHARACTERS).partition(" ")[0] != COMMAND:
        return f"its first line does not begin with {COMMAND}"
    sender, author = payload.within("sender"), comment.within("user")
    if sender.text("type") != "User" or author.text("type") != "User" or comment.has("performed_via_github_app"):
        return "an app or a bot wrote it, and only people answer"
    if sender.text("login", limit=100) != author.text("login", limit=100):
        return "it was sent by somebody else than its author"
    return ""


def _read(line: str) -> tuple[Answer | None, str, str]:
    """What is answered, about what and why; a no without a reason is not understood."""
    verb, _, more = line.removeprefix(COMMAND).strip().partition(" ")
    about, _, reason = more.partition(" ")
    answer = _ANSWERS.get(verb.lower())
    if answer is None or not _ABOUT.fullmatch(about) or (answer is Answer.REJECT and not reason):
        return None, about if _ABOUT.fullmatch(about) else "", ""
    return answer, about, reason


def _thread(payload: Fields, comment: Fields) -> str:
    issue = payload.within_or_none("issue")
    return f"issues/{issue.whole_number('number')}" if issue else f"commits/{comment.commit('commit_id')}"
