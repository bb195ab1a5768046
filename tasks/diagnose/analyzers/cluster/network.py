"""Network policies that cut off what is needed: the resolver, or a peer. And CoreDNS itself."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.calling import callers_of, find_service, services_named_by
from tasks.diagnose.analyzers.cluster.reading import containers_of, is_healthy, spec_quote, status_quote
from tasks.diagnose.analyzers.cluster.saying import Said, listen
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F

_DNS_PORTS = (53, "53", "dns", "dns-tcp", "domain")
_BLOCKED = (F.K8S_DNS, F.K8S_CRASH_DEP)


def find_network_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Policies that block names or peers, policies that mean nobody, and a resolver that is down."""
    for policy in snapshot.of_kind("NetworkPolicy"):
        pods = [
            item
            for item in snapshot.carriers(policy.namespace)
            if selects(mapping_of(policy.spec.get("podSelector")), item.pod_labels)
        ]
        if not pods:
            yield _hint(policy, "selects no pod")
            continue
        if any(not row for row in mappings_of(policy.spec.get("ingress"))) and not mapping_of(
            policy.spec.get("podSelector")
        ):
            yield _hint(policy, "lets everything in to every pod")
        if _direction(policy, "Egress"):
            yield from _blocks_dns(snapshot, policy, pods)
            yield from _keeps_from_peers(snapshot, policy, pods)
        if _direction(policy, "Ingress"):
            yield from _blocks_peers(snapshot, policy, pods)
    yield from _resolver(snapshot)


def _direction(policy: KubeObject, name: str) -> bool:
    kinds = policy.spec.get("policyTypes")
    return name in kinds if isinstance(kinds, list) else name == "Ingress" or "egress" in policy.spec


def _hint(policy: KubeObject, why: str) -> Clue:
    return Clue(
        failure_class=F.K8S_NETPOL,
        rule="cluster-policy-idle",
        cause=f"{policy.ref} {why}.",
        target=policy.ref,
        quotes=(spec_quote(policy, f"podSelector: {policy.spec.get('podSelector')}"),),
        confidence=0.5,
        hint=True,
    )


def _policies_on(snapshot: ClusterSnapshot, item: KubeObject, direction: str) -> list[KubeObject]:
    return [
        policy
        for policy in snapshot.of_kind("NetworkPolicy", item.namespace)
        if _direction(policy, direction) and selects(mapping_of(policy.spec.get("podSelector")), item.pod_labels)
    ]


def _lets_dns(snapshot: ClusterSnapshot, policy: KubeObject) -> bool:
    resolvers = [item for item in snapshot.carriers("kube-system") if item.pod_labels.get("k8s-app") == "kube-dns"]
    for rule in mappings_of(policy.spec.get("egress")):
        ports, peers = mappings_of(rule.get("ports")), mappings_of(rule.get("to"))
        open_ = not ports or any(row.get("port") in (*_DNS_PORTS, None) for row in ports)
        if open_ and (
            not (peers and resolvers) or any(_is_peer(snapshot, peer, policy, resolvers[0]) for peer in peers)
        ):
            return True
    return False


def _blocks_dns(snapshot: ClusterSnapshot, policy: KubeObject, pods: list[KubeObject]) -> Iterator[Clue]:
    victims = [
        item for item in pods if not any(_lets_dns(snapshot, other) for other in _policies_on(snapshot, item, "Egress"))
    ]
    if not victims:
        return
    heard = _heard(snapshot, victims)
    rules = mappings_of(policy.spec.get("egress"))
    what = "all traffic out" if not rules else "everything but a few ports out, and port 53 is not among them"
    who = "every pod of the namespace" if not mapping_of(policy.spec.get("podSelector")) else "the pods it selects"
    yield Clue(
        failure_class=F.K8S_NETPOL,
        rule="cluster-policy-dns",
        cause=f"{policy.ref} forbids {who} {what}, so that names cannot be resolved (DNS).",
        target=policy.ref,
        victims=tuple(item.ref for item in victims[:20]),
        quotes=(
            spec_quote(policy, f"policyTypes: {policy.spec.get('policyTypes')}, egress: {policy.spec.get('egress')}"),
            *heard,
        ),
        confidence=0.92 if heard else 0.7,
        rank=12,
        hint=not (
            heard
            or snapshot.desired_only
            or any(item.kind == "Pod" and item.status and not is_healthy(item) for item in victims)
        ),
    )


def _heard(snapshot: ClusterSnapshot, victims: list[KubeObject]) -> tuple[Quote, ...]:
    """What the pods themselves say of not getting through."""
    for item in victims[:200]:
        said = listen(snapshot.logs_of(item)) if item.kind == "Pod" else None
        if said is not None and said.failure_class in _BLOCKED:
            return said.quotes[:1]
    return ()


