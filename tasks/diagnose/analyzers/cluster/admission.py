"""Pods that are never made: quotas, limit ranges, pod security, admission webhooks, and accounts that are not there."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    containers_of,
    event_quote,
    int_of,
    one_line,
    spec_quote,
    status_quote,
)
from tasks.domain.base import Noun
from tasks.domain.cluster import (
    ClusterEvent,
    ClusterSnapshot,
    Json,
    KubeObject,
    ObjectRef,
    dig,
    mapping_of,
    mappings_of,
)
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_QUOTA = re.compile(r"exceeded quota: (?P<name>[\w.-]+)|failed quota: (?P<name2>[\w.-]+)")
_WEBHOOK = re.compile(
    r"admission webhook \\?\"(?P<name>[^\"\\]+)\\?\" denied|failed calling webhook \\?\"(?P<name2>[^\"\\]+)"
)
_ACCOUNT = re.compile(r"serviceaccount \\?\"(?P<name>[\w.-]+)\\?\" not found")
_ABSENT = re.compile(
    r"no PriorityClass with name (?P<priority>\S+) was found|RuntimeClass (?:\S+ )?\\?\"(?P<runtime>[^\"\\]+)\\?\" not found"
)
_LEVELS = ("restricted", "baseline")


def find_refused(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """What the API server says when it refuses pods, and what quotas and limits show beforehand."""
    for event in _open_refusals(snapshot):
        clue = _judge(snapshot, event.about, event.message, event_quote(event))
        if clue is not None:
            yield clue
    for kind in ("ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job"):
        for item in snapshot.of_kind(kind):
            condition = item.condition("ReplicaFailure")
            if condition.get("status") == "True":
                message = str(condition.get("message"))
                clue = _judge(snapshot, item.ref, message, status_quote(item, f"ReplicaFailure: {message}"))
                if clue is not None:
                    yield clue
    for item in snapshot.templates():
        if item.kind != "Pod" and (snapshot.desired_only or _lacks_pods(item)):
            yield from _against_quota(snapshot, item)
            yield from _against_limits(snapshot, item)
            yield from _against_security(snapshot, item)


def _lacks_pods(item: KubeObject) -> bool:
    return (
        bool(item.status)
        and int_of(item.status.get("replicas")) < int_of(item.spec.get("replicas"), 1)
        and item.kind in ("Deployment", "StatefulSet")
    )


def _open_refusals(snapshot: ClusterSnapshot) -> Iterator[ClusterEvent]:
    """The last refusal of each object that has not made a pod since."""
    last: dict[ObjectRef, ClusterEvent] = {}
    for event in sorted(snapshot.events, key=lambda event: event.seen_at):
        if event.reason in ("FailedCreate", "FailedUpdate", "FailedCreatePod"):
            last[event.about] = event
        elif event.reason == "SuccessfulCreate":
            last.pop(event.about, None)
    for about, event in last.items():
        item = snapshot.find(about.kind, about.namespace, about.name)
        wanted = int_of(item.spec.get("replicas"), 1) if item is not None else 1
        if item is None or item.kind == "Job" or int_of(item.status.get("readyReplicas")) < wanted:
            yield event


class _Refusal(Noun):
    """Why pods are refused, and what has to change."""

    failure_class: F
    rule: str
    why: str
    target: ObjectRef
    confidence: float = 0.95


def _judge(snapshot: ClusterSnapshot, about: ObjectRef, message: str, quote: Quote) -> Clue | None:
    item = snapshot.find(about.kind, about.namespace, about.name)
    owner = snapshot.workload_of(item) if item is not None else about
    refusal = _named_refusal(snapshot, owner, message) or _plain_refusal(owner, message)
    if refusal is None:
        return None
    return Clue(
        failure_class=refusal.failure_class,
        rule=f"cluster-refused-{refusal.rule}",
        cause=f"{owner} gets no pods: {refusal.why}: {one_line(message)[:260].rstrip('.')}.",
        target=refusal.target,
        victims=(owner,),
        quotes=(quote,),
        confidence=refusal.confidence,
        rank=15,
    )


def _named_refusal(snapshot: ClusterSnapshot, owner: ObjectRef, message: str) -> _Refusal | None:
    """A refusal that names who refuses: a quota, a webhook, an account."""
    if found := _QUOTA.search(message):
        quota = ObjectRef(kind="ResourceQuota", namespace=owner.namespace, name=str(found["name"] or found["name2"]))
        if "must specify" in message:
            why = f"its containers lack what the quota {quota.name} demands"
            return _Refusal(failure_class=F.K8S_QUOTA, rule="quota", why=why, target=owner)
        why = f"the quota {quota.name} is used up"
        return _Refusal(failure_class=F.K8S_QUOTA, rule="quota", why=why, target=quota)
    if found := _WEBHOOK.search(message):
        silent, name = bool(found["name2"]), str(found["name"] or found["name2"])
        why = f"the admission webhook {name} " + ("does not answer" if silent else "refuses them")
        target = _configuration_of(snapshot, name) if silent else owner
        return _Refusal(failure_class=F.K8S_ADMISSION_WEBHOOK, rule="webhook", why=why, target=target)
    if found := _ABSENT.search(message):
        kind, name = ("PriorityClass", found["priority"]) if found["priority"] else ("RuntimeClass", found["runtime"])
        why = f"the {kind} {name} does not exist"
        return _Refusal(failure_class=F.K8S_MOUNT, rule="class", why=why, target=ObjectRef(kind=kind, name=str(name)))
    if found := _ACCOUNT.search(message):
        account = ObjectRef(kind="ServiceAccount", namespace=owner.namespace, name=found["name"])
        why = "its service account does not exist"
        return _Refusal(failure_class=F.K8S_MOUNT, rule="account", why=why, target=account)
    return None


_PLAIN_REFUSALS = (
    (F.K8S_LIMITRANGE, "limits", re.compile(r"(?:minimum|maximum) \S+ usage per|limit to request ratio|LimitRange"), "a LimitRange refuses its resources", 0.95),
    (F.K8S_ADMISSION_PSS, "security", re.compile(r"violates PodSecurity"), "they break the pod security of the namespace", 0.95),
    (F.K8S_RBAC, "forbidden", re.compile(r"is forbidden"), "they are forbidden", 0.6),
    (F.DEP_APPLY_INVALID, "invalid", re.compile(r"Invalid value|unsupported value|is invalid", re.I), "they are not valid", 0.8),
)  # fmt: skip
"""Ordered: a limit range and pod security also say that something is forbidden."""


def _plain_refusal(owner: ObjectRef, message: str) -> _Refusal | None:
    for failure_class, rule, pattern, why, confidence in _PLAIN_REFUSALS:
        if pattern.search(message):
            return _Refusal(failure_class=failure_class, rule=rule, why=why, target=owner, confidence=confidence)
    return None


def _configuration_of(snapshot: ClusterSnapshot, webhook: str) -> ObjectRef:
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for item in snapshot.of_kind(kind):
            if any(row.get("name") == webhook for row in mappings_of(item.raw.get("webhooks"))):
                return item.ref
    return ObjectRef(kind="ValidatingWebhookConfiguration", name=webhook)


def _against_quota(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    for quota in snapshot.of_kind("ResourceQuota", item.namespace):
        hard = mapping_of(quota.spec.get("hard")) or mapping_of(quota.status.get("hard"))
        for name, limit in hard.items():
            field, _, resource = name.partition(".")
            if field not in ("limits", "requests"):
                field, resource = "requests", name
            if resource not in ("cpu", "memory"):
                continue
            lacking = [
                str(container.get("name"))
                for container in containers_of(item.pod_spec)
                if not _asked(container, field, resource)
            ]
            given = _defaults(snapshot, item.namespace, field, resource)
            if lacking and not given:
                yield _quota_clue(
                    item,
                    quota,
                    f"container {lacking[0]} does not specify {field}.{resource}, which the quota {quota.name} demands",
                    f"{name}: {limit}",
                    0.88,
                )
                return
            each = sum(
                amount(_asked(container, field, resource)) or 0.0
                for container in mappings_of(item.pod_spec.get("containers"))
            )
            wanted, most = each * int_of(item.spec.get("replicas"), 1), amount(limit)
            if most is not None and wanted > most:
                yield _quota_clue(
                    item,
                    quota,
                    f"its pods ask for {field}.{resource} of {wanted:g} in all, and the quota {quota.name} allows {limit}",
                    f"{name}: {limit}",
                    0.8,
                )
                return


def _asked(container: Json, field: str, resource: str) -> object:
    """A request that is not there is as large as the limit."""
    said = dig(container, "resources", field, resource)
    return said or (dig(container, "resources", "limits", resource) if field == "requests" else None)


def _defaults(snapshot: ClusterSnapshot, namespace: str, field: str, resource: str) -> bool:
    key = "default" if field == "limits" else "defaultRequest"
    rows = [row for item in snapshot.of_kind("LimitRange", namespace) for row in mappings_of(item.spec.get("limits"))]
    return any(dig(row, key, resource) or (key == "defaultRequest" and dig(row, "default", resource)) for row in rows)


def _quota_clue(item: KubeObject, quota: KubeObject, why: str, said: str, confidence: float) -> Clue:
    return Clue(
        failure_class=F.K8S_QUOTA,
        rule="cluster-quota",
        cause=f"{item.ref} gets no pods, or not all: {why}.",
        target=item.ref,
        victims=(quota.ref,),
        quotes=(
            spec_quote(quota, f"hard {said}"),
            spec_quote(
                item,
                f"resources of its containers: {[dict(mapping_of(row.get('resources'))) for row in containers_of(item.pod_spec)]}",
            ),
        ),
        confidence=confidence,
        rank=16,
    )


def _against_limits(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    for limits in snapshot.of_kind("LimitRange", item.namespace):
        for row in mappings_of(limits.spec.get("limits")):
            if row.get("type") != "Container":
                continue
            for container in containers_of(item.pod_spec):
                why = _outside(row, container)
                if why:
                    yield Clue(
                        failure_class=F.K8S_LIMITRANGE,
                        rule="cluster-limitrange",
                        cause=f"{item.ref} gets no pods: container {container.get('name')} {why} {limits.ref}.",
                        target=item.ref,
                        victims=(limits.ref,),
                        quotes=(
                            spec_quote(limits, f"limits: {dict(row)}"),
                            spec_quote(item, f"resources: {container.get('resources')}"),
                        ),
                        confidence=0.85,
                        rank=16,
                    )
                    return


def _outside(row: Json, container: Json) -> str:
    for resource in ("cpu", "memory"):
        most, least = amount(dig(row, "max", resource)), amount(dig(row, "min", resource))
        limit, request = amount(_asked(container, "limits", resource)), amount(_asked(container, "requests", resource))
        if most is not None and max(limit or 0.0, request or 0.0) > most:
            return f"asks for more {resource} than the maximum of"
        if least is not None and request is not None and request < least:
            return f"asks for less {resource} than the minimum of"
    return ""


def _against_security(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    namespace = snapshot.find("Namespace", "", item.namespace)
    level = str(namespace.labels.get("pod-security.kubernetes.io/enforce") or "") if namespace is not None else ""
    if level not in _LEVELS:
        return
    spec = item.pod_spec
    breaks = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    breaks += ["hostPath volumes"] if any(volume.get("hostPath") for volume in mappings_of(spec.get("volumes"))) else []
    for container in containers_of(spec):
        context = {**mapping_of(spec.get("securityContext")), **mapping_of(container.get("securityContext"))}
        breaks += ["privileged"] if context.get("privileged") else []
        if level == "restricted":
            breaks += [] if context.get("runAsNonRoot") is True else ["runAsNonRoot != true"]
            breaks += [] if context.get("allowPrivilegeEscalation") is False else ["allowPrivilegeEscalation != false"]
    if breaks:
        yield Clue(
            failure_class=F.K8S_ADMISSION_PSS,
            rule="cluster-security",
            cause=f"{item.ref} gets no pods: they break the pod security level {level!r} of the namespace ({', '.join(dict.fromkeys(breaks))}).",
            target=item.ref,
            quotes=(spec_quote(namespace or item, f"pod-security.kubernetes.io/enforce: {level}"),),
            confidence=0.75,
            rank=18,
        )
