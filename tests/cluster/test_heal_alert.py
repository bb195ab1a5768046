"""From Alertmanager's webhook to a healed workload: the gateway's app, the dispatcher, Prefect and a real cluster."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.demo.project import DemoRepository
from deployments.dispatcher import Dispatcher
from deployments.gateway import make_app
from deployments.looking import LONGEST_PAUSE, Looks
from deployments.prefect_runs import PrefectRuns
from flows.resolving import read_live
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import dig
from tasks.domain.cluster_health import ObjectHealth, health_of
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.rollout import Rollout, RolloutState
from tasks.rollout.steps import record_release
from tasks.verify.cluster import read_health_state
from tests.cluster.alerts import crash_looping, notification, replicas_mismatch
from tests.cluster.faults import ENV_CRASH, READY, SERVER, container, deployment, service
from tests.cluster.shop import Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
TOKEN = "t0ken-for-tests"
ENVIRONMENT = "/spec/template/spec/containers/0/env"
IMAGE = "/spec/template/spec/containers/0/image"
BAD = "busybox:1.36.typo"
GOOD = [{"name": "SHOP_REGION", "value": "eu"}]


class Alerted:
    """A gateway and a dispatcher over one ledger; the heals that they start are executed here, as by a worker."""

    def __init__(self, healing: Healing) -> None:
        self.healing, self.ledger = healing, healing.ledger
        self._app = make_app(healing.settings, healing.ledger, "s3cret-for-tests", event_tokens=(TOKEN,))
        self._dispatcher = Dispatcher(healing.ledger, PrefectRuns())
        kubernetes = healing.settings.kubernetes
        self.looks = Looks(healing.ledger, read_live(kubernetes), stable_seconds=kubernetes.stable_seconds)
        healing.serve()

    def send(self, body: bytes, *, token: str = TOKEN) -> int:
        async def post() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.post("/webhooks/alertmanager", content=body, headers=headers)

        return asyncio.run(post()).status_code

    def hand_on(self) -> list[Incident]:
        """Let the dispatcher work until nothing is left for it; returns the incidents, the first one first."""
        Shop.wait(self._nothing_left)
        return [one.incident for one in reversed(self.ledger.incidents.newest())]

    def _nothing_left(self) -> bool:
        self._dispatcher.tick(datetime.now(UTC))
        waiting = (self.ledger.events.pending(), self.ledger.incidents.unstarted(limit=9))
        return not any(waiting) and not self.ledger.approvals.to_resume()


@pytest.fixture
def alerted(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alerted]:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "90")
    yield Alerted(Healing(DemoRepository(tmp_path / "none")))


def waiting_pod(cluster: Cluster, namespace: str, reason: str) -> str:
    """The pod of which kube-state-metrics would say that it waits for that reason, empty while there is none."""
    for pod in cluster.list_raw("Pod", namespace=namespace):
        rows = pod["status"].get("containerStatuses", ())
        if any(reason in str(dig(row, "state", "waiting", "reason")) for row in rows):
            return str(pod["metadata"]["name"])
    return ""


def crashing_cart(cluster: Cluster, namespace: str, healing: Healing) -> tuple[Shop, str]:
    """A cart that a deploy had verified, and that crashes since its variable was taken from it; and its pod."""
    serving = container(f"{ENV_CRASH.removesuffix('sleep 3600')}{SERVER}", readinessProbe=READY, env=GOOD)
    wanted = deployment(serving)
    shop = Shop(cluster, namespace, healing, {**wanted, "spec": {**wanted["spec"], "strategy": {"type": "Recreate"}}})
    done = Rollout(ref=shop.cart, state=RolloutState.DONE, message="serves", revision=1)
    assert record_release(healing.settings, (done,), commit="", deployed_at=datetime.now(UTC))
    shop.change(ENVIRONMENT, [])
    seen: list[str] = []
    shop.wait(lambda: seen.append(waiting_pod(cluster, namespace, "CrashLoopBackOff")) or seen[-1], 150)
    return shop, seen[-1]


def mailer_without_image(cluster: Cluster, namespace: str, healing: Healing) -> tuple[Shop, str]:
    """A mailer that waits for an image that there is none of, and the one that it had."""
    mailer = Shop(cluster, namespace, healing, deployment(container(SERVER, readinessProbe=READY), name="mailer"))
    good = str(mailer.image())
    mailer.change(IMAGE, BAD)
    mailer.wait(lambda: waiting_pod(cluster, namespace, "Image"), 150)
    return mailer, good


def test_alerts_of_a_crash_are_healed_after_a_yes_and_what_resolves_is_looked_at_and_not_touched(
    cluster: Cluster, namespace: str, alerted: Alerted
) -> None:
    healing, since = alerted.healing, datetime.now(UTC)
    mailer, good = mailer_without_image(cluster, namespace, healing)
    shop, pod = crashing_cart(cluster, namespace, healing)
    crash, mismatch = crash_looping(namespace, pod), replicas_mismatch(namespace, "cart")
    other = replicas_mismatch(namespace, "mailer")
    shop.create(service("cart", name="front"))
    front = {"alertname": "ProbeFails", "namespace": namespace, "service": "front", "severity": "critical"}
    groups = ((crash,), (mismatch, other), (front,))
    firing = [notification(*labels, at=datetime.now(UTC), since=since) for labels in groups]
    assert alerted.send(firing[0], token="guessed") == 401
    assert alerted.hand_on() == []
    assert [alerted.send(body) for body in firing] == [202, 202, 202]
    first, second, third = alerted.hand_on()
    names = [kind_and_name(one) for one in (first, second, third)]
    assert names == [f"Pod {pod}", "Deployment mailer", "Service front"]
    assert healing.ledger.members.count(first.id) == 2, "the pod's workload is no second failure"
    expected = {first.id: (FailureClass.K8S_CRASH_ENV, shop), second.id: (FailureClass.K8S_IMAGE_NOTFOUND, mailer)}
    for incident in (first, second):
        assert healing.go_on(incident) is None, "policy asks before a live object is changed"
        failure_class, place = expected[incident.id]
        assert found(healing, incident) == (failure_class, str(place.cart))
    assert (environment(shop), mailer.image()) == ([], BAD), "nothing is changed before the answer"
    joined = healing.go_on(third)
    assert joined is not None
    assert (joined.status, healing.ledger.approvals.of_incident(third.id)) == (IncidentStatus.JOINED, ())
    assert healing.ledger.members.count(first.id) == 3, "what suffers by the crash is healed with it"

    assert healing.say(first, Answer.APPROVE).refusal is None
    alerted.hand_on()
    healed = healing.go_on(first)
    assert healed is not None
    assert (healed.status, healed.action_names) == (IncidentStatus.HEALED, ("roll_back_rollout",)), healed.summary
    assert environment(shop) == GOOD

    gone = [notification(one, at=datetime.now(UTC), since=since, resolved=True) for one in (crash, mismatch, other)]
    assert [alerted.send(body) for body in gone] == [202, 202, 202]
    what_resolves_is_looked_at(cluster, alerted, second, mailer, good)


def what_resolves_is_looked_at(cluster: Cluster, alerted: Alerted, incident: Incident, mailer: Shop, good: str) -> None:
    """The end that an alert tells of the mailer counts once somebody repaired it, and not before."""
    healing = alerted.healing
    assert [one.status for one in alerted.hand_on() if one.id == incident.id] == [IncidentStatus.WAITING]
    alerted.looks.tick(datetime.now(UTC))
    assert [one.status for one in alerted.hand_on() if one.id == incident.id] == [IncidentStatus.WAITING]
    assert [one.what for one in healing.story(incident).timeline if "it still fails and goes on" in one.what] != []

    mailer.change(IMAGE, good)
    mailer.wait(lambda: health(cluster, mailer).healthy)
    for seconds in (0, healing.settings.kubernetes.stable_seconds):
        alerted.looks.tick(datetime.now(UTC) + LONGEST_PAUSE + timedelta(seconds=seconds))
    assert [one.status for one in alerted.hand_on() if one.id == incident.id] == [IncidentStatus.RESOLVED]
    assert healing.say(incident, Answer.APPROVE).refusal is not None, "what resolved is no longer asked about"
    left = healing.go_on(incident)
    assert left is not None
    assert (left.status, left.action_names) == (IncidentStatus.RESOLVED, ())
    assert mailer.image() == good, "what was done is not ours"


def kind_and_name(incident: Incident) -> str:
    place = incident.signal.cluster
    assert place is not None
    return f"{place.kind} {place.name}"


def found(healing: Healing, incident: Incident) -> tuple[FailureClass, str]:
    diagnosis = healing.story(incident).diagnosis
    assert diagnosis is not None
    assert diagnosis.culprit is not None
    return diagnosis.failure_class, diagnosis.culprit.name


def health(cluster: Cluster, shop: Shop) -> ObjectHealth:
    return health_of(read_health_state(cluster, [shop.cart]), shop.cart)


def environment(shop: Shop) -> Any:
    return dig(shop.read().raw, "spec", "template", "spec", "containers")[0].get("env", [])
