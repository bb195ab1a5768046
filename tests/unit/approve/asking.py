"""A ledger with one incident that waits for an answer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from tasks.approve import answer_question, identify
from tasks.clients.ledger import Ledger
from tasks.domain.approval import (
    Answer,
    ApprovalChannel,
    ApprovalRequest,
    ApprovalTerms,
    Attempt,
    IdentityKind,
    Judgement,
    Person,
)
from tasks.domain.incident import IncidentStatus, Signal, open_incident
from tests.fakes.signals import ci_signal

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ADA = Person(name="ada", slack="U0ADA", github="ada-l", local="ada", authors=("Ada Lovelace",))
GRACE = Person(name="grace", slack="U0GRACE", github="grace-h", local="grace")
LINUS = Person(name="linus", local="linus")
PEOPLE = (ADA, GRACE, LINUS)


class Asked:
    """One question, and attempts at it."""

    of: ClassVar[Mapping[str, Any]] = {}
    """What is different about the failure that it is about."""

    def __init__(self, where: Path | Ledger, *, at: datetime = NOW, **terms: Any) -> None:
        self.at = at
        self.ledger = where if isinstance(where, Ledger) else Ledger.in_folder(where)
        signal = ci_signal(at)
        signal = Signal.model_validate(signal.model_dump() | self.of)
        self.incident = self.ledger.incidents.open(open_incident(signal, now=at))
        self.request = self.ledger.approvals.ask(
            ApprovalRequest(
                id=f"{self.incident.id}-q",
                incident_id=self.incident.id,
                plan_digest="p" * 64,
                question="Format shop/cart.py?",
                asked_at=at,
                deadline=at + timedelta(hours=1),
                nonce="only-this-question",
                terms=ApprovalTerms.model_validate(terms),
                authors=("Ada Lovelace",),
            )
        )
        self.ledger.incidents.set_status(self.incident.id, IncidentStatus.WAITING)

    def say(
        self, answer: Answer, name: str = "grace", kind: IdentityKind = IdentityKind.LOCAL, **changes: Any
    ) -> Judgement:
        attempt = self.attempt(answer, name, kind)
        return answer_question(self.ledger, attempt.model_copy(update=changes), people=PEOPLE)

    def attempt(self, answer: Answer, name: str = "grace", kind: IdentityKind = IdentityKind.LOCAL) -> Attempt:
        return Attempt(
            request_id=self.request.id,
            plan_digest=self.request.plan_digest,
            nonce=self.request.nonce,
            answer=answer,
            identity=identify(kind, name, PEOPLE),
            channel=ApprovalChannel.COMMAND_LINE,
            at=self.at,
        )

    @property
    def settled(self) -> bool:
        stored = self.ledger.approvals.get(self.request.id)
        return stored is not None and stored.answer is not None

    def trail(self) -> list[str]:
        return [entry.kind for entry in self.ledger.audit.entries() if entry.kind != "journal"]
