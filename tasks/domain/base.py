"""What every noun has in common: frozen, closed to unknown fields, times in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Noun(BaseModel):
    """A value that passes between stages; never changed in place."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside the calendar in UTC") from None


UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An aware time, stored in UTC."""
