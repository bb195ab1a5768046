"""Calls that are not answered: who is to blame when one workload cannot reach a service of this cluster."""

import difflib
import re
from collections.abc import Iterator, Sequence

from tasks.diagnose.analyzers.cluster.answering import was_refused
from tasks.diagnose.analyzers.cluster.calling import (
    behind,
    callers_of,
    config_saying,
    find_service,
    port_named_by,
    said_by,
    services_named_by,
)
from tasks.diagnose.analyzers.cluster.reading import is_healthy, spec_quote
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, dig, mappings_of, unique_refs
from tasks.domain.cluster_cause import SYMPTOM, Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.listening import port_gaps, unheard_ports

_UNKNOWN = re.compile(
    r"no such host|ENOTFOUND|NXDOMAIN|name or service not known|could not resolve host"
    r"|bad address|can't resolve|can't find"
    r"|does not resolve|UnknownHostException|nodename nor servname|failed to resolve|gaierror",
    re.IGNORECASE,
)
"""What is said of a name that is not known, and not of a resolver that does not answer."""
_SERVES = re.compile(
    r"\b(?:listen(?:ing|s)?|serving|bound|started|running|ready)\b.{0,60}?"
    r"(?:\bport(?:\(s\))?[ :=]+|(?:(?:\d{1,3}\.){3}\d{1,3}|[a-z\]*]|(?<=\s)):)(?P<port>\d{2,5})\b(?!:)",
    re.IGNORECASE,
)
"""What a server says when it begins: `listening on :8080`, `Tomcat started on port(s): 8080`, `running on http://0.0.0.0:5000`."""
_FIRST_LINES, _ASKED_PODS, MAX_OWN_QUOTES = 100, 2, 3
_ELSEWHERE = {"Default": "dnsPolicy: Default", "None": "dnsPolicy: None"}


def redirected(snapshot: ClusterSnapshot, clues: Sequence[Clue]) -> list[Clue]:
    """Who cannot reach a service of this cluster is the victim of what is wrong behind it, or asks the wrong port."""
    resolver_down = any(clue.rule == "cluster-dns-down" for clue in clues)
    return [_redirect(snapshot, clue, resolver_down=resolver_down) for clue in clues]


def _redirect(snapshot: ClusterSnapshot, clue: Clue, *, resolver_down: bool) -> Clue:
    clue = _with_host(snapshot, clue)
    service = find_service(snapshot, clue.host, clue.target.namespace) if clue.host else None
    if service is None:
        return clue if resolver_down or not clue.host else _of_no_service(snapshot, clue)
    if clue.failure_class is F.K8S_DNS and (policy := _resolves_elsewhere(snapshot, clue)):
        cause = f"{clue.target} cannot resolve {service.ref}: its pods ask the resolver of their node ({policy})."
        return clue.model_copy(update={"cause": cause, "rank": 22, "host": ""})
    if (asked := _unknown_port(clue.host, service)) is not None:
        return _asks_wrongly(snapshot, clue, service, asked)
    workloads = behind(snapshot, service)
    pods = [pod for workload in workloads for pod in snapshot.pods_of(workload) if is_healthy(pod)]
    if not pods:
        return _nothing_ready(snapshot, clue, service, workloads)
    if any(was_refused(quote.text) for quote in clue.quotes):
        return _refused(snapshot, clue, service, pods)
    return _toward(clue, service.ref, f"{clue.target} cannot reach {service.ref} ({clue.host}).", 50)


def _with_host(snapshot: ClusterSnapshot, clue: Clue) -> Clue:
    """Where a program says that it gets no connection and not to whom: the service that it is told to ask, if that is
    one, or the only one of several that cannot answer.
    """
    of_its_own = any("pool" in quote.text.lower() for quote in clue.quotes)  # its own connections are used up
    if clue.host or clue.hint or of_its_own or not clue.rule.endswith("-connection"):
        return clue
    item = snapshot.find(clue.target.kind, clue.target.namespace, clue.target.name)
    named = services_named_by(snapshot, item) if item is not None else []
    if len(named) > 1:
        named = [service for service in named if not _may_answer(snapshot, service)]
    if item is None or len(named) != 1:
        return clue
    port = port_named_by(snapshot, item, named[0])
    host = f"{named[0].name}.{named[0].namespace}" + (f":{port}" if port else "")
    return clue.model_copy(update={"host": host, "confidence": round(clue.confidence * 0.9, 2)})


