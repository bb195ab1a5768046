"""Probes that fail, and probes that cannot succeed."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.answering import host_in
from tasks.diagnose.analyzers.cluster.calling import find_service
from tasks.diagnose.analyzers.cluster.reading import (
    STARTING_SECONDS,
    ailing_pods,
    containers_of,
    event_quote,
    events_saying,
    is_healthy,
    is_leaving,
    one_line,
    spec_quote,
    states_of,
    status_quote,
    words_of,
)
from tasks.diagnose.analyzers.cluster.saying import rule_of
from tasks.domain.cluster import ClusterEvent, ClusterSnapshot, Json, KubeObject, dig, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_PROBES = (("livenessProbe", "liveness"), ("startupProbe", "startup"), ("readinessProbe", "readiness"))
_NEVER = re.compile(r"^(?:exit [1-9]\d*|false|/bin/false|/usr/bin/false)$")
_FILE = re.compile(r"(?:\bcat|\btest -[a-z]|\[ -[a-z]|\bls|\bstat) (/[\w./-]+)")
_SERVED = ("/", "/index.html", "/50x.html")
"""What nginx and httpd serve as their images come."""
_USUAL_PORTS = {
    "nginx": 80,
    "httpd": 80,
    "redis": 6379,
    "postgres": 5432,
    "mysql": 3306,
    "mongo": 27017,
    "rabbitmq": 5672,
    "memcached": 11211,
}


def find_failing_probes(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Containers that run and are not ready, or are killed for it, and probes that contradict their own container."""
    for pod in ailing_pods(snapshot):
        yield from _failing(snapshot, pod)
        yield from _behind_gate(snapshot, pod)
    for item in snapshot.templates():
        ailing = item.status.get("unavailableReplicas") or (
            item.kind == "Pod"
            and item.status.get("phase") == "Running"
            and item.condition("Ready").get("status") == "False"
        )
        if snapshot.desired_only or (ailing and not _begins(snapshot, item)):
            yield from _contradictions(item, _to_blame(snapshot, item))


def _begins(snapshot: ClusterSnapshot, item: KubeObject) -> bool:
    """Whether all of its pods that are not ready have only just been made."""
    pods = [item] if item.kind == "Pod" else snapshot.pods_of(item.ref)
    ages = [snapshot.age_seconds(pod) for pod in pods if not is_healthy(pod) and not is_leaving(pod)]
    return bool(ages) and all(age is not None and age < STARTING_SECONDS for age in ages)


def _to_blame(snapshot: ClusterSnapshot, item: KubeObject) -> tuple[tuple[str, str], ...]:
    """The probes that may be why it ails. One that kills has killed: pods that never began anew are not its victims,
    and it may well ask a port that nobody declared."""
    pods = [item] if item.kind == "Pod" else snapshot.pods_of(item.ref)
    killed = any(state.restarts for pod in pods for state in states_of(pod))
    return _PROBES if killed or not pods else tuple(row for row in _PROBES if row[1] != "liveness")


def _failing(snapshot: ClusterSnapshot, pod: KubeObject) -> Iterator[Clue]:
    waiting = [state for state in states_of(pod) if not state.init and state.running and not state.ready]
    if not waiting or (waiting[0].ended and waiting[0].exit_code not in (0, 137, 143, None)):
        return
    target = snapshot.workload_of(pod)
    for kind, failure_class in (
        ("liveness", F.K8S_CRASH_LIVENESS),
        ("startup", F.K8S_CRASH_LIVENESS),
        ("readiness", F.K8S_PROBE_READY),
    ):
        events = events_saying(snapshot, pod.ref, f"^Unhealthy.*{kind} probe|^ProbeWarning.*{kind} probe")
        if events:
            asked = _asks_a_service(snapshot, pod, events[-1])
            why = one_line(events[-1].message.partition("probe failed:")[2] or events[-1].message)[:200]
            yield Clue(
                failure_class=F.K8S_CRASH_DEP if asked else failure_class,
                rule=f"cluster-probe-{kind}",
                cause=f"{target}: the {kind} probe of its pod fails: {why.rstrip('.')}.{_wrong_port(pod)}",
                target=target,
                victims=(pod.ref,),
                quotes=(event_quote(events[-1]), status_quote(pod, waiting[0].said)),
                confidence=0.88,
                rank=45,
                host=asked,
            )
            return
    age = snapshot.age_seconds(pod)
    if age is not None and age < STARTING_SECONDS and not waiting[0].restarts:
        return
    probed = any(container.get("readinessProbe") for container in containers_of(pod.spec))
    yield Clue(
        failure_class=F.K8S_PROBE_READY,
        rule="cluster-not-ready",
        cause=f"{target}: container {waiting[0].name} runs and is not ready"
        + (": its readiness probe does not pass." if probed else "."),
        target=target,
        victims=(pod.ref,),
        quotes=(status_quote(pod, f"container {waiting[0].name} running, not ready"),),
        confidence=0.6 if probed else 0.4,
        rank=60,
    )