def _keeps_from_peers(snapshot: ClusterSnapshot, policy: KubeObject, pods: list[KubeObject]) -> Iterator[Clue]:
    """Who is not let out to a service, or out of the cluster, and says that it gets no answer there."""
    seen: set[ObjectRef | str] = set()
    for pod in pods[:200]:
        said = listen(snapshot.logs_of(pod)) if pod.kind == "Pod" else None
        if said is None or said.failure_class is not F.K8S_CRASH_DEP:
            continue
        caller = snapshot.workload_of(pod)
        for service in _asked(snapshot, pod, said):
            if service.ref not in seen and not _may_ask(snapshot, pod, service):
                seen.add(service.ref)
                certain = 0.9 if said.host else 0.8
                yield _keeps_in(policy, caller, str(service.ref), said, certain, (caller, pod.ref, service.ref))
        host = said.host.partition(":")[0]
        if _is_outside(snapshot, said.host, pod) and host not in seen and not _may_leave(snapshot, pod, said.host):
            seen.add(host)
            yield _keeps_in(policy, caller, f"{said.host}, outside the cluster", said, 0.85, (caller, pod.ref))


def _keeps_in(
    policy: KubeObject, caller: ObjectRef, where: str, said: Said, confidence: float, victims: tuple[ObjectRef, ...]
) -> Clue:
    return Clue(
        failure_class=F.K8S_NETPOL,
        rule="cluster-policy-out",
        cause=f"{policy.ref} does not let {caller} out to {where}.",
        target=policy.ref,
        victims=victims,
        quotes=(spec_quote(policy, f"egress: {policy.spec.get('egress')}"), *said.quotes[:1]),
        confidence=confidence,
        rank=13,
    )


def _asked(snapshot: ClusterSnapshot, pod: KubeObject, said: Said) -> list[KubeObject]:
    """The services that may not answer: the one that is named, else all that the pod is told to ask."""
    if said.host:
        service = find_service(snapshot, said.host, pod.namespace)
        return [service] if service is not None else []
    return services_named_by(snapshot, pod) if said.rule == "connection" else []


def _may_ask(snapshot: ClusterSnapshot, pod: KubeObject, service: KubeObject) -> bool:
    there = [item for item in snapshot.carriers(service.namespace) if _serves(service, item)]
    ports = _target_ports(service, there)
    policies = _policies_on(snapshot, pod, "Egress")
    return not there or any(_lets_out(snapshot, other, there[0], ports) for other in policies)


def _is_outside(snapshot: ClusterSnapshot, host: str, pod: KubeObject) -> bool:
    name = host.partition(":")[0]
    if not name or "." not in name or find_service(snapshot, host, pod.namespace) is not None:
        return False
    if re.fullmatch(r"[\d.]+", name):
        return not name.startswith(("10.", "127.", "192.168.", "169.254.", "172."))
    return not re.search(r"\.svc(?:\.|$)|\.local$|\.internal$", name) and not name.endswith(f".{pod.namespace}")


def _may_leave(snapshot: ClusterSnapshot, pod: KubeObject, host: str) -> bool:
    """Whether some policy lets the pod out to an address that is no pod's; of a name nobody knows the address."""
    ports = frozenset([host.partition(":")[2]] if ":" in host else [])
    for policy in _policies_on(snapshot, pod, "Egress"):
        for rule in mappings_of(policy.spec.get("egress")):
            peers = mappings_of(rule.get("to"))
            if _opens(rule, ports) and (not peers or any("ipBlock" in peer for peer in peers)):
                only_names = bool(rule.get("ports")) and not ports and _only_names(rule)
                if not only_names:
                    return True
    return False


def _only_names(rule: Json) -> bool:
    return all(row.get("port") in _DNS_PORTS for row in mappings_of(rule.get("ports")))


def _serves(service: KubeObject, item: KubeObject) -> bool:
    selector = mapping_of(service.spec.get("selector"))
    return bool(selector) and selects(selector, item.pod_labels)


def _lets_out(snapshot: ClusterSnapshot, policy: KubeObject, other: KubeObject, ports: frozenset[str]) -> bool:
    for rule in mappings_of(policy.spec.get("egress")):
        peers = mappings_of(rule.get("to"))
        if _opens(rule, ports) and (not peers or any(_is_peer(snapshot, peer, policy, other) for peer in peers)):
            return True
    return False


