"""One pass over one log, block by block: memory stays flat whatever the log's size or its longest line.

A joined RE2 expression finds the lines that any signature knows; only those are decoded. Lines that say nothing more
than that something failed ("Process completed with exit code 1") are known as wrappers and are never a cause.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import BinaryIO

import re2

from tasks.collect.ci_logs.mask import mask
from tasks.collect.redact import redact
from tasks.domain.base import Noun
from tasks.domain.evidence import MAX_LINE_CHARACTERS, EvidenceLine, LineRole
from tasks.domain.signature import Signature

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16_384
"""A longer line is read up to here; the rest of it is passed over."""
MAX_SHAPES_A_SIGNATURE = 4
"""How many lines of different shape one signature may quote; repeats are counted, not quoted."""
MAX_LINES = 60
CONTEXT_BEFORE, CONTEXT_AFTER = 2, 4
FALLBACK_LINES = 12
"""With no signature found: the lines before the job's first wrapper line, or the log's last ones."""

_TIMESTAMP = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ?")
_ANSI = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_WRAPPER = (
    rb"(?:##\[error\](?:Process completed with exit code|The process '[^']*' failed with exit code) ?\d+"
    rb"|^Build step '[^']*' marked build as failure|^Finished: (?:FAILURE|ABORTED|UNSTABLE)"
    rb"|^The command \"[^\n]*\" (?:failed and )?exited with [1-9]\d*|^Done\. Your build exited with [1-9]"
    rb"|^ERROR: Job failed: |^npm ERR! Exit status \d+|exited with code [1-9]\d*\.?$)"
)
_PASSED = rb"(?:^Finished: SUCCESS|^Done\. Your build exited with 0|^Job succeeded)"
_STEP_PASSED = rb"^The command \"[^\n]*\" exited with 0\.?$"
"""What stands before such a line, back to the line before it of its kind, did not make the job fail."""
_EXIT_CODE = re.compile(r"(?:exit code:?|exited with(?: code)?|exit status|Job failed: exit (?:code|status)) ?(\d+)")
_CUT = (
    rb"(?i)no more output will be collected|log length has exceeded|output exceeded the limit of"
    rb"|job's log exceeded limit"
)
_STEP = re.compile(r"^##\[group\]Run (.+)")


class LogScan(Noun):
    """What one log says."""

    source: str
    lines: tuple[EvidenceLine, ...]
    exit_code: int | None = None
    """The first exit code other than 0 that the log reports."""
    truncated: bool = False
    passed: bool = False
    """Whether the log ends by saying that the job succeeded."""
    bytes_read: int = 0
    line_count: int = 0


class _Hit:
    """A line found, with its neighbours."""

    __slots__ = ("after", "before", "number", "repeated", "signature", "step", "text")

    def __init__(self, signature: str, number: int, text: str, before: list[str], after: list[str], step: str | None):
        self.signature, self.number, self.text = signature, number, text
        self.before, self.after, self.step = before, after, step
        self.repeated = 1


def scan_log(stream: BinaryIO, *, source: str, signatures: Sequence[Signature]) -> LogScan:
    """Read a log to its end and quote what says why it failed.

    Lines get the id `E0`; `number_evidence` gives the real ones once all sources are read.
    """
    scan = _Scan(
        _compile(
            tuple((signature.name, signature.pattern) for signature in sorted(signatures, key=lambda known: known.rank))
        )
    )
    for block in _blocks(stream):
        scan.read(block)
    order = {signature.name: signature.rank for signature in signatures}
    return scan.result(source, order)


class _Compiled:
    """All signatures as one expression to find lines, and one by one to name them."""

    def __init__(self, rows: tuple[tuple[str, str], ...]) -> None:
        options = re2.Options()
        options.max_mem = 512 << 20
        options.encoding = re2.Options.Encoding.LATIN1
        parts = [_unnamed(pattern) for _, pattern in rows]
        joined = "|".join(
            [*parts, _WRAPPER.decode(), _PASSED.decode(), _STEP_PASSED.decode(), r"^##\[error\]", r"^##\[group\]Run "]
        )
        self.find = re2.compile(f"(?m){joined}".encode(), options)
        self.each = [(name, re2.compile(f"(?m){pattern}".encode(), options)) for name, pattern in rows]
        self.wrapper = re2.compile(b"(?m)" + _WRAPPER, options)
        self.passed = re2.compile(b"(?m)" + _PASSED, options)
        self.step_passed = re2.compile(b"(?m)" + _STEP_PASSED, options)
        self.cut = re2.compile(_CUT, options)


def _unnamed(pattern: str) -> str:
    return "(?:" + re.sub(r"\(\?P<\w+>", "(?:", pattern) + ")"


@lru_cache(maxsize=4)
def _compile(rows: tuple[tuple[str, str], ...]) -> _Compiled:
    return _Compiled(rows)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Whole lines, about a block at a time; a line without an end is cut at the block's size."""
    rest = b""
    while True:
        block = stream.read(BLOCK_BYTES)
        if not block:
            break
        block = rest + block
        cut = block.rfind(b"\n") + 1
        if cut == 0 and len(block) < 2 * BLOCK_BYTES:
            rest = block
            continue
        if cut == 0:
            rest = b"" if len(block) > MAX_LINE_BYTES else block
            yield block[:MAX_LINE_BYTES]
            continue
        rest = block[cut:]
        yield block[:cut]
    if rest:
        yield rest


