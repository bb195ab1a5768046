"""A namespace with one workload that works, to be broken and healed on a real cluster."""

import time
from datetime import UTC, datetime
from typing import Any

from flows.explain_cluster import explain_live_cluster
from flows.heal_cluster import cluster_signal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.incident import Incident, open_incident
from tests.cluster.faults import READY, SERVER, container, deployment
from tests.flows.healing import Healing

WELL = container(SERVER, readinessProbe=READY)


class Shop:
    """One namespace with a cart that works, to be broken."""

    def __init__(self, cluster: Cluster, namespace: str, healing: Healing) -> None:
        self._cluster, self._namespace, self._healing = cluster, namespace, healing
        self.cart = ObjectRef(kind="Deployment", namespace=namespace, name="cart")
        self.create(deployment(WELL))
        self.wait(lambda: self.read().status.get("readyReplicas") == 1)

    def create(self, manifest: dict[str, Any]) -> None:
        metadata = {**manifest["metadata"], "namespace": self._namespace}
        self._cluster.create({**manifest, "metadata": metadata})

    def read(self, ref: ObjectRef | None = None) -> KubeObject:
        return self._cluster.read(ref or self.cart)

    def change(self, path: str, value: Any, ref: ObjectRef | None = None) -> None:
        self._cluster.patch(ref or self.cart, [{"op": "replace", "path": path, "value": value}])

    def explain(self) -> ClusterExplanation:
        settings = self._healing.settings.kubernetes
        return explain_live_cluster(settings, namespace=self._namespace, now=datetime.now(UTC))

    def open_incident(self) -> Incident:
        """What 'healflow heal' does, once the fault shows."""
        self.wait(lambda: bool(self.explain().causes))
        now = datetime.now(UTC)
        return self._healing.ledger.incidents.open(
            open_incident(cluster_signal(self.explain().causes[0], now=now), now=now)
        )

    def image(self) -> Any:
        return dig(self.read().raw, "spec", "template", "spec", "containers")[0]["image"]

    @staticmethod
    def wait(holds: Any, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(1)
