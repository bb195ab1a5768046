"""Renders Block Kit as HTML that looks like Slack, so that a card can be looked at without a workspace. Pure.

What is rendered is what https://docs.slack.dev/reference/block-kit/blocks describes and our cards and forms use; text
is escaped here like anywhere, so that a card that needs Slack's escaping shows what Slack would show.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Block = Mapping[str, Any]

STYLE = """
body { margin: 0; background: #fff; color: #1d1c1d; font: 15px/1.46668 Lato, "Liberation Sans", Arial, sans-serif; }
.message { display: grid; grid-template-columns: 36px 1fr; gap: 0 10px; width: 700px; padding: 16px 20px 20px; }
.drawn { display: flow-root; width: fit-content; }
.avatar { width: 36px; height: 36px; border-radius: 8px; background: #1f6f54; color: #fff; font-weight: 700;
  font-size: 19px; display: grid; place-items: center; }
.from { font-weight: 700; } .app { background: #ececed; color: #5c5a5c; border-radius: 3px; font-size: 10px;
  font-weight: 700; padding: 1px 4px; margin: 0 6px; vertical-align: 2px; } .at { color: #616061; font-size: 12px; }
.block { margin-top: 8px; } .header { font-size: 18px; font-weight: 700; line-height: 1.3; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; }
pre { margin: 6px 0; padding: 8px 10px; background: #f8f8f8; border: 1px solid #dddddd; border-radius: 4px;
  font: 12px/1.5 Monaco, Menlo, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
code { background: #f4f4f4; border: 1px solid #dddddd; border-radius: 3px; color: #c01343; padding: 1px 3px;
  font: 12px "DejaVu Sans Mono", monospace; }
.section { white-space: pre-wrap; overflow-wrap: anywhere; } ul { margin: 2px 0; padding-left: 24px; }
a { color: #1264a3; text-decoration: none; }
.context { color: #616061; font-size: 12px; } .actions { display: flex; flex-wrap: wrap; gap: 8px; }
button { font: 700 13px/1 "Liberation Sans", Arial, sans-serif; padding: 0 11px; height: 29px; border-radius: 8px;
  border: 1px solid #bbbabb; background: #fff; color: #1d1c1d; }
button.primary { background: #007a5a; border-color: #007a5a; color: #fff; }
button.danger { background: #fff; border-color: #e01e5a; color: #e01e5a; }
.modal { width: 520px; margin: 20px; border-radius: 8px; box-shadow: 0 0 0 1px #1d1c1d21, 0 18px 48px #0005; }
.modal header { font-size: 22px; font-weight: 900; padding: 18px 24px 6px; } .modal main { padding: 0 24px 8px; }
.modal footer { display: flex; justify-content: flex-end; gap: 10px; padding: 12px 24px 20px; }
.modal label { display: block; font-weight: 700; margin: 14px 0 6px; }
.field { border: 1px solid #8d8c8d; border-radius: 8px; padding: 8px 12px; min-height: 22px; white-space: pre-wrap; }
.field.long { min-height: 76px; }
"""


def page(body: str) -> str:
    """A whole document."""
    head = f'<meta charset="utf-8"><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}<body><div class="drawn">{body}</div></body></html>'


def message_html(blocks: Sequence[Block], *, at: str) -> str:
    """A message of the app in a channel."""
    head = (
        f'<div><span class="from">Healflow</span><span class="app">APP</span><span class="at">{_text(at)}</span></div>'
    )
    inner = "".join(_block(block) for block in blocks)
    return f'<div class="message"><div class="avatar">H</div><div>{head}{inner}</div></div>'


def form_html(view: Block) -> str:
    """A form as it stands over the conversation."""
    inner = "".join(_block(block) for block in view["blocks"])
    close, submit = _text(view["close"]["text"]), _text(view["submit"]["text"])
    return (
        f'<div class="modal"><header>{_text(view["title"]["text"])}</header><main>{inner}</main>'
        f'<footer><button>{close}</button><button class="primary">{submit}</button></footer></div>'
    )


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _block(block: Block) -> str:
    return f'<div class="block {block["type"]}">{_KINDS[block["type"]](block)}</div>'


def _section(block: Block) -> str:
    text = _object(block["text"]) if "text" in block else ""
    fields = "".join(f"<div>{_object(field)}</div>" for field in block.get("fields", ()))
    return text + (f'<div class="fields">{fields}</div>' if fields else "")


def _object(text: Block) -> str:
    return _mrkdwn(text["text"]) if text["type"] == "mrkdwn" else _text(text["text"])


def _mrkdwn(text: str) -> str:
    """The part of Slack's markup that our cards use; the text comes escaped as Slack asks for it."""
    parts = []
    for part in re.split(r"(<[^<>]*>)", text):
        if part.startswith("<"):
            parts.append(_text(part[1:-1].partition("|")[2] or part[1:-1]))
            continue
        safe = _text(html.unescape(part))
        safe = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", safe)
        parts.append(re.sub(r"\*(\S[^*\n]*)\*", r"<b>\1</b>", safe))
    return "".join(parts).replace("\n", "<br>")


def _rich(block: Block) -> str:
    return "".join(_element(element) for element in block["elements"])


def _element(element: Block) -> str:
    kind = element["type"]
    if kind == "rich_text_list":
        return "<ul>" + "".join(f"<li>{_runs(item)}</li>" for item in element["elements"]) + "</ul>"
    if kind == "rich_text_preformatted":
        return f"<pre>{_runs(element)}</pre>"
    return f'<div class="section">{_runs(element)}</div>'


def _runs(element: Block) -> str:
    return "".join(_run(run) for run in element["elements"])


def _run(run: Block) -> str:
    if run["type"] == "date":
        return _text(run["fallback"])
    if run["type"] == "link":
        return f'<a href="{_text(run["url"])}">{_text(run["text"])}</a>'
    told = _text(run["text"])
    return f"<b>{told}</b>" if run.get("style", {}).get("bold") else told


def _actions(block: Block) -> str:
    return "".join(
        f'<button class="{one.get("style", "")}">{_object(one["text"])}</button>' for one in block["elements"]
    )


def _input(block: Block) -> str:
    field = block["element"]
    kind = "field long" if field.get("multiline") else "field"
    return f'<label>{_object(block["label"])}</label><div class="{kind}">{_text(field.get("initial_value", ""))}</div>'


_KINDS: Mapping[str, Callable[[Block], str]] = {
    "header": lambda block: _object(block["text"]),
    "section": _section,
    "rich_text": _rich,
    "context": lambda block: " ".join(_object(one) for one in block["elements"]),
    "actions": _actions,
    "divider": lambda _block: "<hr>",
    "input": _input,
}