def _asks_a_service(snapshot: ClusterSnapshot, pod: KubeObject, event: ClusterEvent) -> str:
    """The service that a command of a probe asks and does not get through to, empty when it asks the pod itself."""
    rule = rule_of(event.message)
    host = host_in(event.message) if rule is not None and rule.failure_class in (F.K8S_CRASH_DEP, F.K8S_DNS) else ""
    service = find_service(snapshot, host, pod.namespace) if host else None
    own = service is None or selects(mapping_of(service.spec.get("selector")), pod.pod_labels)
    return "" if own else host


def _behind_gate(snapshot: ClusterSnapshot, pod: KubeObject) -> Iterator[Clue]:
    """A pod of which somebody outside has to say that it is ready, and does not."""
    if not all(state.ready for state in states_of(pod)):
        return
    for row in mappings_of(pod.spec.get("readinessGates")):
        kind = str(row.get("conditionType"))
        told = pod.condition(kind)
        if told.get("status") != "True":
            target = snapshot.workload_of(pod)
            why = one_line(str(told.get("message") or "nobody has said so yet"))[:200]
            yield Clue(
                failure_class=F.K8S_PROBE_READY,
                rule="cluster-readiness-gate",
                cause=f"{target}: its containers are ready, and its readiness gate {kind} is not fulfilled: {why}.",
                target=target,
                victims=(pod.ref,),
                quotes=(status_quote(pod, f"readinessGate {kind}: {told.get('status') or 'not set'}"),),
                confidence=0.85,
                rank=45,
            )
            return


def _wrong_port(pod: KubeObject) -> str:
    said = next((clue.cause for clue in _contradictions(pod)), "")
    return f" {said}" if said else ""


def _contradictions(item: KubeObject, probes: tuple[tuple[str, str], ...] = _PROBES) -> Iterator[Clue]:
    for container in containers_of(item.pod_spec):
        for field, kind in probes:
            probe = mapping_of(container.get(field))
            why = (_impossible(probe, container) or _not_served(probe, container)) if probe else ""
            if why:
                yield Clue(
                    failure_class=F.K8S_PROBE_READY if kind == "readiness" else F.K8S_CRASH_LIVENESS,
                    rule=f"cluster-probe-{kind}-spec",
                    cause=f"{item.ref}: the {kind} probe of container {container.get('name')} cannot pass: {why}.",
                    target=item.ref,
                    quotes=(spec_quote(item, f"container {container.get('name')} {field}: {dict(probe)}"),),
                    confidence=0.7,
                    rank=35,
                )
                return


def _impossible(probe: Json, container: Json) -> str:
    command = words_of(mapping_of(probe.get("exec")))
    if command and (_NEVER.match(command[-1].strip()) or _NEVER.match(" ".join(command))):
        return f"it runs '{' '.join(command)}', which always fails"
    port = dig(probe, "httpGet", "port") or dig(probe, "tcpSocket", "port") or dig(probe, "grpc", "port")
    ports = mappings_of(container.get("ports"))
    if port in (None, ""):
        return ""
    if isinstance(port, str) and not port.isdigit():
        named = [row.get("name") for row in ports]
        return "" if port in named or not ports else f"it asks port {port!r}, and the container names only {named}"
    numbers = list(dict.fromkeys(row.get("containerPort") for row in ports))
    other = [_port_of(container, field) for field, _ in _PROBES]
    if numbers and int(port) not in numbers and not (other.count(int(port)) > 1):
        return f"it asks the wrong port {port}, while the container listens on {' and '.join(str(number) for number in numbers)}"
    usual = next(
        (
            number
            for name, number in _USUAL_PORTS.items()
            if re.search(rf"(?:^|/){name}(?::|@|$)", str(container.get("image")))
        ),
        None,
    )
    if usual and not numbers and int(port) != usual and not words_of(container):
        return f"it asks port {port}, while this image listens on {usual} unless told otherwise"
    return ""


def _not_served(probe: Json, container: Json) -> str:
    """A file that the container's own script never makes, or removes, and a path that its image does not serve."""
    script = " ".join(words_of(container))
    file = _FILE.search(" ".join(words_of(mapping_of(probe.get("exec")))))
    if file is not None and re.search(r"(?:^|/)(?:ba|da|a)?sh\b", script):
        mounted = (str(row.get("mountPath")).rstrip("/") for row in mappings_of(container.get("volumeMounts")))
        if re.search(rf"\brm\b[^;&]*{re.escape(file[1])}(?![\w/])", script):
            return f"it wants {file[1]}, which the container's own script removes"
        if file[1] not in script and not any(file[1].startswith(f"{place}/") for place in mounted):
            return f"it wants {file[1]}, which the container's own script never makes"
    path = str(dig(probe, "httpGet", "path") or "/")
    plain = re.search(r"(?:^|/)(?:nginx|httpd)(?::|@|$)", str(container.get("image"))) is not None
    if plain and not words_of(container) and not container.get("volumeMounts") and path not in _SERVED:
        return (
            f"it asks the path {path}, which this image answers with 404 unless told otherwise"
            if "httpGet" in probe
            else ""
        )
    return ""


def _port_of(container: Json, field: str) -> int | None:
    probe = mapping_of(container.get(field))
    port = dig(probe, "httpGet", "port") or dig(probe, "tcpSocket", "port")
    return port if isinstance(port, int) else None