class _Scan:
    def __init__(self, compiled: _Compiled) -> None:
        self._compiled = compiled
        self._hits: dict[str, OrderedDict[str, _Hit]] = {}
        self._tail: deque[tuple[int, str]] = deque(maxlen=FALLBACK_LINES)
        self._fallback: list[tuple[int, str]] = []
        self._line, self._bytes = 0, 0
        self._step: str | None = None
        self._step_starts, self._step_failed = 0, False
        self._exit_code: int | None = None
        self._passed = self._truncated = False

    def read(self, raw: bytes) -> None:
        """Take one block of whole lines."""
        self._bytes += len(raw)
        block = _strip(raw)
        if self._compiled.cut.search(block):
            self._truncated = True
        position = line = 0
        while (match := self._compiled.find.search(block, position)) is not None:
            start = block.rfind(b"\n", 0, match.start()) + 1
            end = block.find(b"\n", max(match.start(), start))
            end = len(block) if end < 0 else end
            line += block.count(b"\n", position, start)
            self._take(block, start, end, self._line + line + 1)
            line += 1
            position = end + 1
            if position >= len(block):
                break
        self._line += block.count(b"\n") + (0 if block.endswith(b"\n") else 1)
        self._remember_tail(block)

    def _take(self, block: bytes, start: int, end: int, number: int) -> None:
        line = block[start : min(end, start + MAX_LINE_BYTES)]
        text = _decode(line)
        if (step := _STEP.match(text)) is not None:
            if self._step is not None and not self._step_failed:
                self._forget_step()
            self._step = redact(step[1])[:200]
            self._step_starts, self._step_failed = number, False
            return
        if self._compiled.step_passed.search(line):
            self._forget_step()
            self._step_starts = number
            return
        self._step_failed = self._step_failed or text.startswith("##[error]")
        if self._compiled.passed.search(line):
            self._passed = True
            return
        if self._compiled.wrapper.search(line):
            if text.startswith('The command "'):
                self._step_starts = number + 1
            self._wrap(block, start, number, text)  # an exit code such as 137 may still say why
        name = next((name for name, pattern in self._compiled.each if pattern.search(line)), None)
        if name is None:
            return
        shapes = self._hits.setdefault(name, OrderedDict())
        shape = mask(text)[:500]
        if shape in shapes:
            shapes[shape].repeated += 1
        elif len(shapes) < MAX_SHAPES_A_SIGNATURE:
            before = _neighbours(block[max(0, start - 4096) : start], -CONTEXT_BEFORE)
            after = _neighbours(block[end + 1 : end + 1 + 4096], CONTEXT_AFTER)
            shapes[shape] = _Hit(name, number, text, before, after, self._step)

    def _forget_step(self) -> None:
        """Drop what the step said that just passed: it is no cause, however it reads."""
        for shapes in self._hits.values():
            for shape in [shape for shape, hit in shapes.items() if hit.number >= self._step_starts]:
                del shapes[shape]

    def _wrap(self, block: bytes, start: int, number: int, text: str) -> None:
        self._passed = False
        code = _EXIT_CODE.search(text)
        if self._exit_code is None and code and int(code[1]):
            self._exit_code = int(code[1])
        if not self._fallback:
            before = _neighbours(block[max(0, start - 8192) : start], -FALLBACK_LINES)
            before = [*(before or [line for _, line in self._tail]), text]
            self._fallback = [(number - len(before) + 1 + offset, line) for offset, line in enumerate(before)]

    def _remember_tail(self, block: bytes) -> None:
        lines = _neighbours(block[-8192:], -FALLBACK_LINES)
        first = self._line - len(lines) + 1
        self._tail.extend((first + offset, line) for offset, line in enumerate(lines))

    def result(self, source: str, order: dict[str, int]) -> LogScan:
        """The bounded evidence."""
        hits = [hit for shapes in self._hits.values() for hit in shapes.values()]
        hits.sort(key=lambda hit: (order[hit.signature], hit.number))
        lines: dict[int, EvidenceLine] = {}
        for hit in hits[: MAX_LINES // 2]:
            lines[hit.number] = _evidence(source, hit.number, hit.text, hit)
        for hit in hits[: MAX_LINES // 4]:
            for number, text in _around(hit):
                if number not in lines and text.strip() and len(lines) < MAX_LINES:
                    lines[number] = _evidence(source, number, text, None, step=hit.step)
        if not self._passed:
            for number, text in self._fallback or (list(self._tail) if not hits else []):
                if number > 0 and text.strip() and number not in lines:
                    lines[number] = _evidence(source, number, text, None, step=self._step)
        return LogScan(
            source=source,
            lines=tuple(lines[number] for number in sorted(lines)),
            exit_code=self._exit_code,
            truncated=self._truncated,
            passed=self._passed,
            bytes_read=self._bytes,
            line_count=self._line,
        )


def _strip(raw: bytes) -> bytes:
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r\n" not in raw else raw.replace(b"\r\n", b"\n")
    if b"\x1b" in raw:
        raw = _ANSI.sub(b"", raw)
    if _TIMESTAMP.match(raw) or _TIMESTAMP.search(raw, 0, 65_536):
        raw = _TIMESTAMP.sub(b"", raw)
    return raw.removeprefix(b"\xef\xbb\xbf")


def _decode(line: bytes) -> str:
    return line.decode("utf-8", "replace").replace("\x00", "\ufffd").rstrip("\r\n")


def _neighbours(part: bytes, count: int) -> list[str]:
    lines = part.rstrip(b"\n").split(b"\n") if part.strip() else []
    chosen = lines[count:] if count < 0 else lines[:count]
    return [_decode(line[:MAX_LINE_BYTES]) for line in chosen]


def _around(hit: _Hit) -> Iterator[tuple[int, str]]:
    for offset, text in enumerate(hit.before):
        yield hit.number - len(hit.before) + offset, text
    for offset, text in enumerate(hit.after, 1):
        yield hit.number + offset, text


def _evidence(source: str, number: int, text: str, hit: _Hit | None, *, step: str | None = None) -> EvidenceLine:
    text = redact(text)
    if len(text) > MAX_LINE_CHARACTERS:
        text = text[: MAX_LINE_CHARACTERS - 1] + "…"
    return EvidenceLine(
        id="E0",
        source=source,
        line_number=number,
        text=text,
        role=LineRole.CAUSE if hit else LineRole.CONTEXT,
        signature=hit.signature if hit else None,
        step=hit.step if hit else step,
        repeated=hit.repeated if hit else 1,
    )
