"""Outside text for Slack. Most of it goes into rich text, where nothing but structure is markup; the rest is escaped.

Lengths are Slack's: https://docs.slack.dev/reference/block-kit/composition-objects/text-object
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from tasks.collect.redact import redact

Block: TypeAlias = dict[str, Any]
MAX_TEXT = 3_000
MAX_HEADER = 150
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters and those that turn the direction of reading: a diff has to look like what it does."""


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """Text without secrets, controls and tricks of direction, cut to `limit` characters with an ellipsis."""
    near = text[: 2 * limit + 1_000].replace("\r\n", "\n")  # a secret that is cut in two here is not shown
    seen = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", redact(near))
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def line(text: str, limit: int = MAX_TEXT) -> str:
    """The same in one line."""
    return plain(" ".join(text.split()), limit)


def escaped(text: str, limit: int = MAX_TEXT) -> str:
    """One line of outside text inside `mrkdwn`: no link, no mention, no markup; at most `limit` long as it is sent.

    https://docs.slack.dev/messaging/formatting-message-text/#escaping
    """
    told = line(text, limit)
    while len(sent := _escape(told)) > limit:
        told = told[: len(told) - 1 - max(1, (len(sent) - limit) // 6)] + "…"
    return sent


def _escape(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # a zero-width space keeps `@here`, `*bold*` and its like from being read as markup
    return re.sub(r"([@*_~`:])(?=\S)", "\\1\u200b", text)


def words(text: str, *, bold: bool = False, limit: int = MAX_TEXT) -> Block:
    """A run of text inside a sentence."""
    style = {"style": {"bold": True}} if bold else {}
    return {"type": "text", "text": plain(text, limit) or " ", **style}


def link(label: str, url: str) -> Block:
    """A link whose address is shown as `label`."""
    return {"type": "link", "url": url, "text": line(label, 75)}


def moment(at: datetime) -> Block:
    """A time as the reader's own clock shows it."""
    return {"type": "date", "timestamp": int(at.timestamp()), "format": _FORMAT, "fallback": f"{at:%Y-%m-%d %H:%M} UTC"}


def moment_mrkdwn(at: datetime) -> str:
    """The same inside `mrkdwn`."""
    return f"<!date^{int(at.timestamp())}^{_FORMAT}|{at:%Y-%m-%d %H:%M} UTC>"


_FORMAT = "{date_short_pretty} at {time}"


def rich(*elements: Mapping[str, Any]) -> Block:
    """A block of rich text."""
    return {"type": "rich_text", "elements": list(elements)}


def sentence(*runs: Mapping[str, Any]) -> Block:
    """One paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(runs)}


def listed(*items: Mapping[str, Any]) -> Block:
    """A bulleted list of sentences."""
    return {"type": "rich_text_list", "style": "bullet", "elements": list(items)}


def code(text: str, limit: int = MAX_TEXT) -> Block:
    """Outside text as it is, in a frame that it cannot leave."""
    return {"type": "rich_text_preformatted", "elements": [words(text, limit=limit)]}


def label(text: str, limit: int = 75) -> Block:
    """Plain text of a button, a title or a heading; colons in it are no emoji."""
    return {"type": "plain_text", "text": line(text, limit), "emoji": False}


def mrkdwn(text: str) -> Block:
    """Our own markup; whatever comes from outside has to be `escaped` in it."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
