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


def _judge(  # noqa: C901, PLR0911  one case after another
    snapshot: ClusterSnapshot, about: ObjectRef, message: str, quote: Quote
) -> Clue | None:
    item = snapshot.find(about.kind, about.namespace, about.name)
    owner = snapshot.workload_of(item) if item is not None else about
    said = one_line(message)[:260].rstrip(".")

    def clue(failure_class: F, rule: str, cause: str, target: ObjectRef, confidence: float = 0.95) -> Clue:
        return Clue(
            failure_class=failure_class,
            rule=f"cluster-refused-{rule}",
            cause=f"{cause}: {said}.",
            target=target,
            victims=(owner,),
            quotes=(quote,),
            confidence=confidence,
            rank=15,
        )

    if found := _QUOTA.search(message):
        quota = found["name"] or found["name2"]
        must = "must specify" in message
        if must:
            return clue(
                F.K8S_QUOTA, "quota", f"{owner} gets no pods: its containers lack what the quota {quota} demands", owner
            )
        return clue(
            F.K8S_QUOTA,
            "quota",
            f"{owner} gets no more pods: the quota {quota} is used up",
            ObjectRef(kind="ResourceQuota", namespace=about.namespace, name=str(quota)),
        )
    if re.search(r"(?:minimum|maximum) \S+ usage per|limit to request ratio|LimitRange", message):
        return clue(F.K8S_LIMITRANGE, "limits", f"{owner} gets no pods: a LimitRange refuses its resources", owner)
    if "violates PodSecurity" in message:
        return clue(
            F.K8S_ADMISSION_PSS,
            "security",
            f"{owner} gets no pods: they break the pod security of the namespace",
            owner,
        )
    if found := _WEBHOOK.search(message):
        name = found["name"] or found["name2"]
        if found["name2"]:
            return clue(
                F.K8S_ADMISSION_WEBHOOK,
                "webhook",
                f"{owner} gets no pods: the admission webhook {name} does not answer",
                _configuration_of(snapshot, name),
            )
        return clue(
            F.K8S_ADMISSION_WEBHOOK,
            "webhook",
            f"{owner} gets no pods: the admission webhook {name} refuses them",
            owner,
        )
    if found := _ACCOUNT.search(message):
        return clue(
            F.K8S_MOUNT,
            "account",
            f"{owner} gets no pods: its service account does not exist",
            ObjectRef(kind="ServiceAccount", namespace=about.namespace, name=found["name"]),
        )
    if "is forbidden" in message:
        return clue(F.K8S_RBAC, "forbidden", f"{owner} gets no pods: they are forbidden", owner, 0.6)
    if re.search(r"Invalid value|unsupported value|is invalid", message, re.I):
        return clue(F.DEP_APPLY_INVALID, "invalid", f"{owner} gets no pods: they are not valid", owner, 0.8)
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
