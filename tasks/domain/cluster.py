"""ClusterSnapshot: the state of a Kubernetes cluster as it was read once, and the questions one asks of it.

Objects stay in Kubernetes' own shape (parsed JSON); the nouns around them only know where things stand. Everything in
them is outside text: a field may be missing or of the wrong type, which `mapping_of` and `mappings_of` answer
with nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import SkipValidation

from tasks.domain.base import Noun, UtcTime
from tasks.domain.evidence import UnreadableSource
from tasks.domain.log_digest import ContainerLog

Json = Mapping[str, Any]
NAMESPACE = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""The pattern of the name of a namespace, a DNS label: https://datatracker.ietf.org/doc/html/rfc1123."""
WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
"""What makes pods, in the order in which they own each other."""
_EMPTY: Json = {}
_MAPPINGS = (dict, Mapping)
"""The plain one first: to ask an abstract class takes several times as long."""
_MAX_OWNERS = 5


def mapping_of(value: object) -> Json:
    """The value when it is a mapping, else an empty one."""
    return value if isinstance(value, _MAPPINGS) else _EMPTY


def mappings_of(value: object) -> tuple[Json, ...]:
    """The mappings in a list; nothing when it is no list."""
    return tuple(item for item in value if isinstance(item, _MAPPINGS)) if isinstance(value, list | tuple) else ()


def dig(value: object, *path: str) -> Any:
    """What stands at a path of keys, `None` when a step is missing."""
    for key in path:
        value = mapping_of(value).get(key)
    return value


def without_secret_data(raw: Json) -> Json:
    """The object without what must never be kept: of a Secret only the names of its keys, and no copy of itself."""
    metadata = {
        key: value for key, value in mapping_of(raw.get("metadata")).items() if key not in ("managedFields", "selfLink")
    }
    annotations = metadata.get("annotations")
    if isinstance(annotations, Mapping):
        metadata["annotations"] = {k: v for k, v in annotations.items() if not k.endswith("last-applied-configuration")}
    cleaned = {**raw, "metadata": metadata}
    if raw.get("kind") in ("ConfigMap", "Secret") and (changed := _changed_at(raw)):
        metadata["managedFields"] = [{"time": changed}]
    if raw.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if isinstance(raw.get(field), Mapping):
                cleaned[field] = dict.fromkeys(raw[field], "")
    return cleaned


def _changed_at(raw: Json) -> str:
    """When somebody last changed the object, as those tell who own its fields; times of one form compare as text."""
    rows = mappings_of(dig(raw, "metadata", "managedFields"))
    return max((str(row["time"]) for row in rows if row.get("time")), default="")


class ObjectRef(Noun):
    """One object of a cluster: kind, namespace (empty for what belongs to the cluster) and name."""

    kind: str
    namespace: str = ""
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


class KubeObject(Noun):
    """One object in Kubernetes' own shape."""

    raw: Annotated[Mapping[str, Any], SkipValidation]
    sketched: bool = False
    """Whether it was rebuilt from a table that says little: what it does not say is not known to be absent."""

    @cached_property
    def ref(self) -> ObjectRef:
        """Its name in the cluster."""
        metadata = mapping_of(self.raw.get("metadata"))
        return ObjectRef(
            kind=str(self.raw.get("kind") or ""),
            namespace=str(metadata.get("namespace") or ""),
            name=str(metadata.get("name") or ""),
        )

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.ref.kind

    @property
    def namespace(self) -> str:
        """Its namespace, empty for what belongs to the cluster."""
        return self.ref.namespace

    @property
    def name(self) -> str:
        """Its name."""
        return self.ref.name

    @property
    def labels(self) -> Json:
        """Its labels."""
        return mapping_of(dig(self.raw, "metadata", "labels"))

    @property
    def annotations(self) -> Json:
        """Its annotations."""
        return mapping_of(dig(self.raw, "metadata", "annotations"))

    @property
    def spec(self) -> Json:
        """What it should be."""
        return mapping_of(self.raw.get("spec"))

    @property
    def status(self) -> Json:
        """What it is; empty in a manifest."""
        return mapping_of(self.raw.get("status"))

    @cached_property
    def owner(self) -> ObjectRef | None:
        """What made it, by its first controlling owner reference."""
        owners = mappings_of(dig(self.raw, "metadata", "ownerReferences"))
        chosen = next((owner for owner in owners if owner.get("controller")), owners[0] if owners else None)
        if chosen is None or not chosen.get("name"):
            return None
        return ObjectRef(kind=str(chosen.get("kind") or ""), namespace=self.namespace, name=str(chosen["name"]))

    @property
    def pod_spec(self) -> Json:
        """The specification of the pods it is or makes; empty for anything else."""
        if self.kind == "Pod":
            return self.spec
        return mapping_of(dig(self.pod_template, "spec"))

    @property
    def pod_template(self) -> Json:
        """The template of the pods it makes."""
        if self.kind == "CronJob":
            return mapping_of(dig(self.spec, "jobTemplate", "spec", "template"))
        return mapping_of(self.spec.get("template")) if self.kind in WORKLOAD_KINDS else _EMPTY

    @property
    def pod_labels(self) -> Json:
        """The labels of the pods it is or makes."""
        return self.labels if self.kind == "Pod" else mapping_of(dig(self.pod_template, "metadata", "labels"))

    @property
    def changed_at(self) -> str:
        """When a ConfigMap or Secret was last changed, as RFC 3339 in UTC; empty where it is not known."""
        return _changed_at(self.raw)

    def condition(self, kind: str) -> Json:
        """The condition of that type, empty when it has none."""
        found = (row for row in mappings_of(self.status.get("conditions")) if row.get("type") == kind)
        return next(found, _EMPTY)


