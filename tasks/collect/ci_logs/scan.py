"""One pass over one log, block by block: memory stays flat whatever the log's size or its longest line.

A joined RE2 expression finds the lines that any signature or mark knows; only those are decoded. What a step said
that passed is forgotten, and so is what was tried again with success; each line left knows how near to the failure
it stands.
"""

import re
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import BinaryIO

import re2

from tasks.collect.ci_logs.marks import MARKS, Mark
from tasks.collect.ci_logs.mask import mask
from tasks.collect.ci_logs.text import (
    MAX_LINE_BYTES,
    REWRITTEN,
    count_lines,
    decode_line,
    read_blocks,
    split_lines,
    strip_block,
)
from tasks.collect.redact import redact
from tasks.domain.base import Noun
from tasks.domain.evidence import MAX_LINE_CHARACTERS, EvidenceLine, LineRole
from tasks.domain.signature import Signature

FIRST_SHAPES, LAST_SHAPES = 4, 2
"""How many lines of different shape one signature may quote, first and last; repeats are counted, not quoted."""
MAX_LINES = 60
MAX_FAILURES = 200
CONTEXT_BEFORE, CONTEXT_AFTER = 2, 4
FALLBACK_LINES = 12
"""With no signature found: the lines before the job's first failure mark, or the log's last ones."""

_EXIT_CODE = re.compile(
    r"(?:exit code:?|exited with(?: (?:code|status))?|exit status|Job failed: exit (?:code|status)) ?(\d+)"
)
_CUT = (
    rb"(?i)no more output will be collected|log length has exceeded|output exceeded the limit of"
    rb"|job's log exceeded limit"
)
_LAST_WORDS = ("fatal: ", "Error: ", "error: ")
LAST_WORDS_LINES = 12
_STEP = re.compile(r"^##\[(?:group\]Run|section\]Starting:) (.+)")
_SAYS_NOTHING = re.compile(
    r"^\s*(?:✓|✔|√|ok \d+ |--- PASS|PASS(?:ED)?\b)|\.\.\. ok$| PASSED(?:\s|$)|^not ok .*# (?:TODO|SKIP)"
    r"|^\+{1,4} (?!CategoryInfo|FullyQualifiedErrorId)\S|^\$ \S"
)
"""A test that passed, whatever its name, and a command that a shell repeats before it runs it."""


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

    __slots__ = ("after", "before", "last", "number", "repeated", "signature", "step", "text")

    def __init__(self, signature: str, number: int, text: str, before: list[str], after: list[str], step: str | None):
        self.signature, self.number, self.text = signature, number, text
        self.before, self.after, self.step = before, after, step
        self.repeated, self.last = 1, number


def scan_log(stream: BinaryIO, *, source: str, signatures: Sequence[Signature]) -> LogScan:
    """Read a log to its end and quote what says why it failed.

    Lines get the id `E0`; `number_evidence` gives the real ones once all sources are read.
    """
    ordered = sorted(signatures, key=lambda known: known.rank)
    scan = _Scan(
        _compile(tuple((signature.name, signature.searched) for signature in ordered)),
        frozenset(signature.name for signature in signatures if signature.reach_lines is not None),
    )
    for block in read_blocks(stream):
        scan.read(block)
    return scan.result(source, {signature.name: signature.rank for signature in signatures})


class _Compiled:
    """All signatures and marks as one expression to find lines, and one by one to name them."""

    def __init__(self, rows: tuple[tuple[str, str], ...]) -> None:
        options = re2.Options()
        options.max_mem = 512 << 20
        options.encoding = re2.Options.Encoding.LATIN1
        marks = [(mark, pattern.replace(r"\x{2019}", "’")) for mark, pattern in MARKS]
        joined = "|".join([*(_unnamed(pattern) for _, pattern in rows), *(pattern for _, pattern in marks)])
        self.find = re2.compile(f"(?m){joined}".encode(), options)
        self.cut = re2.compile(_CUT, options)
        self.each = [(name, re2.compile(f"(?m){pattern}".encode(), options)) for name, pattern in rows]
        self.marks = [(mark, re2.compile(f"(?m){pattern}".encode(), options)) for mark, pattern in marks]

    def mark_of(self, line: bytes) -> Mark | None:
        return next((mark for mark, pattern in self.marks if pattern.search(line)), None)

    def name_of(self, line: bytes) -> str | None:
        return next((name for name, pattern in self.each if pattern.search(line)), None)


