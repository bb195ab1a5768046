"""How sure a rule is, from measurement: how often it was right where it made the diagnosis on labelled cases.

`measured.json` is written by `make confidence CASES=…`, from real failures; the project's own scenarios were written
together with the rules and prove nothing here.
"""

import json
from functools import cache
from importlib.resources import files

from pydantic import Field

from tasks.domain.base import Noun

PRIOR_CASES = 2
"""How many cases the average of all rules counts for: a rule seen once is neither sure nor useless."""


HIGHEST = 0.99
"""No rule is certain."""


class Record(Noun):
    """On how many cases a rule made the diagnosis, and on how many of those it was right."""

    right: int = Field(ge=0)
    of: int = Field(ge=0)


class Measured(Noun):
    """The records of all rules that were seen."""

    rules: dict[str, Record]

    @property
    def average(self) -> float:
        """The share of right diagnoses over all rules, 0 when nothing was measured."""
        return sum(record.right for record in self.rules.values()) / max(1, sum(r.of for r in self.rules.values()))

    def confidence(self, rule: str) -> float:
        """The estimate for one rule: its own share, drawn towards the average while it was seen on few cases."""
        record = self.rules.get(rule, Record(right=0, of=0))
        estimate = (record.right + PRIOR_CASES * self.average) / (record.of + PRIOR_CASES)
        return min(HIGHEST, round(estimate, 2))


@cache
def measured() -> Measured:
    """What was measured for this release."""
    document = files("tasks.diagnose").joinpath("measured.json").read_text(encoding="utf-8")
    return Measured.model_validate(json.loads(document))


def confidence_of(rule: str) -> float:
    """How sure a diagnosis by this rule is, between 0 and 1."""
    return measured().confidence(rule)
