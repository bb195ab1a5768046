"""Scenarios: folders that say how a failure looks and what has to be found; read by tests, `eval` and the docs alike.

`CLASS/CASE/` holds `event.json` (what a webhook delivers), `evidence/build.log`, and `expected.yaml`.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ConfigDict, Field, ValidationError

from tasks.domain.base import Noun
from tasks.domain.failure_class import FailureClass
from tasks.errors import BadInputError

LOG = Path("evidence") / "build.log"
EXPECTED = "expected.yaml"


class Expected(Noun):
    """What has to be found. `quotes` are whole lines of the log, one of which the diagnosis has to cite."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    failure_class: FailureClass = Field(alias="class")
    quotes: tuple[str, ...] = ()
    culprit: str | None = None
    near_miss: bool = False
    """Whether the log only looks like the class of its folder."""
    passed_on_same_commit: int = 0
    """What history says of the same commit."""


class Scenario(Noun):
    """One folder; `name` is `CLASS/CASE`, in which a slash of the class is a dash."""

    name: str
    folder: Path
    expected: Expected

    @property
    def log(self) -> Path:
        """The log of the failed job."""
        return self.folder / LOG


def are_scenarios(folder: Path) -> bool:
    """Whether a folder holds scenarios."""
    return next(folder.glob(f"*/*/{EXPECTED}"), None) is not None


def read_scenarios(folder: Path) -> tuple[Scenario, ...]:
    """All scenarios of a folder, by name.

    Raises:
        BadInputError: one of them does not say what is expected.
    """
    return tuple(_read(path.parent, folder) for path in sorted(folder.glob(f"*/*/{EXPECTED}")))


def _read(folder: Path, root: Path) -> Scenario:
    try:
        document = yaml.safe_load((folder / EXPECTED).read_text(encoding="utf-8"))
        expected = Expected.model_validate(document if isinstance(document, Mapping) else {})
    except (OSError, ValueError, yaml.YAMLError, ValidationError) as error:
        raise BadInputError(f"{folder / EXPECTED}: {str(error).splitlines()[0]}") from error
    return Scenario(name=folder.relative_to(root).as_posix(), folder=folder, expected=expected)
