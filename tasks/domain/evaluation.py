"""Evaluation: labelled cases, what the diagnosis made of each, and the figures over all of them."""

from collections.abc import Mapping, Sequence

from pydantic import ConfigDict, Field

from tasks.domain.base import Noun
from tasks.domain.failure_class import FailureClass


class Case(Noun):
    """One labelled failure, a row of a `cases.jsonl`; fields that are not named here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    ecosystem: str = "unknown"
    failure_class: str | None = None
    """The annotator's label, in the annotator's words."""
    gold_lines: tuple[str, ...] | None = None
    """The lines that say why, as somebody else marked them."""
    gold_ranges: tuple[tuple[int, int], ...] | None = None
    """Their line numbers in the whole log, 1-based, both ends included."""
    log_text: str | None = None
    full_log: str | None = None
    """The whole log beside the file of cases, plain or gzip."""
    passed_on_same_commit: int = Field(default=0, ge=0)
    """How often history saw the same commit pass."""
    passing_log: str | None = None
    """A log of the same job that passed, beside the file of cases."""


class CaseResult(Noun):
    """What the diagnosis made of one case."""

    case_id: str
    ecosystem: str
    label: str | None
    expected: tuple[FailureClass, ...]
    """The classes that count as right; none when the label has no class in the catalogue."""
    found: tuple[FailureClass, ...]
    """The classes of the findings, the diagnosis first, each once."""
    rule: str | None
    has_gold: bool
    quoted_hit: bool
    """Whether any quoted line is a gold line."""
    cause_hit: bool
    """Whether a line that the diagnosis itself cites is one."""
    bytes_read: int
    seconds: float
    false_alarm: bool | None = None
    """Whether the passing log yields a diagnosis; `None` without such a log."""

    @property
    def right(self) -> bool:
        """Whether the diagnosis has the right class."""
        return bool(self.found) and self.found[0] in self.expected

    @property
    def right_of_three(self) -> bool:
        """Whether one of the first three classes is right."""
        return any(found in self.expected for found in self.found[:3])


class ClusterLabel(Noun):
    """What must be said about one captured cluster."""

    classes: tuple[FailureClass, ...] = ()
    """The classes that count as right; none for a cluster in which nothing is wrong."""
    objects: tuple[str, ...] = ()
    """The objects that count as right, as `Kind/namespace/name`."""
    words: tuple[str, ...] = ()
    """Patterns, each of which the sentence of the cause must match."""
    quoted: tuple[str, ...] = ()
    """Patterns, each of which the cause or a line that it cites must match."""


class ClusterCaseResult(Noun):
    """What was said about one captured cluster."""

    case_id: str
    kind: str
    healthy: bool
    place: int | None
    """Where the right cause stands among the causes, from 1; `None` when it is not there."""
    causes: int
    failure_class: FailureClass | None
    """Of the first cause."""
    target: str
    said: str
    confidence: float
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the first cause is the right one; of a healthy cluster, whether there is none."""
        return self.causes == 0 if self.healthy else self.place == 1

    @property
    def right_of_three(self) -> bool:
        """Whether one of the first three causes is."""
        return self.right or (self.place is not None and self.place <= 3)


class Share(Noun):
    """So many of so many."""

    count: int = Field(ge=0)
    of: int = Field(ge=0)

    @property
    def ratio(self) -> float | None:
        """Between 0 and 1; `None` of nothing."""
        return self.count / self.of if self.of else None


class Figures(Noun):
    """The figures over a group of results."""

    cases: int
    top1: Share
    top3: Share
    quoted: Share
    cited: Share
    unknown: Share
    false_alarms: Share
    seconds: float
    megabytes: float
    """Of 10^6 bytes."""

    @property
    def megabytes_a_second(self) -> float:
        """Log read per second of work."""
        return self.megabytes / self.seconds if self.seconds else 0.0


class Evaluation(Noun):
    """All results, and the cases that could not be read with the reason."""

    results: tuple[CaseResult, ...]
    left_out: Mapping[str, str] = Field(default_factory=dict)


def figures(results: Sequence[CaseResult]) -> Figures:
    """Sum results up; a share counts only those to which its question applies."""
    labelled = [result for result in results if result.expected]
    gold = [result for result in results if result.has_gold]
    asked = [result for result in results if result.false_alarm is not None]
    return Figures(
        cases=len(results),
        top1=Share(count=sum(result.right for result in labelled), of=len(labelled)),
        top3=Share(count=sum(result.right_of_three for result in labelled), of=len(labelled)),
        quoted=Share(count=sum(result.quoted_hit for result in gold), of=len(gold)),
        cited=Share(count=sum(result.cause_hit for result in gold), of=len(gold)),
        unknown=Share(count=sum(result.found[0] is FailureClass.UNKNOWN for result in results), of=len(results)),
        false_alarms=Share(count=sum(bool(result.false_alarm) for result in asked), of=len(asked)),
        seconds=sum(result.seconds for result in results),
        megabytes=sum(result.bytes_read for result in results) / 1e6,
    )
