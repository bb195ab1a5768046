"""What Slack refuses in blocks and forms, by the limits of its documentation.

https://docs.slack.dev/reference/block-kit/blocks and, for all blocks together, which is not documented,
https://github.com/slackapi/bolt-js/issues/2867
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_BLOCKS = 50
MAX_MODAL_BLOCKS = 100
MAX_ALL_TEXT = 11_300
_KINDS = {"header", "section", "rich_text", "context", "actions", "divider", "input"}
_TEXTS = {"header": 150, "section": 3_000}
_RICH = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}


class Refused(Exception):  # noqa: N818 -- what the API answers with, as its documentation calls it
    """The call is refused with one of Slack's error names."""

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(f"{error}: {detail}" if detail else error)
        self.error, self.detail = error, detail


def check_blocks(blocks: Any, *, most: int = MAX_BLOCKS) -> None:
    """Raises:
    Refused: a block is of no known kind, lacks something, or is longer than Slack takes.
    """
    if not isinstance(blocks, list) or not blocks:
        raise Refused("no_text", "there are no blocks")
    if len(blocks) > most:
        raise Refused("invalid_blocks", f"{len(blocks)} blocks")
    for block in blocks:
        _check_block(block)
    if sum(len(text) for text in texts_of(blocks)) > MAX_ALL_TEXT:
        raise Refused("msg_blocks_too_long")


def check_view(view: Mapping[str, Any]) -> None:
    """Raises:
    Refused: the form is longer than Slack takes, or lacks something.
    """
    if view.get("type") != "modal" or not view.get("title") or not view.get("submit"):
        raise Refused("invalid_arguments", "a form needs a title and what submits it")
    for name in ("title", "submit", "close"):
        _check_text(view.get(name, {"type": "plain_text", "text": "x"}), 24, plain=True)
    if len(str(view.get("private_metadata", ""))) > 3_000 or len(str(view.get("callback_id", ""))) > 255:
        raise Refused("invalid_arguments", "metadata is too long")
    check_blocks(view.get("blocks"), most=MAX_MODAL_BLOCKS)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in blocks, in order."""
    if isinstance(value, Mapping):
        if value.get("type") == "date":
            yield str(value["fallback"])
            return
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def _check_block(block: Mapping[str, Any]) -> None:
    kind = block.get("type")
    if kind not in _KINDS:
        raise Refused("invalid_blocks", f"type {kind}")
    if kind == "rich_text":
        _check_rich(block.get("elements", []))
    elif kind == "actions":
        _check_actions(block.get("elements", []))
    elif kind == "context":
        _each_text(block.get("elements", []), most=10, longest=3_000)
    elif kind == "input":
        _check_input(block)
    elif kind != "divider":
        _check_worded(block, _TEXTS[kind], plain=kind == "header")


def _check_worded(block: Mapping[str, Any], longest: int, *, plain: bool) -> None:
    if "text" in block:
        _check_text(block["text"], longest, plain=plain)
    elif not block.get("fields"):
        raise Refused("invalid_blocks", "no text")
    _each_text(block.get("fields", []), most=10, longest=2_000)


def _check_input(block: Mapping[str, Any]) -> None:
    _check_text(block.get("label"), 2_000, plain=True)
    field = block.get("element", {})
    if len(str(block.get("block_id", ""))) > 255 or field.get("type") != "plain_text_input":
        raise Refused("invalid_blocks", "input")
    if len(field.get("initial_value", "")) > field.get("max_length", 3_000):
        raise Refused("invalid_blocks", "the initial value is longer than the input takes")


def _check_actions(elements: Sequence[Mapping[str, Any]]) -> None:
    names = [element.get("action_id") for element in elements]
    if not elements or len(elements) > 25 or len(set(names)) != len(names):
        raise Refused("invalid_blocks", "actions")
    for element in elements:
        _check_text(element.get("text"), 75, plain=True)
        if len(element.get("value", "")) > 2_000 or element.get("style", "primary") not in ("primary", "danger"):
            raise Refused("invalid_blocks", "button")
        if confirm := element.get("confirm"):
            for name, longest in {"title": 100, "text": 300, "confirm": 30, "deny": 30}.items():
                _check_text(confirm.get(name), longest)


def _check_rich(elements: Sequence[Mapping[str, Any]]) -> None:
    if not elements:
        raise Refused("invalid_blocks", "empty rich text")
    for element in elements:
        if element.get("type") not in _RICH or not element.get("elements"):
            raise Refused("invalid_blocks", "rich text")
        if element["type"] == "rich_text_list":
            _check_rich(element["elements"])
            continue
        for run in element["elements"]:
            if run.get("type") not in ("text", "link", "date") or run.get("text", "x") == "":
                raise Refused("invalid_blocks", "rich text")
            if len(run.get("text", "")) > 3_000:
                raise Refused("invalid_blocks", "text longer than 3,000 characters")


def _each_text(texts: Sequence[Any], *, most: int, longest: int) -> None:
    if len(texts) > most:
        raise Refused("invalid_blocks", f"{len(texts)} texts")
    for text in texts:
        _check_text(text, longest)


def _check_text(text: Any, longest: int, *, plain: bool = False) -> None:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(text, Mapping) or text.get("type") not in kinds:
        raise Refused("invalid_blocks", "no text object")
    if not 0 < len(text.get("text", "")) <= longest:
        raise Refused("invalid_blocks", f"a text of {len(text.get('text', ''))} characters, {longest} are taken")
