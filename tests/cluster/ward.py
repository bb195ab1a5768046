"""Faults side by side, a namespace each: planted, diagnosed, and healed at once as the generated accounts."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flows.explain_cluster import explain_live_cluster
from flows.heal_cluster import cluster_signal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.base import Noun
from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.incident import Incident, open_incident
from tasks.domain.outcome import Outcome
from tasks.domain.rollout import Rollout, RolloutState
from tasks.errors import NotFoundError
from tasks.rollout.steps import record_release
from tests.cluster.faults import Manifest
from tests.cluster.treatments import Treatment
from tests.flows.healing import Healing

AT_ONCE, POLL_SECONDS = 8, 2.0
SETTLED_SECONDS, SHOWN_SECONDS = 120, 150
_WANTED = ("spec", "data")


class Seen(Noun):
    """What was seen of one treatment."""

    found: tuple[str, ...]
    """Class and object of each cause at the moment when the first incident was opened."""
    outcomes: tuple[Outcome, ...]
    asked_first: bool
    """Whether each heal waited for a person before anything was changed."""
    changed: tuple[str, ...]
    """What was planted and is otherwise now, as `Kind/name`."""


class Ward:
    """The namespaces of all treatments, and what became of each."""

    def __init__(self, cluster: Cluster, treatments: Sequence[Treatment]) -> None:
        self._cluster, self._suffix = cluster, uuid.uuid4().hex[:6]
        self._treatments = treatments
        self._uids: dict[str, str] = {}
        self.seen: dict[str, Seen] = {}
        self.problems: dict[str, BaseException] = {}

    def namespace(self, treatment: Treatment) -> str:
        return f"hf-{treatment.fault.name}-{self._suffix}"

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(map(self.namespace, self._treatments))

    def make_namespaces(self) -> None:
        for name in self.namespaces:
            made = self._cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            self._uids[name] = str(made.raw["metadata"]["uid"])

    def remove(self) -> None:
        for name, uid in self._uids.items():
            with suppress(NotFoundError):
                self._cluster.delete(ObjectRef(kind="Namespace", name=name), uid=uid)

    def treat(self, healing: Healing) -> None:
        """Plant what runs well, break it, and heal as soon as the fault shows."""
        self._each(self._treatments, self._run_well)
        self._each(self._treatments, lambda row: self._settle(row, healing))
        self._each(self._treatments, self._break)
        self._each(self._treatments, lambda row: self._heal(row, healing))

    def _each(self, rows: Iterable[Treatment], do: Callable[[Treatment], None]) -> None:
        """What goes wrong with one is kept for its test, and holds none of the others up."""

        def one(row: Treatment) -> None:
            if row.fault.name in self.problems:
                return
            try:
                do(row)
            except BaseException as error:  # noqa: BLE001  told by the test of the row
                self.problems[row.fault.name] = error

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, rows))

    def _apply(self, row: Treatment, manifests: Iterable[Manifest]) -> None:
        for manifest in manifests:
            self._cluster.apply({**manifest, "metadata": {**manifest["metadata"], "namespace": self.namespace(row)}})

    def _run_well(self, row: Treatment) -> None:
        self._apply(row, row.good)

    def _settle(self, row: Treatment, healing: Healing) -> None:
        for ref in (self.ref(row, one) for one in row.good if one["kind"] == "Deployment"):
            wait(lambda ref=ref: _serves(self._cluster.read(ref)), SETTLED_SECONDS)
            if row.verified:
                done = Rollout(ref=ref, state=RolloutState.DONE, message="serves", revision=1)
                assert record_release(healing.settings, (done,), commit="", deployed_at=datetime.now(UTC))

    def _break(self, row: Treatment) -> None:
        self._apply(row, row.fault.objects)
        for one in row.fault.objects:
            if one["kind"] == "CronJob":
                self._fail_twice(self.ref(row, one))

    def _fail_twice(self, ref: ObjectRef) -> None:
        """Start jobs of a CronJob, as its schedule would."""
        made = self._cluster.read(ref)
        owner = {"apiVersion": "batch/v1", "kind": ref.kind, "name": ref.name, "uid": made.raw["metadata"]["uid"]}
        for number in (1, 2):
            metadata = {
                "name": f"{ref.name}-{number}",
                "namespace": ref.namespace,
                "ownerReferences": [{**owner, "controller": True}],
            }
            spec = made.spec["jobTemplate"]["spec"]
            self._cluster.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})
            job = ObjectRef(kind="Job", namespace=ref.namespace, name=f"{ref.name}-{number}")
            wait(lambda job=job: self._cluster.read(job).condition("Failed").get("status") == "True", SHOWN_SECONDS)

    def _heal(self, row: Treatment, healing: Healing) -> None:
        planted, found, asked = self._planted(row), tuple[str, ...](), list[bool]()
        outcomes: list[Outcome] = []
        for _ in row.remedies or (None,) * row.reports:
            causes = self._shown(row, healing)
            found = found or tuple(
                f"{one.diagnosis.failure_class} {one.target.kind}/{one.target.name}" for one in causes
            )
            now, before = datetime.now(UTC), self._planted(row)
            incident = healing.ledger.incidents.open(open_incident(cluster_signal(causes[0], now=now), now=now))
            outcome = healing.start(incident)
            asked.append(outcome is None and self._planted(row) == before)
            outcomes.append(outcome or self._approved(incident, healing))
        after = self._planted(row)
        self.seen[row.fault.name] = Seen(
            found=found,
            outcomes=tuple(outcomes),
            asked_first=all(asked),
            changed=tuple(name for name, state in planted.items() if after.get(name) != state),
        )
        self._lasts(row)

    def _approved(self, incident: Incident, healing: Healing) -> Outcome:
        healing.answer(incident, Answer.APPROVE)
        outcome = healing.go_on(incident)
        assert outcome is not None, "it asks again"
        return outcome

    def _shown(self, row: Treatment, healing: Healing) -> tuple[ClusterCause, ...]:
        found: list[ClusterCause] = []

        def shows() -> bool:
            settings, namespace = healing.settings.kubernetes, self.namespace(row)
            found[:] = explain_live_cluster(settings, namespace=namespace, now=datetime.now(UTC)).causes
            return bool(found) and found[0].diagnosis.failure_class == row.fault.expected

        wait(shows, SHOWN_SECONDS)
        return tuple(found)

    def _lasts(self, row: Treatment) -> None:
        until = time.monotonic() + row.lasts_seconds
        while time.monotonic() < until:
            for pod in self._pods(row):
                rows = pod["status"].get("containerStatuses", ())
                assert not any(one["restartCount"] for one in rows), "it failed again"
            time.sleep(POLL_SECONDS)

    def _pods(self, row: Treatment) -> list[Manifest]:
        pods = self._cluster.list_raw("Pod", namespace=self.namespace(row))
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def _planted(self, row: Treatment) -> dict[str, Any]:
        """What was planted, as it stands in the cluster; what is gone is missing."""
        found = {}
        for one in row.fault.objects:
            with suppress(NotFoundError):
                live = self._cluster.read(self.ref(row, one))
                found[f"{live.kind}/{live.name}"] = {key: live.raw.get(key) for key in _WANTED}
        return found

    def ref(self, row: Treatment, manifest: Manifest) -> ObjectRef:
        return ObjectRef(kind=manifest["kind"], namespace=self.namespace(row), name=manifest["metadata"]["name"])


def _serves(item: KubeObject) -> bool:
    status, wanted = item.status, item.spec.get("replicas", 1)
    seen = status.get("observedGeneration") == dig(item.raw, "metadata", "generation")
    return bool(seen and status.get("replicas") == status.get("readyReplicas") == wanted)


def wait(holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(POLL_SECONDS)