class Manifest(Noun):
    """Where git says what one object should be, and what it says of a Job alone: a Secret's values stay in git."""

    ref: ObjectRef
    """Its namespace is empty where the manifest names none."""
    commit: str
    path: str
    """The file, from the repository's root; a kustomization where the object is rendered from it."""
    described: KubeObject | None = None
    """`None` for all but a Job."""


class ClusterEvent(Noun):
    """One event, as the cluster counted it."""

    id: str
    """Where it stands: `namespace/name` of the event, or a place in a recorded table."""
    about: ObjectRef
    reason: str
    message: str
    warning: bool
    count: int = 1
    seen_at: float = 0.0
    """Seconds on a clock that all events of one snapshot share: greater is later."""


class CapturedText(Noun):
    """Something that a tool said about the cluster and that is no object, event or log."""

    source: str
    text: str


class ClusterSnapshot(Noun):
    """All that was read, once."""

    objects: tuple[KubeObject, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    logs: tuple[ContainerLog, ...] = ()
    texts: tuple[CapturedText, ...] = ()
    unreadable: tuple[UnreadableSource, ...] = ()
    listed_kinds: frozenset[str] = frozenset()
    """Kinds of which every object in reach was read: one that is not there does not exist."""
    namespaces: frozenset[str] = frozenset()
    """The only namespaces that were read whole; when empty, all."""
    desired_only: bool = False
    """Whether these are manifests that say what should be, without a cluster's answer."""
    captured_at: UtcTime | None = None
    verified_revisions: frozenset[str] = frozenset()
    """The uids of revisions that a deploy saw serve, as the ledger remembers them."""
    manifests: tuple[Manifest, ...] = ()
    """What git describes; empty where no manifests in git are known."""

    @cached_property
    def _by_kind(self) -> dict[str, list[KubeObject]]:
        found: dict[str, list[KubeObject]] = {}
        for item in self.objects:
            found.setdefault(item.kind, []).append(item)
        return found

    @cached_property
    def _by_ref(self) -> dict[ObjectRef, KubeObject]:
        return {item.ref: item for item in self.objects}

    @cached_property
    def _events_by_ref(self) -> dict[ObjectRef, list[ClusterEvent]]:
        found: dict[ObjectRef, list[ClusterEvent]] = {}
        for event in sorted(self.events, key=lambda event: event.seen_at):
            found.setdefault(event.about, []).append(event)
        return found

    @cached_property
    def _logs_by_pod(self) -> dict[tuple[str, str], list[ContainerLog]]:
        found: dict[tuple[str, str], list[ContainerLog]] = {}
        for log in self.logs:
            found.setdefault((log.namespace, log.pod), []).append(log)
        return found

    @cached_property
    def _children(self) -> dict[ObjectRef, list[KubeObject]]:
        found: dict[ObjectRef, list[KubeObject]] = {}
        for item in self.objects:
            if item.owner is not None:
                found.setdefault(item.owner, []).append(item)
        return found

    @cached_property
    def _pods_by_workload(self) -> dict[ObjectRef, list[KubeObject]]:
        found: dict[ObjectRef, list[KubeObject]] = {}
        for pod in self.of_kind("Pod"):
            found.setdefault(self.workload_of(pod), []).append(pod)
        return found

    @cached_property
    def _carriers(self) -> dict[str, list[KubeObject]]:
        found: dict[str, list[KubeObject]] = {}
        for item in (*self.of_kind("Pod"), *self.templates()):
            found.setdefault(item.namespace, []).append(item)
        return found

    def of_kind(self, kind: str, namespace: str | None = None) -> list[KubeObject]:
        """The objects of one kind, in one namespace or in all."""
        found = self._by_kind.get(kind, [])
        return found if namespace is None else [item for item in found if item.namespace == namespace]

    def find(self, kind: str, namespace: str, name: str) -> KubeObject | None:
        """The object, `None` when it was not read."""
        return self._by_ref.get(ObjectRef(kind=kind, namespace=namespace, name=name))

    def events_of(self, ref: ObjectRef) -> list[ClusterEvent]:
        """What was said about an object, oldest first."""
        return self._events_by_ref.get(ref, [])

    def logs_of(self, pod: KubeObject, container: str = "") -> list[ContainerLog]:
        """The logs of a pod, or of one container of it."""
        found = self._logs_by_pod.get((pod.namespace, pod.name), [])
        return [log for log in found if log.container == container or not log.container] if container else found

    def speaks(self, workload: KubeObject) -> bool:
        """Whether there is a log of a pod of this name, or of one that bears it: it started, then."""
        name = workload.name
        return any(
            space == workload.namespace and (pod == name or pod.startswith(f"{name}-"))
            for space, pod in self._logs_by_pod
        )

    def children_of(self, ref: ObjectRef) -> list[KubeObject]:
        """What an object made."""
        return self._children.get(ref, [])

    def pods_of(self, workload: ObjectRef) -> list[KubeObject]:
        """The pods that a workload stands behind, through all owners."""
        return self._pods_by_workload.get(workload, [])

    def workload_of(self, item: KubeObject) -> ObjectRef:
        """The outermost owner: what a person would change to change the pod.

        A ReplicaSet that was not read is named after its Deployment and the template's hash; so says Kubernetes.
        """
        current, ref = item, item.ref
        for _ in range(_MAX_OWNERS):
            owner = current.owner
            if owner is None or owner.kind not in WORKLOAD_KINDS:
                return ref
            known = self._by_ref.get(owner)
            ref = owner
            if known is None:
                digest = str(item.labels.get("pod-template-hash") or "")
                if owner.kind == "ReplicaSet" and digest and owner.name.endswith("-" + digest):
                    name = owner.name[: -len(digest) - 1]
                    return ObjectRef(kind="Deployment", namespace=owner.namespace, name=name)
                return ref
            current = known
        return ref

    def age_seconds(self, item: KubeObject) -> float | None:
        """How old the object was when the state was read; `None` where either time is not known."""
        return self.seconds_since(dig(item.raw, "metadata", "creationTimestamp"))

    def seconds_since(self, moment: object) -> float | None:
        """How long before the state was read that was; `None` where either time is not known."""
        try:
            then = datetime.fromisoformat(str(moment))
        except ValueError:
            return None
        if self.captured_at is None or then.tzinfo is None:
            return None
        return (self.captured_at - then).total_seconds()

    def manifests_of(self, ref: ObjectRef) -> tuple[Manifest, ...]:
        """The manifests that may mean an object; one that names no namespace may mean any."""
        named = (one for one in self.manifests if (one.ref.kind, one.ref.name) == (ref.kind, ref.name))
        return tuple(one for one in named if one.ref.namespace in ("", ref.namespace))

    def templates(self) -> list[KubeObject]:
        """What makes pods and has no owner itself, and pods that nothing made: each specification once."""
        found = [item for kind in WORKLOAD_KINDS for item in self.of_kind(kind) if item.owner is None]
        return [*found, *(pod for pod in self.of_kind("Pod") if pod.owner is None)]

    def carriers(self, namespace: str) -> list[KubeObject]:
        """Pods and what makes pods in a namespace: everything that labels can select."""
        return self._carriers.get(namespace, [])

    def knows(self, kind: str, namespace: str = "") -> bool:
        """Whether an object of that kind (in that namespace) that is not here does not exist, as far as can be said."""
        return kind in self.listed_kinds and not (namespace and self.namespaces and namespace not in self.namespaces)


def selects(selector: Json, labels: Json) -> bool:
    """Whether a label selector (`matchLabels` and `matchExpressions`, or a plain map) matches; an empty one does."""
    plain = mapping_of(selector.get("matchLabels")) if _is_structured(selector) else selector
    if any(labels.get(key) != value for key, value in plain.items()):
        return False
    return all(_expression_holds(row, labels) for row in mappings_of(selector.get("matchExpressions")))


def _is_structured(selector: Json) -> bool:
    return "matchLabels" in selector or "matchExpressions" in selector


def _expression_holds(row: Json, labels: Json) -> bool:
    value, key = labels.get(str(row.get("key"))), str(row.get("key"))
    values = row.get("values") or ()
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }.get(str(row.get("operator")), True)


def unique_refs(refs: Iterable[ObjectRef]) -> tuple[ObjectRef, ...]:
    """Each once, in order."""
    return tuple(dict.fromkeys(refs))
