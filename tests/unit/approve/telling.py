"""A question with the whole story around it, as a heal writes it into the ledger."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deployments.notifying import read_card
from tasks.clients.ledger import EntryKind
from tasks.domain.card import Card
from tasks.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from tasks.domain.evidence import Evidence, EvidenceLine, UnreadableSource
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import ActionResult, ActionStatus, Outcome
from tasks.domain.plan import Action, Decision, Plan, Remedy, Risk, Verdict, patch_digest
from tasks.settings import Settings
from tests.unit.approve.asking import NOW, PEOPLE, Asked

DIFF = """\
--- a/tests/test_cart.py
+++ b/tests/test_cart.py
@@ -1,2 +1,4 @@
+import pytest
+@pytest.mark.skip(reason="Quarantined until 2026-01-16 for grace: flaky")
 def test_total():
     assert total([]) == 0
"""
LINE = "E   AssertionError: <b>assert 1 == 0</b> & <!channel> *really*"


def quarantine(**changes: Any) -> Action:
    parameters = {"test": "tests/test_cart.py::test_total", "file": "tests/test_cart.py", "until": "2026-01-16"}
    told: dict[str, Any] = {
        "name": Remedy.QUARANTINE_TEST,
        "target": "healflow/inc-1",
        "parameters": parameters | {"owner": "grace", "patch": patch_digest(DIFF)},
        "risk": Risk.MEDIUM,
        "summary": "Skip the flaky test test_total until 2026-01-16, for grace to repair",
        "undo": "delete the branch",
        "preview": DIFF,
    }
    return Action.model_validate(told | changes)


class Told(Asked):
    """A question about skipping a flaky test, with its evidence, diagnosis, plan and decision."""

    def __init__(self, folder: Path, *, actions: tuple[Action, ...] = (), at: datetime = NOW, **terms: Any) -> None:
        super().__init__(folder, at=at, **terms)
        self.settings = Settings.model_validate({"approvals": {"people": PEOPLE}, "prefect_port": 4211})
        line = EvidenceLine(id="E1", source="log:test", line_number=7, text=LINE)
        other = EvidenceLine(id="E2", source="log:test", line_number=9, text="what is beside it")
        unread = UnreadableSource(source="log:lint", reason="410 Gone")
        self.write(EntryKind.EVIDENCE, Evidence(lines=(line, other), unreadable=(unread,)))
        diagnosis = Diagnosis(
            failure_class=FailureClass.CI_TEST_FLAKY,
            cause="test_total fails now and then",
            culprit=Culprit(kind=CulpritKind.TEST, name="test_total"),
            evidence_ids=("E1",),
            confidence=0.9,
            rule="flaky",
            fingerprint="f",
        )
        self.write(EntryKind.DIAGNOSIS, diagnosis)
        self.plan = Plan(
            incident_id=self.incident.id,
            playbook="quarantine",
            rationale="The same commit passed before.",
            actions=actions or (quarantine(),),
            target_state="a" * 40,
        )
        self.write(EntryKind.PLAN, self.plan)
        reason = "a change of tests needs a person"
        self.write(
            EntryKind.DECISION, Decision(verdict=Verdict.ASK, rules=("ask.tests",), reason=reason, policy_digest="d")
        )
        self.write(EntryKind.ASKED, self.request)

    def write(self, kind: EntryKind, noun: Any) -> None:
        self.ledger.incidents.write(self.incident.id, kind, noun, at=self.at)

    def card(self, *, minutes: int = 1) -> Card:
        """The card so many minutes after it was asked."""
        now = self.at + timedelta(minutes=minutes)
        return read_card(self.ledger, self.request.id, settings=self.settings, now=now)

    def act(self, message: str = "skipped the test", name: str = Remedy.QUARANTINE_TEST) -> None:
        result = ActionResult(action_name=name, status=ActionStatus.APPLIED, message=message)
        self.write(EntryKind.ACTION_RESULT, result)

    def end(self, status: IncidentStatus, summary: str = "That is how it ended.") -> None:
        outcome = Outcome(
            incident_id=self.incident.id,
            fingerprint="f",
            failure_class=FailureClass.CI_TEST_FLAKY,
            status=status,
            action_names=(),
            summary=summary,
            seconds=1.0,
            ended_at=self.at,
        )
        self.write(EntryKind.OUTCOME, outcome)
        self.ledger.incidents.set_status(self.incident.id, status)
