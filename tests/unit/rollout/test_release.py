"""The story of a release with steps that remember what they were asked to do: what is not applied comes first."""

from datetime import datetime
from pathlib import Path

import pytest

from flows.release import Steps, bring_out, decide_release
from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ObjectRef
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Verdict
from tasks.domain.rollout import (
    DeployStatus,
    Manifests,
    ObjectRefusal,
    Preview,
    ReleaseOrder,
    Rollout,
    RolloutState,
    Smoke,
    VerifiedRevision,
)
from tasks.errors import PermanentError
from tasks.settings import Settings
from tests.fakes.asked import Somebody

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices", "namespace": "shop"}}
OWN_POLICY = """package healflow
default decision := {"verdict": "deny", "reason": "not on Fridays", "rules": ["friday"]}
"""


def test_objects_are_decided_by_the_operators_own_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.rego").write_text(OWN_POLICY)
    monkeypatch.setenv("HEALFLOW_OBJECT_POLICY_DIR", str(tmp_path))
    (decision,) = decide_release(Settings(), (CONFIG,))
    assert (decision.verdict, decision.reason) == (Verdict.DENY, "not on Fridays")


def test_folder_without_a_policy_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALFLOW_OBJECT_POLICY_DIR", str(tmp_path / "none"))
    with pytest.raises(PermanentError, match="HEALFLOW_OBJECT_POLICY_DIR"):
        decide_release(Settings(), (CONFIG,))


ORDER = ReleaseOrder(folder="shop", commit="c" * 40)
CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")
PRICES = ObjectRef(kind="ConfigMap", namespace="shop", name="prices")


class Cluster:
    """What a release meets, and what became of it."""

    def __init__(
        self,
        *,
        dry_run: tuple[ObjectRefusal, ...] = (),
        apply: ObjectRefusal | None = None,
        state: RolloutState = RolloutState.DONE,
        wrong: str = "",
    ) -> None:
        self._dry_run, self._apply = dry_run, apply
        self._rollout = Rollout(ref=CART, state=state, message="0 of 1 pods are ready", revision=7)
        self._smoke = Smoke(url="http://shop", wrong=wrong)
        self.applied: list[Manifests] = []
        self.recorded: list[str] = []

    def steps(self) -> Steps:
        return Steps(
            render=lambda _order: (CONFIG,),
            preview=lambda _manifests: Preview(refused=self._dry_run),
            apply=self._take,
            watch=lambda _manifests, _seconds: (self._rollout,),
            smoke=lambda _order, _manifests: self._smoke,
            suspects=lambda _manifests, rollouts, _door: rollouts,
            record=self._record,
        )

    def _take(self, manifests: Manifests) -> ObjectRefusal | None:
        self.applied.append(manifests)
        return self._apply

    def _record(self, _rollouts: tuple[Rollout, ...], commit: str, _at: datetime) -> tuple[VerifiedRevision, ...]:
        self.recorded.append(commit)
        return ()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def refusal(
    message: str = 'Job.batch "import" is invalid: spec.template: Invalid value: {}: field is immutable',
) -> ObjectRefusal:
    return ObjectRefusal(ref=PRICES, conflict="conflict" in message, message=message)


def test_what_the_dry_run_refuses_is_not_applied_and_opens_one_incident(settings: Settings) -> None:
    cluster = Cluster(dry_run=(refusal(), refusal("is invalid: data: token=abcdefgh12345")))
    report = bring_out(settings, ORDER, cluster.steps(), asker=None)
    assert (report.status, cluster.applied, cluster.recorded) == (DeployStatus.INVALID, [], [])
    (incident_id,) = report.incident_ids
    signal = Ledger.shared(settings.ledger_url).incidents.get(incident_id).incident.signal
    assert signal.deploy is not None
    assert signal.deploy.failure_class is FailureClass.DEP_APPLY_INVALID
    assert (signal.commit, len(signal.deploy.said)) == ("c" * 40, 2)
    assert "abcdefgh12345" not in signal.model_dump_json(), "what the API server says is outside text, too"


def test_same_refusal_again_keeps_the_incident_that_is_being_healed(settings: Settings) -> None:
    cluster = Cluster(dry_run=(refusal(),))
    first, again = (bring_out(settings, ORDER, cluster.steps(), asker=None) for _ in range(2))
    assert first.incident_ids == again.incident_ids


def test_who_only_looks_opens_no_incident(settings: Settings) -> None:
    order = ORDER.model_copy(update={"dry_run": True})
    report = bring_out(settings, order, Cluster(dry_run=(refusal(),)).steps(), asker=None)
    assert (report.status, report.incident_ids) == (DeployStatus.INVALID, ())


def test_what_is_refused_after_the_dry_run_is_told_and_not_verified(settings: Settings) -> None:
    cluster = Cluster(apply=refusal('Apply failed with 1 conflict: conflict with "kubectl": .data.tax'))
    report = bring_out(settings, ORDER, cluster.steps(), asker=None)
    assert (report.status, report.failure_class) == (DeployStatus.CONFLICT, FailureClass.DEP_CONFLICT)
    assert (len(report.incident_ids), cluster.recorded) == (1, [])


@pytest.mark.parametrize(
    ("cluster", "status", "failure_class"),
    [
        (Cluster(state=RolloutState.FAILED), DeployStatus.ROLLOUT_FAILED, FailureClass.DEP_ROLLOUT_TIMEOUT),
        (Cluster(wrong="http://shop answered with HTTP 500"), DeployStatus.SMOKE_FAILED, FailureClass.DEP_SMOKE),
    ],
    ids=["rollout", "smoke"],
)
def test_release_that_does_not_come_out_is_not_verified_and_is_a_signal_with_its_revision_and_commit(
    settings: Settings, cluster: Cluster, status: DeployStatus, failure_class: FailureClass
) -> None:
    report = bring_out(settings, ORDER, cluster.steps(), asker=None)
    assert (report.status, report.failure_class, cluster.recorded) == (status, failure_class, [])
    (incident_id,) = report.incident_ids
    signal = Ledger.shared(settings.ledger_url).incidents.get(incident_id).incident.signal
    assert signal.cluster is not None
    assert (signal.cluster.name, signal.cluster.revision, signal.commit) == ("cart", "7", "c" * 40)
    assert signal.deploy is not None
    assert signal.deploy.smoke_url == ("http://shop" if status is DeployStatus.SMOKE_FAILED else "")


class Run(Somebody):
    """A deploy that Prefect runs."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        super().__init__(settings, None)
        self.run_id = run_id


def test_failure_of_a_run_of_prefect_is_the_incident_that_it_opened(settings: Settings) -> None:
    broken = Cluster(wrong="HTTP 500").steps()
    report = bring_out(settings, ORDER, broken, asker=Run(settings, "r-1"))
    events = Ledger.shared(settings.ledger_url).events
    assert events.told_by_run("r-1") == report.incident_ids[0]
    bring_out(settings, ORDER, Cluster().steps(), asker=Run(settings, "r-2"))
    assert events.told_by_run("r-2") is None
