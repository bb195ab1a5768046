"""Reads a log of any length once and keeps what counts: its end, each kind of complaint with how often it was made, how
long what it logs took, and how the memory grew that it tells of.

What complains is told by its form (a level, a status of 500 and more), not by its words; lines that differ in numbers,
times and ids only are one kind.
"""

import re
import statistics
from collections import deque
from collections.abc import Iterable

from tasks.domain.base import Noun

MAX_KINDS = 200
MAX_LINE_CHARACTERS = 4_000
_HEAD = 400
_WORDS = ("ERROR", "FATAL", "CRITICAL", "SEVERE", "PANIC")
_LEVEL = re.compile(
    r"^[EF]\d{4} \d\d:\d\d:"  # klog
    r"|\b(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC)\b"
    r"|(?:level|severity|lvl|levelname)[\"']?\s*[:=]\s*[\"']?(?i:err|error|fatal|crit|critical|panic|alert|emerg)\b"
    r"|\[(?:error|fatal|crit|emerg|alert)\]"
)
_STATUS = re.compile(r"(?:status|code)[\"']?\s*[:=]\s*[\"']?5\d\d\b|HTTP/\d(?:\.\d)?\\?\"?,? 5\d\d\b")
_LEVELS = ("level", "severity", "lvl", "[error]", "[fatal]", "[crit]", "[emerg]", "[alert]")
_VARIES = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{7,}\b|\b[a-z]+-\d+\b|\d+", re.IGNORECASE
)
_SAID = re.compile(r"\"(?:message|msg|error|err|exception|path|job|operation)\"\s*:\s*\"((?:[^\"\\]|\\.)*)\"")
_REQUEST = re.compile(
    r"\b(?P<verb>GET|POST|PUT|PATCH|DELETE|HEAD)\s+(?P<path>/[^\s?\"]*)[^\"]*\"?,?\s+(?P<status>5\d\d)\b"
)
_PACED = ("ms", "latency", "duration", "elapsed", "response_time", "took")
_TOOK = re.compile(
    r"(?:response[_ ]?time|duration|latency|elapsed|took)(?P<unit>_?ms|_seconds)?[\"']?\s*[:=]?\s*\"?"
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<after>ms|s)?\b"
    r"|\s(?P<bare>\d+(?:\.\d+)?)ms\b",
    re.IGNORECASE,
)
_HOLDS = ("emory", "heap", "Heap", "rss", "RSS", "MEMORY")
_HELD = re.compile(
    r"(?:memory|heap|\brss\b)[^\d\n]{0,30}(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>[kKMG])(?:i?B|i)?\b", re.IGNORECASE
)
_MIB = {"k": 1 / 1024, "m": 1.0, "g": 1024.0}
_MAX_PACES = 4_000
_MIN_PACES = 20
_MIN_HELD = 12
_TIME = re.compile(r"(?:^|[\"\[ ])((?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d)")


class Complaint(Noun):
    """One kind of line that complains, over a whole log."""

    text: str
    """Its first line."""
    line_number: int
    last_line_number: int
    count: int
    since: str = ""
    """When the first and the last line were written, as they tell themselves; empty when they do not."""
    until: str = ""


class Pace(Noun):
    """How long what is logged took, at the beginning and at the end."""

    before_ms: float
    """The median of the first quarter."""
    after_ms: float
    """The median of the last tenth."""
    text: str
    """The last line that tells a time."""
    line_number: int


class Growth(Noun):
    """How much memory a log tells of that is held, where it grew from quarter to quarter."""

    before_mib: float
    """The median of the first quarter."""
    after_mib: float
    """That of the last."""
    text: str
    """The last line that tells it."""
    line_number: int


class ContainerLog(Noun):
    """The end of one container's log."""

    namespace: str
    pod: str
    container: str
    previous: bool = False
    lines: tuple[str, ...]
    first_line_number: int = 1
    line_count: int = 0
    """Of the whole log, as far as it was read; 0 where it is that of `lines`."""
    complaints: tuple[Complaint, ...] = ()
    """The kinds of lines that complain, over all that was read."""
    pace: Pace | None = None
    """How long what it logs took, where it tells."""
    growth: Growth | None = None
    """How the memory grew that it tells of, where it did."""

    @property
    def source(self) -> str:
        """What a quote of it names as its source."""
        return f"log:{self.namespace}/{self.pod}/{self.container}" + ("@previous" if self.previous else "")


class LogDigest(Noun):
    """What is kept of a log."""

    tail: tuple[str, ...]
    first_line_number: int
    """That of the first line of the tail."""
    line_count: int
    complaints: tuple[Complaint, ...]
    """In the order in which they began."""
    pace: Pace | None = None
    """`None` where too few lines tell how long something took."""
    growth: Growth | None = None
    """`None` where too few lines tell of memory, or it did not grow all the time."""