def _may_answer(snapshot: ClusterSnapshot, service: KubeObject) -> bool:
    pods = [pod for workload in behind(snapshot, service) for pod in snapshot.pods_of(workload) if is_healthy(pod)]
    return bool(pods) and not list(port_gaps(service, pods)) and unheard_ports(service.spec, pods) is None


def _of_no_service(snapshot: ClusterSnapshot, clue: Clue) -> Clue:
    """A name without a dot, or of this cluster's own, that no service has: misspelt, elsewhere, or never made."""
    name, _, rest = clue.host.partition(":")[0].partition(".")
    parts = rest.split(".") if rest else []
    namespace = parts[0] if len(parts) > 1 and parts[1] == "svc" else clue.target.namespace
    own = not rest or (len(parts) > 1 and parts[1] == "svc")
    unknown = clue.failure_class is F.K8S_DNS and any(_UNKNOWN.search(quote.text) for quote in clue.quotes)
    if not own or not unknown or not snapshot.knows("Service", namespace) or name.isdigit():
        return clue
    here = [item.name for item in snapshot.of_kind("Service", namespace)]
    near = difflib.get_close_matches(name, here, n=1, cutoff=0.75)
    elsewhere = [item.ref for item in snapshot.of_kind("Service") if item.name == name]
    said = f"{clue.target} asks for the service {name}, which does not exist in {namespace}"
    if near or elsewhere:
        hint = f"there is {near[0]}" if near else f"there is {elsewhere[0]}"
        changed = {"failure_class": F.K8S_CRASH_CONFIG, "cause": f"{said} ({hint}).", "rank": 26}
        return _of_config(
            snapshot, clue.model_copy(update={**changed, "confidence": round(clue.confidence * 0.95, 2)}), name
        )
    told = _toward(clue, ObjectRef(kind="Service", namespace=namespace, name=name), f"{said}.", 26, 0.9)
    return told.model_copy(update={"failure_class": F.K8S_CRASH_DEP})


def _of_config(snapshot: ClusterSnapshot, clue: Clue, word: str) -> Clue:
    """The same clue, told of the ConfigMap from which the workload has that word."""
    item = snapshot.find(clue.target.kind, clue.target.namespace, clue.target.name)
    source = config_saying(snapshot, item, word) if item is not None else None
    if source is None:
        return clue
    cause = f"{clue.cause.rstrip('.')}: it has {word!r} from {source}."
    return clue.model_copy(update={"target": source, "victims": (clue.target, *clue.victims), "cause": cause})


def _resolves_elsewhere(snapshot: ClusterSnapshot, clue: Clue) -> str:
    """The policy by which its pods do not ask the resolver of the cluster, empty when they do."""
    item = snapshot.find(clue.target.kind, clue.target.namespace, clue.target.name)
    spec = item.pod_spec if item is not None else {}
    policy = str(spec.get("dnsPolicy") or "ClusterFirst")
    on_host = spec.get("hostNetwork") is True and policy == "ClusterFirst"
    return "hostNetwork without dnsPolicy ClusterFirstWithHostNet" if on_host else _ELSEWHERE.get(policy, "")


def _toward(clue: Clue, target: ObjectRef, cause: str, rank: int, share: float = 0.8) -> Clue:
    """The same clue, told of what does not answer."""
    victims = unique_refs((clue.target, *clue.victims))
    confidence = round(clue.confidence * share, 2)
    return clue.model_copy(
        update={"target": target, "victims": victims, "cause": cause, "rank": rank, "confidence": confidence}
    )


def _nothing_ready(snapshot: ClusterSnapshot, clue: Clue, service: KubeObject, workloads: Sequence[ObjectRef]) -> Clue:
    said = f"{clue.target} cannot reach {service.ref} ({clue.host}), behind which nothing is ready."
    told = _toward(clue, workloads[0] if workloads else service.ref, said, SYMPTOM)
    items = [snapshot.find(ref.kind, ref.namespace, ref.name) for ref in workloads]
    if not workloads or any(item is None or item.spec.get("replicas") != 0 for item in items):
        return told
    cause = f"{clue.target} cannot reach {service.ref} ({clue.host}): {workloads[0]} is scaled to zero."
    return told.model_copy(
        update={"failure_class": F.K8S_SVC_SELECTOR, "cause": cause, "rank": 24, "host": "", "confidence": 0.85}
    )