def _unnamed(pattern: str) -> str:
    return "(?:" + re.sub(r"\(\?P<\w+>", "(?:", pattern) + ")"


@lru_cache(maxsize=4)
def _compile(rows: tuple[tuple[str, str], ...]) -> _Compiled:
    return _Compiled(rows)


class _Scan:
    def __init__(self, compiled: _Compiled, harmless: frozenset[str]) -> None:
        self._compiled, self._harmless = compiled, harmless
        self._hits: dict[str, OrderedDict[str, _Hit]] = {}
        self._tail: deque[tuple[int, str]] = deque(maxlen=FALLBACK_LINES)
        self._fallback: list[tuple[int, str]] = []
        self._failures: list[int] = []
        self._closings: deque[int] = deque(maxlen=MAX_FAILURES)
        self._line, self._bytes = 0, 0
        self._step: str | None = None
        self._step_starts, self._step_failed = 0, False
        self._in_script, self._timers = False, 0
        self._exit_code: int | None = None
        self._passed = self._truncated = self._ended = False

    def read(self, raw: bytes) -> None:
        """Take one block of whole lines."""
        self._bytes += len(raw)
        block = strip_block(raw)
        if self._compiled.cut.search(block):
            self._truncated = True
        position = line = 0
        while (match := self._compiled.find.search(block, position)) is not None:
            start = block.rfind(b"\n", 0, match.start()) + 1
            end = block.find(b"\n", max(match.start(), start))
            end = len(block) if end < 0 else end
            line += count_lines(block, position, start)
            self._take(block, start, end, self._line + line + 1)
            line += 0 if block[end - 1 : end + 1] == REWRITTEN else 1
            position = end + 1
            if position >= len(block):
                break
        self._line += count_lines(block) + (0 if block.endswith(b"\n") else 1)
        self._remember_tail(block)

    def _take(self, block: bytes, start: int, end: int, number: int) -> None:
        line = block[start : min(end, start + MAX_LINE_BYTES)]
        text = decode_line(line)
        mark = self._compiled.mark_of(line)
        if mark is not None and not self._follow(mark, block, start, number, text):
            return
        name = self._compiled.name_of(line)
        if name is None or _SAYS_NOTHING.search(text):
            return
        shapes = self._hits.setdefault(name, OrderedDict())
        shape = mask(text)[:500]
        known = shapes.get(shape)
        if known is not None and name not in self._harmless:
            known.repeated, known.last = known.repeated + 1, number
            return
        before = split_lines(block[max(0, start - 4096) : start], -CONTEXT_BEFORE)
        after = split_lines(block[end + 1 : end + 1 + 4096], CONTEXT_AFTER)
        hit = _Hit(name, number, text, before, after, self._step)
        hit.repeated += known.repeated if known is not None else 0
        shapes[shape] = hit
        if len(shapes) > FIRST_SHAPES + LAST_SHAPES:
            del shapes[list(shapes)[FIRST_SHAPES]]

    def _follow(self, mark: Mark, block: bytes, start: int, number: int, text: str) -> bool:
        """Keep up with the job's steps; whether the line may still say why (an exit code such as 137 does)."""
        match mark:
            case Mark.SCRIPT_STARTS | Mark.STEP_STARTS:
                self._start_step(number, text)
                self._in_script = mark is Mark.SCRIPT_STARTS
            case Mark.SCRIPT_ENDS:
                if self._in_script:
                    self._forget_step()  # the script's own text, printed before it ran
                self._in_script = False
            case Mark.TIMER_STARTS | Mark.TIMER_ENDS:
                self._time(mark, number)
            case Mark.STEP_PASSED:
                self._forget_step()
                self._step_starts = number
            case Mark.RECOVERED:
                self._forget_step(only=self._harmless)
            case Mark.JOB_ENDS:
                if not (self._ended or self._step_failed or self._failures or self._closings):
                    # The log of an action in a container may not say that it failed; its last words do.
                    self._forget_step(but=_LAST_WORDS, since=number - LAST_WORDS_LINES)
                    self._passed = not any(self._hits.values())
                self._ended = True
            case Mark.JOB_PASSED:
                self._passed = True
            case _:
                self._fail(mark, block, start, number, text)
                return True
        return False

    def _start_step(self, number: int, text: str) -> None:
        if not self._step_failed and (self._step is not None or not text.startswith("##[group]")):
            self._forget_step()
        step = _STEP.match(text)
        self._step = redact(step[1])[:200] if step else None
        self._step_starts, self._step_failed = number, False

    def _time(self, mark: Mark, number: int) -> None:
        """Travis: a command that starts at the top says that the one before did not end the job."""
        if mark is Mark.TIMER_ENDS:
            self._timers = max(0, self._timers - 1)
            return
        if self._timers == 0:
            self._forget_step(but=("fatal: ",))  # a script goes on after a failed git, and its last command may pass
            self._step_starts = number
        self._timers += 1

    def _forget_step(self, only: frozenset[str] | None = None, but: tuple[str, ...] = (), since: int = 0) -> None:
        """Drop what the step said so far: it is no cause, however it reads. Kept is what begins with one of `but`, from
        line `since` on."""
        for name, shapes in self._hits.items():
            if only is not None and name not in only:
                continue
            for shape, hit in list(shapes.items()):
                if hit.number >= self._step_starts and not (hit.number >= since and hit.text.startswith(but)):
                    del shapes[shape]

    def _fail(self, mark: Mark, block: bytes, start: int, number: int, text: str) -> None:
        self._step_failed = self._step_failed or text.startswith("##[error]")
        if mark is Mark.CLOSED:
            self._closings.append(number)
            if text.startswith("##[error]"):
                return
        self._passed = False
        code = _EXIT_CODE.search(text)
        if self._exit_code is None and code and int(code[1]):
            self._exit_code = int(code[1])
        first = mark is Mark.FAILED and not self._failures
        if mark is Mark.FAILED:
            if '" ' in text:  # Travis names the command, which ends with it
                self._step_starts = number + 1
            if len(self._failures) < MAX_FAILURES:
                self._failures.append(number)
        if first or not self._fallback:
            before = split_lines(block[max(0, start - 8192) : start], -FALLBACK_LINES)
            before = [*(before or [line for _, line in self._tail]), text]
            self._fallback = [(number - len(before) + 1 + offset, line) for offset, line in enumerate(before)]

    def _remember_tail(self, block: bytes) -> None:
        lines = split_lines(block[-8192:], -FALLBACK_LINES)
        first = self._line - len(lines) + 1
        self._tail.extend((first + offset, line) for offset, line in enumerate(lines))

    def result(self, source: str, order: dict[str, int]) -> LogScan:
        """The bounded evidence."""
        hits = [hit for shapes in self._hits.values() for hit in shapes.values()]
        hits.sort(key=lambda hit: (self._distance(hit) is None, order[hit.signature], hit.number))
        lines: dict[int, EvidenceLine] = {}
        for hit in hits[: MAX_LINES // 2]:
            lines[hit.number] = _evidence(source, hit.number, hit.text, hit, distance=self._distance(hit))
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

    def _distance(self, hit: _Hit) -> int | None:
        """Lines to the next place that says that the job failed, else to the end of a log that never says so."""
        places = self._failures or list(self._closings) or [max(self._line, hit.last)]
        at = bisect_left(places, hit.last)
        return places[at] - hit.last if at < len(places) else None


def _around(hit: _Hit) -> Iterator[tuple[int, str]]:
    for offset, text in enumerate(hit.before):
        yield hit.number - len(hit.before) + offset, text
    for offset, text in enumerate(hit.after, 1):
        yield hit.number + offset, text


def _evidence(
    source: str, number: int, text: str, hit: _Hit | None, *, step: str | None = None, distance: int | None = None
) -> EvidenceLine:
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
        lines_before_failure=distance,
    )