def _blocks_peers(snapshot: ClusterSnapshot, policy: KubeObject, pods: list[KubeObject]) -> Iterator[Clue]:
    services = [
        service
        for service in snapshot.of_kind("Service", policy.namespace)
        if mapping_of(service.spec.get("selector"))
        and any(selects(mapping_of(service.spec.get("selector")), item.pod_labels) for item in pods)
    ]
    for service in services:
        ports = _target_ports(service, pods)
        for caller in callers_of(snapshot, service):
            if any(
                _lets_in(snapshot, other, caller, ports)
                for item in pods[:1]
                for other in _policies_on(snapshot, item, "Ingress")
            ):
                continue
            heard = _heard(snapshot, snapshot.pods_of(caller.ref) or [caller])
            well = caller.kind == "Pod" and is_healthy(caller) and not heard
            if well or (not heard and not snapshot.desired_only and not caller.status.get("unavailableReplicas")):
                continue
            yield Clue(
                failure_class=F.K8S_NETPOL,
                rule="cluster-policy-peer",
                cause=f"{policy.ref} does not let {caller.ref} reach {service.ref}.",
                target=policy.ref,
                victims=(caller.ref, service.ref),
                quotes=(spec_quote(policy, f"ingress: {policy.spec.get('ingress')}"), *heard),
                confidence=0.9 if heard else 0.65,
                rank=14,
            )


def _target_ports(service: KubeObject, pods: list[KubeObject]) -> frozenset[str]:
    """The ports of the pods behind a service, by number and by name where one stands for the other."""
    declared = [row for item in pods for one in containers_of(item.pod_spec) for row in mappings_of(one.get("ports"))]
    found: set[str] = set()
    for row in mappings_of(service.spec.get("ports")):
        port = str(row.get("targetPort") or row.get("port"))
        same = [other for other in declared if port in (str(other.get("name")), str(other.get("containerPort")))]
        found |= {port, *(str(other[key]) for other in same for key in ("name", "containerPort") if other.get(key))}
    return frozenset(found)


def _opens(rule: Json, ports: frozenset[str]) -> bool:
    """Whether a rule lets any of these ports through; one that names none lets all."""
    rows = mappings_of(rule.get("ports"))
    if not rows or not ports:
        return True
    return any(row.get("port") is None or str(row["port"]) in ports or _spans(row, ports) for row in rows)


def _spans(row: Json, ports: frozenset[str]) -> bool:
    first, last = row.get("port"), row.get("endPort")
    if not (isinstance(first, int) and isinstance(last, int)):
        return False
    return any(first <= int(port) <= last for port in ports if port.isdigit())


def _lets_in(snapshot: ClusterSnapshot, policy: KubeObject, caller: KubeObject, ports: frozenset[str]) -> bool:
    for rule in mappings_of(policy.spec.get("ingress")):
        if not _opens(rule, ports):
            continue
        peers = mappings_of(rule.get("from"))
        if not peers or any(_is_peer(snapshot, peer, policy, caller) for peer in peers):
            return True
    return False


def _is_peer(snapshot: ClusterSnapshot, peer: Json, policy: KubeObject, caller: KubeObject) -> bool:
    if "ipBlock" in peer:
        return True
    if "namespaceSelector" in peer:
        namespace = snapshot.find("Namespace", "", caller.namespace)
        labels = {"kubernetes.io/metadata.name": caller.namespace, **(namespace.labels if namespace else {})}
        if not selects(mapping_of(peer.get("namespaceSelector")), labels):
            return False
    elif caller.namespace != policy.namespace:
        return False
    return "podSelector" not in peer or selects(mapping_of(peer.get("podSelector")), caller.pod_labels)


def _resolver(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """CoreDNS without a ready pod: everything that asks for a name fails."""
    if any(
        is_healthy(pod) and pod.labels.get("k8s-app") == "kube-dns" for pod in snapshot.of_kind("Pod", "kube-system")
    ):
        return
    for item in snapshot.of_kind("Deployment", "kube-system"):
        if item.labels.get("k8s-app") != "kube-dns" and item.name not in (
            "coredns",
            "kube-dns",
            "rke2-coredns-rke2-coredns",
        ):
            continue
        ready, wanted = item.status.get("readyReplicas") or 0, item.spec.get("replicas", 1)
        if not ready and item.status and not snapshot.desired_only:
            yield Clue(
                failure_class=F.K8S_DNS,
                rule="cluster-dns-down",
                cause=f"{item.ref} has no ready pod ({wanted} wanted): no name can be resolved.",
                target=item.ref,
                quotes=(status_quote(item, f"{ready} of {wanted} ready"),),
                confidence=0.9,
                rank=40 if wanted else 10,
            )
