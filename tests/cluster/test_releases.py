"""A service of Online Boutique whose new release fails in one of three ways: named, rolled back, and proven."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import IncidentStatus
from tasks.domain.rollout import Rollout, RolloutState
from tasks.rollout.steps import record_release
from tests.cluster.faults import deployment
from tests.cluster.shop import Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
REPOSITORY = "us-central1-docker.pkg.dev/google-samples/microservices-demo/productcatalogservice"
RELEASES = (
    pytest.param("v0.10.7", (F.K8S_CRASH_ENV,), "SHOP_REGION", id="variable-that-is-not-set"),
    pytest.param("v0.10.8", (F.K8S_OOM,), "memory", id="memory-that-grows"),
    pytest.param("v0.10.9", (F.K8S_PROBE_READY, F.K8S_CRASH_LIVENESS), "3550", id="another-port"),
)


def catalog(release: str) -> dict[str, Any]:
    """The service as its manifest runs it, with probes that tell sooner."""
    probe = {"grpc": {"port": 3550}, "periodSeconds": 3}
    server = {
        "name": "server",
        "image": f"{REPOSITORY}:{release}",
        "ports": [{"containerPort": 3550}],
        "env": [{"name": "PORT", "value": "3550"}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
    }
    return deployment(server, name="productcatalogservice")


@pytest.mark.parametrize(("release", "classes", "word"), RELEASES)
def test_broken_release_is_named_rolled_back_and_proven(
    cluster: Cluster, namespace: str, healing: Healing, release: str, classes: tuple[F, ...], word: str
) -> None:
    shop = Shop(cluster, namespace, healing, catalog("v0.10.6"))
    good = Rollout(ref=shop.cart, state=RolloutState.DONE, message="serves", revision=1)
    record_release(healing.settings, (good,), commit="", deployed_at=datetime.now(UTC))
    shop.change("/spec/template/spec/containers/0/image", f"{REPOSITORY}:{release}")

    def named() -> bool:
        causes = shop.explain().causes
        return bool(causes) and causes[0].diagnosis.failure_class in classes

    shop.wait(named, seconds=90)
    incident = shop.open_incident()
    outcome = shop.heal(incident)
    story = healing.story(incident)
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("roll_back_rollout",)
    assert shop.image() == f"{REPOSITORY}:v0.10.6"
    assert story.diagnosis is not None
    assert story.diagnosis.failure_class in classes
    assert word in story.diagnosis.cause + " ".join(
        line.text for line in (story.evidence.lines if story.evidence else ())
    )
    assert story.diagnosis.culprit is not None
    assert story.diagnosis.culprit.name == str(shop.cart)