def _unknown_port(host: str, service: KubeObject) -> int | None:
    """The port that was asked, where the service has none of that number."""
    port = host.rpartition(":")[2]
    known = [row.get("port") for row in mappings_of(service.spec.get("ports"))]
    return int(port) if ":" in host and port.isdigit() and known and int(port) not in known else None


def _asks_wrongly(snapshot: ClusterSnapshot, clue: Clue, service: KubeObject, asked: int) -> Clue:
    """One that asks a port which a service does not have is wrong itself; when several do, the service is."""
    known = " and ".join(str(row.get("port")) for row in mappings_of(service.spec.get("ports")))
    others = [
        item for item in callers_of(snapshot, service) if any(f":{asked}" in text for text in said_by(snapshot, item))
    ]
    target = service.ref if len(others) > 1 else clue.target
    told = _toward(clue, target, f"{clue.target} asks port {asked} of {service.ref}, which has {known} only.", 34)
    changed = {"failure_class": F.K8S_SVC_PORT, "rule": "cluster-asked-port", "confidence": 0.85, "host": ""}
    told = told.model_copy(update=changed)
    return told if target == service.ref else _of_config(snapshot, told, str(asked))


def _refused(snapshot: ClusterSnapshot, clue: Clue, service: KubeObject, pods: Sequence[KubeObject]) -> Clue:
    """Pods are ready and nothing listens where the service sends: its port is wrong, or they do not open it."""
    if not _were_ready(snapshot, clue, pods):
        return _toward(clue, service.ref, f"{clue.target} cannot reach {service.ref} ({clue.host}).", 50)
    gaps = list(port_gaps(service, pods))
    declared = any(row.get("ports") for pod in pods for row in mappings_of(pod.spec.get("containers")))
    target = service.ref if gaps or not declared else snapshot.workload_of(pods[0])
    sent = gaps[0].wanted if gaps else next(_targets(service), "of its choice")
    why = f"{service.ref} sends to port {sent} of pods that are ready, and nothing listens there"
    heard = _heard_port(snapshot, service, pods)
    if heard is not None:
        why, target = f"{why}: they serve on {heard[0]}", service.ref
    told = _toward(clue, target, f"{clue.target} is refused by {service.ref} ({clue.host}): {why}.", 34)
    changed = {"failure_class": F.K8S_SVC_PORT, "rule": "cluster-refused-port", "host": ""}
    quotes = (*clue.quotes[:MAX_OWN_QUOTES], *(heard[1] if heard else ()))
    return told.model_copy(update={**changed, "confidence": 0.85 if heard else 0.75, "quotes": quotes})


def _heard_port(
    snapshot: ClusterSnapshot, service: KubeObject, pods: Sequence[KubeObject]
) -> tuple[str, tuple[Quote, ...]] | None:
    """Where the pods behind a service serve instead, as their command or their own log tells."""
    sent = {str(port) for port in _targets(service)}
    told = unheard_ports(service.spec, pods)
    if told is not None:
        ports = " and ".join(str(port) for port in told[1])
        return ports, (spec_quote(pods[0], f"told to serve on {ports}"),)
    for log in (log for pod in pods[:_ASKED_PODS] for log in snapshot.logs_of(pod)):
        for number, line in enumerate(log.lines[:_FIRST_LINES]):
            found = _SERVES.search(line)
            if found is not None and found["port"] not in sent:
                quote = Quote(source=log.source, text=line.strip()[:900], line_number=log.first_line_number + number)
                return found["port"], (quote,)
    return None


def _targets(service: KubeObject) -> Iterator[object]:
    return (row.get("targetPort") or row.get("port") for row in mappings_of(service.spec.get("ports")))


def _were_ready(snapshot: ClusterSnapshot, clue: Clue, pods: Sequence[KubeObject]) -> bool:
    """Whether the pods were ready before the caller spoke: who is refused while the other side starts tries again."""
    since = min(str(pod.condition("Ready").get("lastTransitionTime") or "") for pod in pods)
    callers = [
        pod for ref in clue.victims for pod in [snapshot.find("Pod", ref.namespace, ref.name)] if pod is not None
    ]
    spoke = [
        str(moment)
        for pod in callers
        for row in mappings_of(pod.status.get("containerStatuses"))
        for moment in _ends(row)
    ]
    return not spoke or not since or max(spoke) > since


def _ends(row: object) -> Iterator[object]:
    for place in ("lastState", "state"):
        moment = dig(row, place, "terminated", "finishedAt")
        if moment:
            yield moment
