"""Freezes: spans of time in which nothing is changed, such as the days before a sale."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import model_validator

from tasks.domain.base import Noun, UtcTime


class Freeze(Noun):
    """From `begins` to `ends`, nothing is changed in the `environments`; empty is in all."""

    begins: UtcTime
    ends: UtcTime
    why: str = ""
    environments: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _begins_first(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError("a freeze ends after it begins")
        return self

    @property
    def told(self) -> str:
        """In words."""
        why = f" ({self.why})" if self.why else ""
        return f"changes are frozen until {self.ends:%Y-%m-%d %H:%M} UTC{why}"


def freeze_at(freezes: Sequence[Freeze], environment: str, now: datetime) -> Freeze | None:
    """The freeze that holds in the environment now, of several the one that ends last; `None` when none does."""
    holding = [
        one
        for one in freezes
        if one.begins <= now < one.ends and (not one.environments or environment in one.environments)
    ]
    return max(holding, key=lambda one: one.ends, default=None)
