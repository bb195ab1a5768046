"""Services that lead nowhere: no pod has their labels, no pod is ready, or no container listens on their port."""

import difflib
import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.calling import callers_of, ingress_services
from tasks.diagnose.analyzers.cluster.reading import event_quote, is_healthy, spec_quote, status_quote
from tasks.domain.cluster import (
    ClusterSnapshot,
    Json,
    KubeObject,
    ObjectRef,
    mapping_of,
    selects,
    unique_refs,
)
from tasks.domain.cluster_cause import SYMPTOM, Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.listening import port_gaps, unheard_ports

_ELECTION = "control-plane.alpha.kubernetes.io/leader"


def find_dead_services(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each service without an end."""
    for service in snapshot.of_kind("Service"):
        selector = mapping_of(service.spec.get("selector"))
        if not selector or service.spec.get("type") == "ExternalName" or _ELECTION in service.annotations:
            continue
        carriers = snapshot.carriers(service.namespace)
        if service.sketched and not any(not item.sketched for item in carriers):
            continue
        chosen = [item for item in carriers if selects(selector, item.pod_labels)]
        if not chosen:
            yield from _selects_nothing(snapshot, service, selector, carriers)
        else:
            yield from _not_ready(snapshot, service, chosen)
            yield from _wrong_port(service, chosen)
            yield from _unheard_port(snapshot, service, chosen)
        yield from _warned(snapshot, service)


def _selects_nothing(
    snapshot: ClusterSnapshot, service: KubeObject, selector: Json, carriers: list[KubeObject]
) -> Iterator[Clue]:
    said = ", ".join(f"{key}={value}" for key, value in selector.items())
    near = _nearest(service, selector, carriers)
    if near is None and (service.sketched or not (snapshot.desired_only or snapshot.knows("Pod") or carriers)):
        return
    differs = ""
    victims = (near.ref,) if near is not None else ()
    quotes = [spec_quote(service, f"selector: {said}")]
    if near is not None:
        labels = ", ".join(f"{key}={near.pod_labels.get(key, '(none)')}" for key in selector)
        differs = f", while the pods of {snapshot.workload_of(near)} have {labels}"
        quotes.append(spec_quote(near, f"pod labels: {labels}"))
    yield Clue(
        failure_class=F.K8S_SVC_SELECTOR,
        rule="cluster-selector",
        cause=f"{service.ref} has no endpoints: no pod has its labels {said}{differs}.",
        target=service.ref,
        victims=victims,
        quotes=tuple(quotes),
        confidence=0.92 if near is not None else 0.6,
        rank=25,
        hint=near is None and not snapshot.desired_only,
    )


def _nearest(service: KubeObject, selector: Json, carriers: list[KubeObject]) -> KubeObject | None:
    """The pods that were meant: they share a label, or nearly, or what makes them is named as the service is."""

    def likeness(item: KubeObject) -> float:
        labels = item.pod_labels
        alike = [
            difflib.SequenceMatcher(None, str(value), str(labels[key])).ratio()
            for key, value in selector.items()
            if key in labels
        ]
        same = sum(1 for key, value in selector.items() if labels.get(key) == value)
        return same + max(alike, default=0.0) + (item.kind != "Pod" and item.name == service.name)

    best = max(carriers, key=likeness, default=None)
    return best if best is not None and likeness(best) >= 0.6 else None


def _not_ready(snapshot: ClusterSnapshot, service: KubeObject, chosen: list[KubeObject]) -> Iterator[Clue]:
    pods = [item for item in chosen if item.kind == "Pod" and item.status]
    if not pods:
        yield from _scaled_to_zero(snapshot, service, chosen)
    if not pods or any(is_healthy(pod) for pod in pods):
        return
    owners = unique_refs(snapshot.workload_of(pod) for pod in pods)
    yield Clue(
        failure_class=F.K8S_PROBE_READY,
        rule="cluster-no-ready-endpoint",
        cause=f"{service.ref} has no ready endpoints: none of {len(pods)} pods of {owners[0]} is ready.",
        target=owners[0],
        victims=(service.ref,),
        quotes=(status_quote(service, f"0 of {len(pods)} pods are ready"),),
        confidence=0.5,
        rank=SYMPTOM + 5,
    )


def _scaled_to_zero(snapshot: ClusterSnapshot, service: KubeObject, chosen: list[KubeObject]) -> Iterator[Clue]:
    """Somebody may have meant it so; that others need what it serves says that they did not."""
    scaled = [item for item in chosen if item.kind != "Pod" and item.owner is None]
    if not scaled or snapshot.desired_only or any(item.spec.get("replicas") != 0 for item in scaled):
        return
    needing = tuple(_needing(snapshot, service))
    who = f", and {needing[0]} needs it" if needing else ""
    yield Clue(
        failure_class=F.K8S_SVC_SELECTOR,
        rule="cluster-scaled-to-zero",
        cause=f"{service.ref} has no endpoints: {scaled[0].ref} is scaled to zero{who}.",
        target=scaled[0].ref,
        victims=unique_refs((service.ref, *needing)),
        quotes=(spec_quote(scaled[0], "replicas: 0"),),
        confidence=0.75 if needing else 0.5,
        rank=24,
        hint=not needing or any(sleeps_by_design(item) for item in scaled),
    )


def sleeps_by_design(item: KubeObject) -> bool:
    """Whether something scales it down to zero while nobody asks, and says so on it."""
    said = (*item.labels, *item.annotations)
    return any(
        re.search(r"keda|knative|idle|sleep|scale-?to-?zero|downscaler|hibernat", str(key), re.I) for key in said
    )


def _needing(snapshot: ClusterSnapshot, service: KubeObject) -> Iterator[ObjectRef]:
    """Entrances that send to a Service, and workloads that run and name it."""
    for ingress in snapshot.of_kind("Ingress", service.namespace):
        if service.name in ingress_services(ingress):
            yield ingress.ref
    for item in callers_of(snapshot, service):
        if item.spec.get("replicas", 1) != 0:
            yield item.ref


def _wrong_port(service: KubeObject, chosen: list[KubeObject]) -> Iterator[Clue]:
    if any(item.sketched for item in chosen):
        return
    for gap in port_gaps(service, chosen):
        listens = " and ".join(str(number) for number in gap.listens) or "no port of that name"
        yield Clue(
            failure_class=F.K8S_SVC_PORT,
            rule="cluster-target-port",
            cause=f"{service.ref} sends to port {gap.wanted} of its pods, which listen on {listens}.",
            target=service.ref,
            victims=(chosen[0].ref,),
            quotes=(
                spec_quote(service, f"port {gap.port} targetPort {gap.wanted}"),
                spec_quote(chosen[0], f"containerPorts: {listens}"),
            ),
            confidence=0.85 if gap.named else 0.7,
            rank=25,
        )


def _unheard_port(snapshot: ClusterSnapshot, service: KubeObject, chosen: list[KubeObject]) -> Iterator[Clue]:
    """What serves on a port that its command names, and a Service that sends to another; pods that are told more than
    they say may listen there too, so that of a live cluster it is worth knowing only until somebody is refused.
    """
    found = None if any(item.sketched for item in chosen) else unheard_ports(service.spec, chosen)
    if found is not None:
        listens = " and ".join(str(number) for number in found[1])
        yield Clue(
            failure_class=F.K8S_SVC_PORT,
            rule="cluster-told-port",
            cause=f"{service.ref} sends to port {found[0]} of its pods, which are told to serve on {listens}.",
            target=service.ref,
            victims=(chosen[0].ref,),
            quotes=(
                spec_quote(service, f"targetPort {found[0]}"),
                spec_quote(chosen[0], f"told to serve on {listens}"),
            ),
            confidence=0.65,
            rank=25,
            hint=not snapshot.desired_only,
        )


def _warned(snapshot: ClusterSnapshot, service: KubeObject) -> Iterator[Clue]:
    events = [event for event in snapshot.events_of(service.ref) if event.warning]
    if events:
        yield Clue(
            failure_class=F.K8S_SVC_SELECTOR,
            rule="cluster-service-event",
            cause=f"{service.ref}: {events[-1].message[:200].rstrip('.')}.",
            target=service.ref,
            quotes=(event_quote(events[-1]),),
            confidence=0.5,
            rank=60,
        )
