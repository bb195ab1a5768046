"""What was found here and what a webhook tells of it are one heal, whichever comes first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.dispatcher import RunState
from flows.deploy_incidents import open_failed_rollouts
from flows.heal_cluster import open_cluster_incidents
from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.rollout import Rollout, RolloutState
from tasks.settings import Settings
from tests.unit.intake.alerts import alert, notification
from tests.unit.test_placing import Door

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")
SERVICE = ObjectRef(kind="Service", namespace="shop", name="cart")
POD = "cart-7b9d5c4f6-xw2zt"


class Here:
    """Commands and webhooks over one ledger."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder)
        self.ledger = Ledger.shared(self.settings.ledger_url)
        self._door, self._told = Door(self.ledger), 0
        self.server = self._door.server

    def find(self, *causes: ClusterCause, after: timedelta = timedelta(0)) -> tuple[Incident, ...]:
        """What `healflow heal` does."""
        return open_cluster_incidents(
            self.settings, ClusterExplanation(evidence=Evidence(), causes=causes), now=NOW + after
        )

    def alert(self, *, after: timedelta = timedelta(0), **labels: str) -> None:
        """A webhook of a group of its own."""
        self._told += 1
        one = alert(f"A{self._told}", labels=labels)
        self._ask()
        self._door.deliver(notification(one, groupKey=str(self._told)), at=NOW + after)

    def _ask(self) -> None:
        """All heals that run come to their question."""
        for run in self.server.states:
            self.server.states[run] = RunState.WAITING

    def count(self) -> int:
        """How many heals there are, one for each incident."""
        self._ask()
        self._door.tick(NOW + timedelta(days=1))
        assert len(self.server.runs) == len(self.ledger.incidents.newest())
        return len(self.server.runs)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def cause(target: ObjectRef, *victims: ObjectRef) -> ClusterCause:
    diagnosis = Diagnosis(
        failure_class=FailureClass.UNKNOWN, cause=f"{target} is broken.", confidence=0.0, fingerprint=str(target)
    )
    return ClusterCause(diagnosis=diagnosis, target=target, victims=victims, victim_count=len(victims))


@pytest.mark.parametrize("labels", [{"pod": POD}, {"deployment": "cart"}])
def test_alert_of_what_is_healed_by_command_joins_it_however_long_a_person_is_waited_for(
    here: Here, labels: dict[str, str]
) -> None:
    (incident,) = here.find(cause(CART))
    here.alert(after=timedelta(hours=3), **labels)
    assert here.count() == 1
    assert here.ledger.members.count(incident.id) == 2


def test_alert_of_what_suffers_joins_what_it_suffers_from(here: Here) -> None:
    here.find(cause(SERVICE, ObjectRef(kind="Deployment", namespace="shop", name="checkout")))
    here.alert(deployment="checkout")
    assert here.count() == 1


def test_alert_of_a_failed_rollout_joins_it(here: Here) -> None:
    failed = Rollout(ref=CART, state=RolloutState.FAILED, message="0 of 1 pods are ready", revision=2)
    open_failed_rollouts(here.settings, (failed,), commit="c" * 40, now=NOW)
    here.alert(pod=POD)
    assert here.count() == 1


def test_workloads_of_one_deploy_that_fail_are_healed_each(here: Here) -> None:
    mailer = CART.model_copy(update={"name": "mailer"})
    failed = [Rollout(ref=one, state=RolloutState.FAILED, message="m", revision=2) for one in (CART, mailer)]
    assert len(open_failed_rollouts(here.settings, failed, commit="c" * 40, now=NOW)) == here.count() == 2


def test_command_finds_what_an_alert_opened(here: Here) -> None:
    here.alert(pod=POD)
    (incident,) = here.find(cause(CART), after=timedelta(hours=3))
    assert here.count() == 1
    assert incident.id == here.ledger.incidents.newest()[0].incident.id


def test_command_opens_anew_what_has_ended(here: Here) -> None:
    here.alert(pod=POD)
    here.ledger.incidents.set_status(here.ledger.incidents.newest()[0].incident.id, IncidentStatus.REJECTED)
    here.find(cause(CART))
    assert here.count() == 2


def test_causes_that_are_found_at_once_stay_apart(here: Here) -> None:
    assert len(here.find(cause(SERVICE, CART), cause(CART))) == here.count() == 2


def test_alerts_of_other_objects_or_namespaces_are_healed_on_their_own(here: Here) -> None:
    here.find(cause(CART))
    here.alert(pod="mailer-7b9d5c4f6-xw2zt")
    here.alert(pod=POD, namespace="other")
    assert here.count() == 3
