"""A namespace with one workload that works, to be broken and healed on a real cluster."""

import time
from datetime import UTC, datetime
from typing import Any

from flows.explain_cluster import explain_live_cluster
from flows.heal_cluster import cluster_signal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.incident import Incident, open_incident
from tasks.domain.outcome import Outcome
from tests.cluster.faults import READY, SERVER, container, deployment
from tests.flows.healing import Healing

WELL = container(SERVER, readinessProbe=READY)


class Shop:
    """One namespace with a cart that works, to be broken."""

    def __init__(
        self, cluster: Cluster, namespace: str, healing: Healing, workload: dict[str, Any] | None = None
    ) -> None:
        self._cluster, self._namespace, self._healing = cluster, namespace, healing
        wanted = workload or deployment(WELL)
        self.cart = ObjectRef(kind="Deployment", namespace=namespace, name=wanted["metadata"]["name"])
        self.create(wanted)
        self.wait(lambda: self.read().status.get("readyReplicas", 0) == wanted["spec"].get("replicas", 1))

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
        causes: list[ClusterCause] = []
        self.wait(lambda: causes.extend(self.explain().causes) or bool(causes))
        now = datetime.now(UTC)
        return self._healing.ledger.incidents.open(open_incident(cluster_signal(causes[0], now=now), now=now))

    def heal(self, incident: Incident) -> Outcome:
        """Let the heal come to its question, say yes, and see it to its end."""
        assert self._healing.start(incident) is None, self._healing.story(incident)
        self._healing.answer(incident, Answer.APPROVE)
        outcome = self._healing.go_on(incident)
        assert outcome is not None
        return outcome

    def image(self) -> Any:
        return dig(self.read().raw, "spec", "template", "spec", "containers")[0]["image"]

    @staticmethod
    def wait(holds: Any, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(1)
