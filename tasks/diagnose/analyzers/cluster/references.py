"""ConfigMaps, Secrets, keys, claims and accounts that a pod names and that are not there, and volumes that do not mount."""

import difflib
import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    ailing_pods,
    containers_of,
    event_quote,
    events_saying,
    one_line,
    spec_quote,
    states_of,
    status_quote,
)
from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F

_KINDS = {
    "configmap": "ConfigMap",
    "secret": "Secret",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "serviceaccount": "ServiceAccount",
}
_MISSING = re.compile(
    r"(?P<kind>configmap|secret|persistentvolumeclaim|serviceaccount)s? \\?\"(?:[\w.-]+/)?(?P<name>[\w.-]+)\\?\" not found|references non-existent (?P<what>secret|config) key: (?P<field>\S+)",
    re.I,
)
_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) (?:(?P<namespace>[\w.-]+)/)?(?P<name>[\w.-]+)"
)
_TROUBLE = r"^FailedMount|^FailedAttachVolume|^FailedMapVolume|^Failed:|^CreateContainerConfigError"
_REFUSED = (("runAsNonRoot|run as root|user", F.K8S_CRASH_PERM), ("subPath|mount", F.K8S_MOUNT))
_GIVEN = ("kube-root-ca.crt", "default")


class Reference(Noun):
    """Something that a specification names."""

    kind: str
    name: str
    key: str = ""
    where: str


def references_of(spec: Json) -> Iterator[Reference]:
    """What a pod needs before it can start; what is optional is left out."""
    for container in containers_of(spec):
        name = str(container.get("name"))
        for row in mappings_of(container.get("env")):
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                yield from _named(dig(row, "valueFrom", field), kind, f"env {row.get('name')} of container {name}")
        for row in mappings_of(container.get("envFrom")):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                yield from _named(row.get(field), kind, f"envFrom of container {name}")
    for volume in mappings_of(spec.get("volumes")):
        where = f"volume {volume.get('name')}"
        yield from _named(volume.get("configMap"), "ConfigMap", where)
        yield from _named(volume.get("secret"), "Secret", where, field="secretName")
        yield from _named(volume.get("persistentVolumeClaim"), "PersistentVolumeClaim", where, field="claimName")
        for source in mappings_of(dig(volume, "projected", "sources")):
            yield from _named(source.get("configMap"), "ConfigMap", where)
            yield from _named(source.get("secret"), "Secret", where)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        yield Reference(kind="ServiceAccount", name=str(account), where="serviceAccountName")


def _named(value: object, kind: str, where: str, *, field: str = "name") -> Iterator[Reference]:
    found = mapping_of(value)
    if found.get(field) and found.get("optional") is not True:
        keys = (
            [str(found["key"])]
            if found.get("key")
            else [str(row.get("key")) for row in mappings_of(found.get("items"))]
        )
        for key in keys or [""]:
            yield Reference(kind=kind, name=str(found[field]), key=key, where=where)


