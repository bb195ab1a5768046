"""Somebody at the terminal of a deploy, who says one thing."""

from flows.asking_here import LedgerAsker
from tasks.approve import identify
from tasks.domain.approval import Answer, IdentityKind
from tasks.domain.story import Triage
from tasks.settings import Settings


class Somebody(LedgerAsker):
    """Answers at once; `None` is nobody. `seen` is what was asked."""

    def __init__(self, settings: Settings, answer: Answer | None, *, name: str = "ada") -> None:
        self.seen: list[Triage] = []
        self.told: list[str] = []
        identity = identify(IdentityKind.LOCAL, name, settings.approvals.people)

        def here(triage: Triage) -> Answer | None:
            self.seen.append(triage)
            return answer

        super().__init__(settings, identity, here, tell=self.told.append)
