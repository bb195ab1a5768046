"""What people say to Healflow in comments on a code host, which vouches for the account that wrote them."""

import re

from tasks.domain.approval import Answer
from tasks.domain.base import Noun, UtcTime

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,98}")
"""An account of a code host; what is none never becomes part of a path."""


class CommentCommand(Noun):
    """A comment that begins with `/healflow`, as its signed event tells of it."""

    delivery_id: str
    repository: str
    comment_id: int
    thread: str
    """Where it stands in the repository: `issues/NUMBER`, which a pull request is too, or `commits/SHA`."""
    login: str
    """The account that wrote it."""
    trusted: bool
    """Whether the code host counts that account among the people of the repository; not whether it may write there."""
    answer: Answer | None
    """`None` when the command is not understood."""
    about: str = ""
    """The id of an incident, or of one question about it."""
    reason: str = ""
    occurred_at: UtcTime
    """When it was written."""
