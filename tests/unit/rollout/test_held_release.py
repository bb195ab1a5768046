"""A release that policy holds: whatever is no yes of somebody who may say it applies nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.asking_here import LedgerAsker
from flows.release import Steps, bring_out
from flows.undo import undo_heal
from tasks.approve import answer_newest, identify
from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.approval import Answer, ApprovalChannel, ApprovalTerms, IdentityKind
from tasks.domain.cluster import ObjectRef
from tasks.domain.freeze import Freeze
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Verdict
from tasks.domain.rollout import (
    DeployReport,
    DeployStatus,
    Difference,
    ObjectDecision,
    Preview,
    ReleaseOrder,
    Smoke,
)
from tasks.domain.story import Story, Triage
from tasks.errors import ConflictError, PermanentError, TransientError
from tasks.gate.objects import joint_terms
from tasks.remember import read_story
from tasks.remember.ending import end_incident
from tasks.remember.record import unhealed_outcome
from tasks.settings import Settings
from tests.fakes.asked import Somebody
from tests.fakes.broken_ledger import broken_before

CLOSED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed", "namespace": "shop"},
    "spec": {"podSelector": {}},
}
REF = ObjectRef(kind="NetworkPolicy", namespace="shop", name="closed")
ORDER = ReleaseOrder(folder="/srv/shop", commit="c" * 40)
TERMS = """package healflow
default decision := {"verdict": "ask", "reason": "somebody has to look", "rules": ["own"], "approval": TERMS}
"""


class Place:
    """A cluster in which a release may be applied; `texts` is what its dry runs say one after another."""

    def __init__(self, *texts: str, breaks: bool = False) -> None:
        self._texts, self._breaks = list(texts or ("+ password: hunter2hunter2",)), breaks
        self.applied = 0

    def steps(self) -> Steps:
        return Steps(
            render=lambda _order: (CLOSED,),
            preview=lambda _manifests: Preview(differences=(Difference(ref=REF, text=self._next()),)),
            apply=self._apply,
            watch=lambda _manifests, _seconds: (),
            smoke=lambda _order, _manifests: Smoke(),
            suspects=lambda _manifests, rollouts, _door: rollouts,
            record=lambda _rollouts, _commit, _at: (),
        )

    def _next(self) -> str:
        return self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]

    def _apply(self, _manifests: Any) -> None:
        self.applied += 1
        if self._breaks:
            raise TransientError("the API server went away")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def with_terms(settings: Settings, folder: Path, terms: str) -> Settings:
    policy = folder / "policy"
    policy.mkdir()
    (policy / "own.rego").write_text(TERMS.replace("TERMS", terms))
    return settings.model_copy(update={"object_policy_dir": policy})


def told(settings: Settings, report: DeployReport) -> Story:
    return read_story(Ledger.shared(settings.ledger_url), report.held_id)


def trail(settings: Settings, report: DeployReport) -> list[str]:
    entries = Ledger.shared(settings.ledger_url).audit.entries(incident_id=report.held_id)
    return [entry.kind for entry in entries if entry.kind != "journal"]


@pytest.mark.parametrize(
    ("answer", "status", "recorded"),
    [
        (Answer.REJECT, IncidentStatus.REJECTED, "answer.recorded"),
        (None, IncidentStatus.EXPIRED, "answer.expired"),
    ],
)
def test_no_and_silence_apply_nothing(
    settings: Settings, answer: Answer | None, status: IncidentStatus, recorded: str
) -> None:
    place = Place()
    report = bring_out(settings, ORDER, place.steps(), asker=Somebody(settings, answer))
    assert (report.status, place.applied) == (DeployStatus.NOT_APPROVED, 0)
    assert told(settings, report).incident.status is status
    assert trail(settings, report) == [recorded]


def test_where_nobody_can_be_asked_nothing_is_applied_and_no_question_is_left(settings: Settings) -> None:
    place = Place()
    report = bring_out(settings, ORDER, place.steps(), asker=None)
    assert (report.status, place.applied, report.held_id) == (DeployStatus.NOT_APPROVED, 0, "")
    assert Ledger.shared(settings.ledger_url).approvals.unanswered() == ()


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ('{"approvers": ["grace"]}', "policy lets grace answer this"),
        ('{"author_may_approve": false}', "policy asks for somebody else"),
        ('{"people_needed": 2}', "one more person has to say yes"),
    ],
)
def test_yes_that_policy_does_not_take_applies_nothing(
    settings: Settings, tmp_path: Path, terms: str, said: str
) -> None:
    strict, place = with_terms(settings, tmp_path, terms), Place()
    asker = Somebody(strict, Answer.APPROVE)
    report = bring_out(strict, ORDER, place.steps(), asker=asker)
    assert (report.status, place.applied) == (DeployStatus.NOT_APPROVED, 0)
    assert said in asker.told[0]
    assert told(strict, report).incident.status is IncidentStatus.EXPIRED


@pytest.mark.parametrize("places", [("is new", "is newer"), ("is new", "")])
def test_yes_is_void_when_the_cluster_was_changed_meanwhile(settings: Settings, places: tuple[str, ...]) -> None:
    place = Place(*places)
    report = bring_out(settings, ORDER, place.steps(), asker=Somebody(settings, Answer.APPROVE))
    assert (report.status, place.applied) == (DeployStatus.NOT_APPROVED, 0)
    assert "the cluster was changed while the release waited" in report.message
    assert told(settings, report).incident.status is IncidentStatus.ESCALATED


def test_yes_is_void_when_the_policy_was_changed_meanwhile(settings: Settings, tmp_path: Path) -> None:
    strict, place = with_terms(settings, tmp_path, "{}"), Place()

    class Slow(Somebody):
        def ask(self, triage: Triage, decision: Any) -> Any:
            approval = super().ask(triage, decision)
            (tmp_path / "policy" / "own.rego").write_text(TERMS.replace("TERMS", '{"people_needed": 2}'))
            return approval

    report = bring_out(strict, ORDER, place.steps(), asker=Slow(strict, Answer.APPROVE))
    assert (report.status, place.applied) == (DeployStatus.NOT_APPROVED, 0)
    assert "the policy was changed" in report.message


def test_yes_is_void_when_a_freeze_began_meanwhile(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place()

    class Slow(Somebody):
        def ask(self, triage: Triage, decision: Any) -> Any:
            approval = super().ask(triage, decision)
            monkeypatch.setattr("flows.held_release.frozen_now", lambda _settings: "changes are frozen until noon")
            return approval

    report = bring_out(settings, ORDER, place.steps(), asker=Slow(settings, Answer.APPROVE))
    assert (report.status, place.applied) == (DeployStatus.NOT_APPROVED, 0)
    assert "a freeze began while the release waited: changes are frozen until noon" in report.message


def test_release_is_denied_in_a_freeze(settings: Settings) -> None:
    now, place = datetime.now(UTC), Place()
    freeze = Freeze(begins=now - timedelta(hours=1), ends=now + timedelta(days=1), environments=("cluster",))
    frozen = settings.model_copy(update={"freezes": (freeze,)})
    report = bring_out(frozen, ORDER, place.steps(), asker=Somebody(frozen, Answer.APPROVE))
    assert (report.status, place.applied) == (DeployStatus.DENIED, 0)
    assert "changes are frozen until" in report.message


def test_answer_comes_too_late_once_the_deploy_has_ended(settings: Settings) -> None:
    report = bring_out(settings, ORDER, Place().steps(), asker=Somebody(settings, None))
    judgement = answer_newest(
        Ledger.shared(settings.ledger_url),
        report.held_id,
        answer=Answer.APPROVE,
        identity=identify(IdentityKind.LOCAL, "grace", ()),
        channel=ApprovalChannel.COMMAND_LINE,
        people=(),
        now=datetime.now(UTC),
    )
    assert judgement.refusal is not None


def test_interrupted_question_is_a_no(settings: Settings) -> None:
    place = Place()

    def leave(_triage: Triage) -> Answer:
        raise KeyboardInterrupt  # what Ctrl-C at the prompt does

    asker = LedgerAsker(settings, identify(IdentityKind.LOCAL, "ada", ()), leave)
    with pytest.raises(KeyboardInterrupt):
        bring_out(settings, ORDER, place.steps(), asker=asker)
    ledger = Ledger.shared(settings.ledger_url)
    (stored,) = ledger.incidents.newest()
    assert (stored.incident.status, place.applied) == (IncidentStatus.REJECTED, 0)
    assert ledger.approvals.unanswered() == ()


def test_yes_applies_is_used_up_and_is_told_whole(settings: Settings) -> None:
    place, asker = Place(), Somebody(settings, Answer.APPROVE)
    report = bring_out(settings, ORDER, place.steps(), asker=asker)
    assert (report.status, place.applied) == (DeployStatus.VERIFIED, 1)
    story = told(settings, report)
    assert story.incident.status is IncidentStatus.HEALED
    assert story.approval is not None
    assert (story.approval.answered_by, story.approval.verified) == ("ada", True)
    assert [result.action_name for result in story.results] == ["apply_release"]
    assert trail(settings, report) == ["answer.recorded", "approval.used"]
    (seen,) = asker.seen
    assert "NetworkPolicy/shop/closed" in seen.diagnosis.cause
    assert "hunter2hunter2" not in story.model_dump_json(), "a difference is outside text"


def test_deploy_that_breaks_off_after_the_yes_goes_to_a_person(settings: Settings) -> None:
    asker = Somebody(settings, Answer.APPROVE)
    with pytest.raises(TransientError):
        bring_out(settings, ORDER, Place(breaks=True).steps(), asker=asker)
    (stored,) = Ledger.shared(settings.ledger_url).incidents.newest()
    assert stored.incident.status is IncidentStatus.ESCALATED


def test_deploy_that_is_killed_while_it_writes_its_end_leaves_no_half_of_it(settings: Settings, tmp_path: Path) -> None:
    ledger = Ledger.shared(settings.ledger_url)
    last_write = "UPDATE OF status ON incidents WHEN NEW.status = 'healed'"
    with broken_before(tmp_path, last_write), pytest.raises(PermanentError):
        bring_out(settings, ORDER, Place().steps(), asker=Somebody(settings, Answer.APPROVE))
    (stored,) = ledger.incidents.newest()
    assert stored.incident.status is IncidentStatus.ACTING, "it is found, and goes to a person"
    assert ledger.memory.outcome_of(stored.incident.id) is None
    assert EntryKind.OUTCOME not in {entry.kind for entry in ledger.incidents.journal(stored.incident.id)}


def test_release_that_was_taken_for_lost_stays_so_and_tells_its_end(settings: Settings) -> None:
    ledger = Ledger.shared(settings.ledger_url)

    class Lost(Place):
        def _apply(self, manifests: Any) -> None:
            (stored,) = ledger.incidents.newest()
            told = unhealed_outcome(stored.incident, "lost", fingerprint="f", now=datetime.now(UTC))
            end_incident(ledger, stored.incident, told, plan=None)
            super()._apply(manifests)

    report = bring_out(settings, ORDER, Lost().steps(), asker=Somebody(settings, Answer.APPROVE))
    story = told(settings, report)
    assert story.incident.status is IncidentStatus.ESCALATED
    assert story.outcome is not None
    assert story.outcome.summary == "Could not go on: lost"
    assert any("came to an end after that: The release is out" in entry.what for entry in story.timeline)


def test_release_is_no_fix_to_take_back(settings: Settings) -> None:
    report = bring_out(settings, ORDER, Place().steps(), asker=Somebody(settings, Answer.APPROVE))
    with pytest.raises(ConflictError, match="deploy the release before it again"):
        undo_heal(settings, report.held_id, by="ada")
    assert told(settings, report).incident.status is IncidentStatus.HEALED


def decided(**terms: Any) -> ObjectDecision:
    told = ApprovalTerms.model_validate(terms)
    return ObjectDecision(ref=REF, verdict=Verdict.ASK, rules=("own",), reason="r", terms=told)


def test_terms_of_several_objects_are_joined_by_the_strictest() -> None:
    assert joint_terms([decided(approvers=["ada"]), decided(approvers=["grace"])]) is None
    assert joint_terms([decided(approvers=["ada"], people_needed=2)]) is None
    both = joint_terms(
        [decided(approvers=["ada", "grace"]), decided(people_needed=2, typed_name_counts=False), decided()]
    )
    assert both is not None
    assert (both.approvers, both.people_needed, both.typed_name_counts) == (("ada", "grace"), 2, False)


def test_release_that_nobody_may_allow_is_denied(settings: Settings, tmp_path: Path) -> None:
    strict, place = with_terms(settings, tmp_path, '{"approvers": ["ada"], "people_needed": 2}'), Place()
    report = bring_out(strict, ORDER, place.steps(), asker=Somebody(strict, Answer.APPROVE))
    assert (report.status, place.applied, report.held_id) == (DeployStatus.DENIED, 0, "")
    assert "policy lets nobody say yes" in report.message
