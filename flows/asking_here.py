"""Asks a person without Prefect: the question stands in the ledger, and whoever is here, or elsewhere, answers it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from tasks.approve import answer_question, attempt_at, give_up, make_request, put_question
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, Approval, ApprovalChannel, ApprovalRequest, Identity
from tasks.domain.plan import Decision
from tasks.domain.story import Triage
from tasks.settings import Settings

Tell = Callable[[str], None]
POLL_SECONDS = 1.0


class LedgerAsker:
    """One question of one process.

    `here` is what whoever started it says, `None` when nobody is here. Then, and where more people have to say yes,
    an answer through another channel is waited for, up to `wait_seconds`.
    """

    run_id = ""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        here: Callable[[Triage], Answer | None],
        *,
        reason: str = "",
        wait_seconds: int = 0,
        tell: Tell = lambda _: None,
    ) -> None:
        self._settings, self._identity, self._here = settings, identity, here
        self._reason, self._wait_seconds, self._tell = reason, wait_seconds, tell
        self.key, self.actor = uuid4().hex, identity.name

    def ask(self, triage: Triage, decision: Decision) -> Approval | None:
        """The answer that the ledger holds in the end; `None` when there is none, which is no.

        Raises:
            HealflowError: the ledger cannot be written.
        """
        ledger, now = Ledger.shared(self._settings.ledger_url), datetime.now(UTC)
        seconds = self._wait_seconds or self._settings.approval_timeout_seconds
        wanted = make_request(triage, decision, timeout_seconds=seconds, flow_run_id="", now=now)
        request = put_question(ledger, wanted)
        try:
            self._answer(ledger, request, self._here(triage))
            return self._wait(ledger, request)
        except KeyboardInterrupt:
            give_up(ledger, request, now=datetime.now(UTC))
            raise

    def _answer(self, ledger: Ledger, request: ApprovalRequest, answer: Answer | None) -> None:
        if answer is None:
            return
        attempt = attempt_at(
            request,
            answer=answer,
            identity=self._identity,
            channel=ApprovalChannel.COMMAND_LINE,
            reason=self._reason,
            now=datetime.now(UTC),
        )
        judgement = answer_question(ledger, attempt, people=self._settings.approvals.people)
        if not judgement.settles:
            self._tell(judgement.message)

    def _wait(self, ledger: Ledger, request: ApprovalRequest) -> Approval | None:
        until = time.monotonic() + self._wait_seconds
        while True:
            stored = ledger.approvals.get(request.id)
            if stored is None or stored.answer is not None:
                return stored.answer if stored is not None else None
            if time.monotonic() >= until:
                give_up(ledger, request, now=datetime.now(UTC))
                continue
            time.sleep(POLL_SECONDS)