def digest_log(lines: Iterable[str], *, keep: int) -> LogDigest:
    """Read all lines once; the last `keep` are kept. Beyond `MAX_KINDS` no new kind of complaint is taken."""
    tail: deque[str] = deque(maxlen=keep)
    kinds: dict[str, Complaint] = {}
    paces, held = _Paces(), _Held()
    number = 0
    for number, line in enumerate(lines, 1):
        tail.append(line[:MAX_LINE_CHARACTERS])
        head = line[:_HEAD]
        if any(word in head for word in _PACED):
            paces.take(head, number)
        if any(word in head for word in _HOLDS):
            held.take(head, number)
        if _complains(head):
            _take(kinds, line[:MAX_LINE_CHARACTERS], number)
    return LogDigest(
        tail=tuple(tail),
        first_line_number=number - len(tail) + 1,
        line_count=number,
        complaints=tuple(kinds.values()),
        pace=paces.result(),
        growth=held.result(),
    )


class _Series:
    """Numbers in a log, thinned out evenly when they become many."""

    def __init__(self) -> None:
        self.numbers: list[float] = []
        self._each, self._seen = 1, 0
        self.last = ("", 0)

    def add(self, value: float, head: str, line_number: int) -> None:
        """Take one, and the line that tells it."""
        self._seen += 1
        self.last = (head.strip(), line_number)
        if self._seen % self._each:
            return
        self.numbers.append(value)
        if len(self.numbers) > _MAX_PACES:
            self.numbers, self._each = self.numbers[::2], self._each * 2


class _Held(_Series):
    """The memory that a log tells of."""

    def take(self, head: str, number: int) -> None:
        """Take the size in a line, if it tells one."""
        found = _HELD.search(head)
        if found is not None:
            self.add(float(found["number"]) * _MIB[found["unit"].lower()], head, number)

    def result(self) -> Growth | None:
        """How it grew over the whole log."""
        size = len(self.numbers) // 4
        if len(self.numbers) < _MIN_HELD:
            return None
        first, second, third, last = (statistics.median(self.numbers[at * size : (at + 1) * size]) for at in range(4))
        if not first < second < third < last:
            return None
        return Growth(before_mib=first, after_mib=last, text=self.last[0], line_number=self.last[1])


class _Paces(_Series):
    """The times in a log."""

    def take(self, head: str, number: int) -> None:
        """Take the time in a line, if it tells one."""
        found = _TOOK.search(head)
        if found is None:
            return
        in_seconds = (found["after"] or found["unit"] or "").lower() in ("s", "_seconds")
        self.add(float(found["number"] or found["bare"]) * (1000.0 if in_seconds else 1.0), head, number)

    def result(self) -> Pace | None:
        """The pace of the whole log."""
        times = self.numbers
        if len(times) < _MIN_PACES:
            return None
        before = statistics.median(times[: max(5, len(times) // 4)])
        after = statistics.median(times[-max(5, len(times) // 10) :])
        return Pace(before_ms=before, after_ms=after, text=self.last[0], line_number=self.last[1])


def _complains(head: str) -> bool:
    """Most lines have none of the words, and are done with soon."""
    told = head[:1] in "EF" or any(word in head for word in _WORDS) or any(word in head for word in _LEVELS)
    if told and _LEVEL.search(head):
        return True
    return ("status" in head or "code" in head or "HTTP/" in head) and _STATUS.search(head) is not None


def _take(kinds: dict[str, Complaint], line: str, number: int) -> None:
    kind = kind_of(line)
    known = kinds.get(kind)
    moment = _time_of(line)
    if known is not None:
        changed = {"last_line_number": number, "count": known.count + 1, "until": moment or known.until}
        kinds[kind] = known.model_copy(update=changed)
    elif len(kinds) < MAX_KINDS:
        kinds[kind] = Complaint(
            text=line.strip(), line_number=number, last_line_number=number, count=1, since=moment, until=moment
        )


def kind_of(line: str) -> str:
    """What lines have in common that differ only in numbers, times and ids."""
    request = _REQUEST.search(line)
    if request is not None:
        return _VARIES.sub("#", f"{request['verb']} {request['path']}") + f" {request['status']}"
    said = _SAID.findall(line) if line.lstrip().startswith("{") else []
    return _VARIES.sub("#", " | ".join(said) or line)[:300]


def message_of(line: str) -> str:
    """What a line says, without what stands around it."""
    said = _SAID.findall(line) if line.lstrip().startswith("{") else []
    return ": ".join(dict.fromkeys(text for text in said if text)) or line.strip()


def _time_of(line: str) -> str:
    found = _TIME.search(line, 0, 200)
    return found[1] if found else ""