def find_missing(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """What the kubelet says is missing, and what specifications name in vain."""
    for pod in ailing_pods(snapshot):
        yield from _said(snapshot, pod)
    for item in snapshot.templates():
        healthy = item.kind == "Pod" and item.status.get("phase") in ("Running", "Succeeded")
        if not healthy and not _works(snapshot, item):
            yield from _dangling(snapshot, item)


def _works(snapshot: ClusterSnapshot, item: KubeObject) -> bool:
    """Whether it has what it wants: then whatever it names was there when it started."""
    if snapshot.desired_only and snapshot.speaks(item):
        return True
    if snapshot.desired_only:
        return False
    wanted = item.spec.get("replicas", 1)
    return (
        item.kind in ("Job", "CronJob")
        or wanted == 0
        or item.status.get("readyReplicas", 0) == wanted
        or (item.kind == "DaemonSet" and item.status.get("numberReady") == item.status.get("desiredNumberScheduled"))
    )


def _said(snapshot: ClusterSnapshot, pod: KubeObject) -> Iterator[Clue]:
    started = any(state.running or state.ended for state in states_of(pod) if not state.init)
    events = [] if started else events_saying(snapshot, pod.ref, _TROUBLE)  # what it waited for came in the end
    texts: list[tuple[str, Quote]] = [
        (state.waiting_message, status_quote(pod, state.said))
        for state in states_of(pod)
        if state.waiting_reason == "CreateContainerConfigError"
    ]
    texts += [(event.message, event_quote(event)) for event in reversed(events)]
    owner = snapshot.workload_of(pod)
    for text, quote in texts:
        clue = _from_text(text, quote, pod, owner)
        if clue is not None:
            yield clue.model_copy(update={"victims": (owner, pod.ref)})
            return
    if any(state.waiting_reason == "CreateContainerConfigError" for state in states_of(pod)):
        said = texts[0][0] if texts else ""
        kind = next((found for pattern, found in _REFUSED if re.search(pattern, said)), F.K8S_CONFIG_KEY)
        yield Clue(
            failure_class=kind,
            rule="cluster-config",
            cause=f"{owner}: the configuration of its container is refused: {one_line(said)[:200]}.",
            target=owner,
            victims=(pod.ref,),
            quotes=(texts[0][1],),
            confidence=0.8,
            rank=24,
        )


def _from_text(text: str, quote: Quote, pod: KubeObject, owner: ObjectRef) -> Clue | None:
    if found := _KEY.search(text):
        target = ObjectRef(kind=found["kind"], namespace=found["namespace"] or pod.namespace, name=found["name"])
        return Clue(
            failure_class=F.K8S_CONFIG_KEY,
            rule="cluster-key",
            cause=f"{target} has no key {found['key']!r}, which {owner} needs.",
            target=target,
            quotes=(quote,),
            confidence=0.96,
            rank=15,
        )
    if (found := _MISSING.search(text)) and found["name"]:
        target = ObjectRef(kind=_KINDS[found["kind"].lower()], namespace=pod.namespace, name=found["name"])
        kind = F.K8S_PENDING_PVC if target.kind == "PersistentVolumeClaim" else F.K8S_MOUNT
        return Clue(
            failure_class=kind,
            rule="cluster-missing",
            cause=f"{target} does not exist, and {owner} needs it.",
            target=target,
            quotes=(quote,),
            confidence=0.96,
            rank=15,
        )
    if found := _MISSING.search(text):
        return Clue(
            failure_class=F.K8S_CONFIG_KEY,
            rule="cluster-key",
            cause=f"{owner}: a {found['what']} that it mounts has no key {found['field']}.",
            target=owner,
            quotes=(quote,),
            confidence=0.9,
            rank=18,
        )
    if "Multi-Attach" in text:
        return Clue(
            failure_class=F.K8S_MOUNT,
            rule="cluster-multi-attach",
            cause=f"{owner}: its volume is still attached to another node: {one_line(text)[:200]}.",
            target=owner,
            quotes=(quote,),
            confidence=0.9,
            rank=22,
        )
    if re.search(r"MountVolume|AttachVolume|Unable to attach or mount|mount failed|hostPath type check", text):
        return Clue(
            failure_class=F.K8S_MOUNT,
            rule="cluster-mount",
            cause=f"{owner}: a volume cannot be mounted: {one_line(text)[:240]}.",
            target=owner,
            quotes=(quote,),
            confidence=0.8,
            rank=28,
        )
    return None


def _dangling(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    """References into nothing, where all objects of the kind were read."""
    for reference in references_of(item.pod_spec):
        if not snapshot.knows(reference.kind, item.namespace) or reference.name in _GIVEN:
            continue
        target = ObjectRef(kind=reference.kind, namespace=item.namespace, name=reference.name)
        known = snapshot.find(target.kind, target.namespace, target.name)
        quote = spec_quote(
            item,
            f"{reference.where} names {reference.kind} {reference.name}"
            + (f" key {reference.key}" if reference.key else ""),
        )
        if known is None:
            if _made_by_template(item, reference):
                continue
            near = _near(snapshot, target)
            kind = F.K8S_PENDING_PVC if target.kind == "PersistentVolumeClaim" else F.K8S_MOUNT
            yield Clue(
                failure_class=kind,
                rule="cluster-missing",
                cause=f"{target} does not exist, and {item.ref} needs it ({reference.where}).{near}",
                target=target,
                victims=(item.ref,),
                quotes=(quote,),
                confidence=0.9,
                rank=15,
            )
        elif (
            reference.key
            and not known.sketched
            and reference.kind != "PersistentVolumeClaim"
            and reference.key not in _keys(known)
        ):
            yield Clue(
                failure_class=F.K8S_CONFIG_KEY,
                rule="cluster-key",
                cause=f"{target} has no key {reference.key!r}, which {item.ref} needs ({reference.where}).",
                target=target,
                victims=(item.ref,),
                quotes=(quote, spec_quote(known, f"keys: {', '.join(_keys(known)) or 'none'}")),
                confidence=0.9,
                rank=15,
            )


def _made_by_template(item: KubeObject, reference: Reference) -> bool:
    return reference.kind == "PersistentVolumeClaim" and bool(item.spec.get("volumeClaimTemplates"))


def _keys(item: KubeObject) -> list[str]:
    return [str(key) for field in ("data", "binaryData", "stringData") for key in mapping_of(item.raw.get(field))]


def _near(snapshot: ClusterSnapshot, target: ObjectRef) -> str:
    names = [item.name for item in snapshot.of_kind(target.kind, target.namespace)]
    near = difflib.get_close_matches(target.name, names, n=1, cutoff=0.5)
    elsewhere = [item.namespace for item in snapshot.of_kind(target.kind) if item.name == target.name]
    other = {"ConfigMap": "Secret", "Secret": "ConfigMap"}.get(target.kind, "")
    if other and snapshot.find(other, target.namespace, target.name) is not None:
        return f" There is a {other} of that name."
    if near:
        return f" There is a {target.kind} named {near[0]}."
    return f" There is one in namespace {elsewhere[0]}." if elsewhere else ""
