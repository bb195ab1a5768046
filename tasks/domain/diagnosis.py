"""Diagnosis: the failure class, the cause, the culprit and the evidence that shows it."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from tasks.domain.base import Noun
from tasks.domain.failure_class import FailureClass


class SaidBy(StrEnum):
    """Who made a claim."""

    RULE = "rule"
    MODEL = "model"
    MEMORY = "memory"


class CulpritKind(StrEnum):
    """What kind of thing has to change, or is at fault."""

    PACKAGE = "package"
    MODULE = "module"
    FILE = "file"
    TEST = "test"
    IMAGE = "image"
    HOST = "host"
    PERMISSION = "permission"
    SECRET = "secret"
    COMMAND = "command"
    RESOURCE = "resource"
    RULE = "rule"
    COMMIT = "commit"


class Culprit(Noun):
    """The thing that a finding names: `name` as the tool printed it, with file, line and version where it said so."""

    kind: CulpritKind
    name: str
    file: str | None = None
    line: int | None = None
    version: str | None = None


class Finding(Noun):
    """One rule's claim. A diagnosis is the finding that ranks first."""

    failure_class: FailureClass
    rule: str
    cause: str
    """One sentence for the operator, naming the culprit."""
    culprit: Culprit | None = None
    evidence_ids: tuple[str, ...] = Field(min_length=1)
    confidence: float = Field(ge=0.0, le=1.0)
    transient: bool = False
    """Whether the same thing, run again, may well pass."""


class Diagnosis(Noun):
    """What failed and why. `UNKNOWN` quotes no evidence; every other class quotes at least one line."""

    failure_class: FailureClass
    cause: str
    culprit: Culprit | None = None
    evidence_ids: tuple[str, ...] = ()
    confidence: float = Field(ge=0.0, le=1.0)
    transient: bool = False
    said_by: SaidBy = SaidBy.RULE
    rule: str = ""
    fingerprint: str
    """Equal for the same failure of the same repository on any commit: class, job, culprit and masked cause line."""
    other_findings: tuple[Finding, ...] = ()

    @model_validator(mode="after")
    def _claims_quote_evidence(self) -> Self:
        if self.failure_class is not FailureClass.UNKNOWN and not self.evidence_ids:
            raise ValueError(f"{self.failure_class} is claimed without evidence; a claim without evidence is 'unknown'")
        return self
