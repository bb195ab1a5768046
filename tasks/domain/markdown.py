"""Outside text inside Markdown: code blocks that their own text cannot close, diffs of bounded length, and causes."""

import re
from textwrap import dedent

from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.story import Explanation

MAX_QUOTED_LINES = 12
MAX_DIFF_LINES = 120
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with whatever would be invisible, turn reading around or steer a terminal written out, as `\\u202e`:
    what is approved has to look like what it does.
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def fenced(text: str, language: str = "") -> str:
    """A code block that its own text cannot close."""
    text = visible(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def inline(text: str) -> str:
    """One line of outside text as inline code."""
    return "`" + " ".join(visible(text).replace("`", "'").split()) + "`"


def prose(text: str) -> str:
    """Outside text inside a sentence: no markup, no HTML, no links, not even bare ones, and nobody is notified."""
    plain = re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", visible(" ".join(text.split())))
    unlinked = re.sub(r"(?i)(?<=\w)(:)(?=//)|(?<=\bwww)(\.)", lambda found: f"\\{found[0]}", plain)
    return re.sub(r"@(?=[A-Za-z0-9])", "@\u200b", unlinked)


def quoted(lines: tuple[EvidenceLine, ...], *, only: tuple[str, ...] = ()) -> str:
    """Evidence with its ids and line numbers, in a code block; `only` narrows it to those ids."""
    chosen = [line for line in lines if not only or line.id in only] or list(lines)
    rows = [quote(line) for line in chosen[:MAX_QUOTED_LINES]]
    if len(chosen) > MAX_QUOTED_LINES:
        rows.append(f"     … and {len(chosen) - MAX_QUOTED_LINES} more")
    return fenced(dedent("\n".join(rows)))


def quote(line: EvidenceLine) -> str:
    """One quoted line as plain text: id, source, line number, text."""
    where = f"{line.source}:{line.line_number}" if line.line_number else line.source
    return f"{line.id:>4}  {where}  {visible(line.text)}"


def readable_diff(preview: str) -> list[str]:
    """The lines of a diff without git's `index` lines, which say nothing to a person, and with all that it holds made
    visible: no character in a line makes another line of it.
    """
    lines = visible(preview.replace("\r\n", "\n")).removesuffix("\n").split("\n") if preview else []
    return [line for number, line in enumerate(lines) if not (number and _is_index(lines[number - 1], line))]


def _is_index(before: str, line: str) -> bool:
    return line.startswith("index ") and before.startswith(("diff --git ", "new file mode ", "deleted file mode "))


def bounded_diff(preview: str) -> str:
    """The diff in a code block, cut after 120 lines, saying so."""
    lines = readable_diff(preview)
    cut = [] if len(lines) <= MAX_DIFF_LINES else [f"… {len(lines) - MAX_DIFF_LINES} more lines: see 'healflow show'"]
    return fenced("\n".join(lines[:MAX_DIFF_LINES] + cut), "diff")


def explanation_markdown(explanation: Explanation, *, what_next: str) -> str:
    """The cause with its quotes, for a job summary or a comment; `what_next` is left out when empty."""
    if explanation.passed:
        return "No failure: it ends by saying that all went well."
    parts = [cause_markdown(explanation.diagnosis, explanation.evidence)]
    parts += [f"- also {inline(o.failure_class)}: {prose(o.cause)}" for o in explanation.diagnosis.other_findings]
    if what_next:
        parts.append(f"**Next:** {prose(what_next)}")
    return "\n\n".join(parts)


def cause_markdown(diagnosis: Diagnosis, evidence: Evidence) -> str:
    """The cause, its class and confidence, the lines it quotes, and what could not be read."""
    parts = [
        "## Diagnosis",
        f"**{prose(diagnosis.cause)}** Class {inline(diagnosis.failure_class)}, confidence "
        f"{diagnosis.confidence:.0%}, said by {diagnosis.said_by}"
        + (f" {inline(diagnosis.rule)}." if diagnosis.rule else "."),
    ]
    if evidence.lines:
        parts.append(quoted(evidence.lines, only=diagnosis.evidence_ids))
    parts += _gaps(evidence)
    return "\n\n".join(parts)


def _gaps(evidence: Evidence) -> list[str]:
    gaps = [f"- could not read {inline(source.source)}: {prose(source.reason)}" for source in evidence.unreadable]
    if evidence.truncated:
        gaps.append("- the log was cut before its end: the cause may be missing")
    return ["\n".join(gaps)] if gaps else []
