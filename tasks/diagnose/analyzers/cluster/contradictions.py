"""Specifications that contradict themselves or what stands beside them, as far as they alone can show it."""

import difflib
import re
from collections.abc import Callable, Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, int_of, spec_quote, words_of
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_LARGE = {"cpu": 128.0, "memory": 1024.0**4}
"""More than this asks for a machine that few clusters have: cores, bytes."""
_IMAGES = [
    "alpine",
    "busybox",
    "debian",
    "ubuntu",
    "nginx",
    "httpd",
    "redis",
    "postgres",
    "mysql",
    "mariadb",
    "mongo",
    "memcached",
    "rabbitmq",
    "python",
    "node",
    "golang",
    "ruby",
    "php",
    "openjdk",
    "tomcat",
    "traefik",
    "haproxy",
    "consul",
    "vault",
    "elasticsearch",
    "kibana",
    "grafana",
    "prometheus",
    "wordpress",
]
_AWAITED = re.compile(
    r"\b(?:nslookup|getent hosts|dig|ping|nc|wget|curl|pg_isready|redis-cli|mysqladmin)"
    r"(?:\s+-\S+(?:\s+(?:\d+|/\S+)(?=\s))?)*\s+(?:-h\s*)?"
    r"(?:[a-z]+://)?(?P<host>(?!\d+\b)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*)(?:[ :](?P<port>\d{2,5})\b)?",
)
_OF_CLUSTER = re.compile(r"[a-z0-9]\.svc\b|\.cluster\.local\b")
_WAITS = re.compile(r"\b(?:until|while)\b")
_WRITES = re.compile(r"(?:>>?\s*|\b(?:touch|mkdir(?: -p)?|tee)\s+)(?P<path>/[\w./-]+)")
_WRITABLE = ("/dev/", "/proc/")
_SLEEPS_FIRST = re.compile(r"^\s*sleep\s+(?P<seconds>\d+)\s*(?:;|&&)\s*\S")


def find_contradictions(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """What cannot work as it is written; of a live cluster only what its own answers do not tell better."""
    for item in snapshot.templates():
        yield from _awaits_nobody(snapshot, item)
        if not snapshot.desired_only:
            continue
        yield from _other_labels(item)
        yield from _flees_its_node(snapshot, item)
        yield from _asks_elsewhere(item)
        for container in containers_of(item.pod_spec):
            for check in _CHECKS:
                yield from check(item, container)
    if snapshot.desired_only:
        for policy in snapshot.of_kind("NetworkPolicy"):
            yield from _lets_nobody_in(snapshot, policy)


def _awaits_nobody(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    """A container that prepares the others and waits for a service or a port that does not exist never ends."""
    for container in mappings_of(item.pod_spec.get("initContainers")):
        said = " ".join(words_of(container))
        for found in _AWAITED.finditer(said) if _WAITS.search(said) else ():
            name, _, rest = found["host"].partition(".")
            parts = rest.split(".")
            if rest and (len(parts) < 2 or parts[1] != "svc"):
                continue
            namespace = parts[0] if rest else item.namespace
            if not (snapshot.desired_only or snapshot.knows("Service", namespace)):
                continue
            service = snapshot.find("Service", namespace, name)
            quote = f"initContainer {container.get('name')}: {said[:300]}"
            who = f"its init container {container.get('name')} waits for"
            ports = [str(row.get("port")) for row in mappings_of(service.spec.get("ports"))] if service else []
            if service is None:
                target = ObjectRef(kind="Service", namespace=namespace, name=name)
                why = f"{who} the service {name}, which does not exist"
                yield _clue(item, F.K8S_CRASH_DEP, why, quote, 0.8, target=target)
                return
            if found["port"] and ports and found["port"] not in ports:
                why = f"{who} port {found['port']} of {service.ref}, which has {' and '.join(ports)} only"
                yield _clue(item, F.K8S_SVC_PORT, why, quote, 0.85)
                return


def _other_labels(item: KubeObject) -> Iterator[Clue]:
    selector = mapping_of(item.spec.get("selector"))
    if item.kind in ("Deployment", "StatefulSet", "DaemonSet") and selector and not selects(selector, item.pod_labels):
        said = f"selector: {dict(mapping_of(selector.get('matchLabels')))}, labels of its pods: {dict(item.pod_labels)}"
        why = "its selector does not match the labels of its own pod template, so that the API server refuses it"
        yield _clue(item, F.DEP_APPLY_INVALID, why, said, 0.9)


def _flees_its_node(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    """Pods that may run on one node alone, and may not run beside others that are bound to the same."""
    path = ("affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    node = mapping_of(item.pod_spec.get("nodeSelector")).get("kubernetes.io/hostname")
    for term in mappings_of(dig(item.pod_spec, *path)) if node else ():
        for other in snapshot.templates():
            same = mapping_of(other.pod_spec.get("nodeSelector")).get("kubernetes.io/hostname") == node
            near = other is not item and other.namespace == item.namespace
            if same and near and selects(mapping_of(term.get("labelSelector")), other.pod_labels):
                why = f"its pods must not run beside those of {other.ref} (anti-affinity), and both are bound to the node {node}"
                yield _clue(item, F.K8S_PENDING_AFFINITY, why, f"podAntiAffinity: {dict(term)}", 0.8)
                return


def _asks_elsewhere(item: KubeObject) -> Iterator[Clue]:
    """Pods that ask another resolver than the cluster's for names that only the cluster knows."""
    said = next(
        (text for one in containers_of(item.pod_spec) for text in words_of(one) if _OF_CLUSTER.search(text)), ""
    )
    if item.pod_spec.get("dnsPolicy") in ("None", "Default") and said:
        asked = dig(item.pod_spec, "dnsConfig", "nameservers")
        why = f"its pods do not ask the resolver of the cluster (dnsPolicy: {item.pod_spec['dnsPolicy']}), which alone knows the names they ask for"
        yield _clue(item, F.K8S_DNS, why, f"dnsPolicy: {item.pod_spec['dnsPolicy']}, nameservers: {asked}", 0.75)


def _root_forbidden(item: KubeObject, container: Json) -> Iterator[Clue]:
    both = {**mapping_of(item.pod_spec.get("securityContext")), **mapping_of(container.get("securityContext"))}
    if both.get("runAsNonRoot") is True and both.get("runAsUser") == 0:
        why = f"container {container.get('name')} must not run as root (runAsNonRoot) and is told to (runAsUser: 0)"
        yield _clue(item, F.K8S_CRASH_PERM, why, "runAsNonRoot: true, runAsUser: 0", 0.85)


def _writes_nowhere(item: KubeObject, container: Json) -> Iterator[Clue]:
    if dig(container, "securityContext", "readOnlyRootFilesystem") is not True:
        return
    mounted = tuple(str(row.get("mountPath")).rstrip("/") for row in mappings_of(container.get("volumeMounts")))
    for found in _WRITES.finditer(" ".join(words_of(container))):
        path = found["path"]
        if path.startswith(_WRITABLE) or any(path == place or path.startswith(place + "/") for place in mounted):
            continue
        why = f"container {container.get('name')} writes to {path} on a read-only file system (readOnlyRootFilesystem)"
        yield _clue(item, F.K8S_CRASH_PERM, why, f"readOnlyRootFilesystem: true; {found[0]}", 0.75)
        return


def _nearly_an_image(item: KubeObject, container: Json) -> Iterator[Clue]:
    """A name without a registry that is a letter away from one that everybody uses."""
    image = str(container.get("image") or "").partition("@")[0]
    name, _, tag = image.removeprefix("docker.io/").removeprefix("library/").partition(":")
    near = difflib.get_close_matches(name, _IMAGES, 1, 0.79) if "/" not in name and name not in _IMAGES else []
    meant = [f"{near[0]} for {name}"] if near and abs(len(near[0]) - len(name)) <= 1 else []
    if tag != "latest" and difflib.SequenceMatcher(None, tag, "latest").ratio() > 0.8:
        meant.append(f"latest for {tag}")
    if meant:
        why = f"the image {image} is probably misspelt ({', '.join(meant)}), so that it cannot be pulled"
        yield _clue(item, F.K8S_IMAGE_NOTFOUND, why, f"container {container.get('name')} image: {image}", 0.65)


def _asks_too_much(item: KubeObject, container: Json) -> Iterator[Clue]:
    asked = {
        **mapping_of(dig(container, "resources", "limits")),
        **mapping_of(dig(container, "resources", "requests")),
    }
    large = [name for name, most in _LARGE.items() if (amount(asked.get(name)) or 0) > most]
    if large:
        said = ", ".join(f"{name}: {asked[name]}" for name in large)
        why = f"container {container.get('name')} asks for more {' and '.join(large)} than nodes have ({said})"
        yield _clue(item, F.K8S_PENDING_RES, why, f"requests {said}", 0.6)


def _probed_asleep(item: KubeObject, container: Json) -> Iterator[Clue]:
    """A liveness probe that gives up before the command has begun to serve; a startup probe would hold it back."""
    words = words_of(container)
    slept = _SLEEPS_FIRST.match(words[-1]) if words else None
    probe = mapping_of(container.get("livenessProbe"))
    if slept is None or not probe or container.get("startupProbe"):
        return
    patience = int_of(probe.get("initialDelaySeconds")) + int_of(probe.get("periodSeconds"), 10) * int_of(
        probe.get("failureThreshold"), 3
    )
    if patience < int(slept["seconds"]):
        why = f"container {container.get('name')} starts to serve after {slept['seconds']} s, and its liveness probe gives up after {patience} s"
        yield _clue(item, F.K8S_CRASH_LIVENESS, why, f"{slept[0].strip()}; livenessProbe: {dict(probe)}", 0.75)


def _lets_nobody_in(snapshot: ClusterSnapshot, policy: KubeObject) -> Iterator[Clue]:
    """A policy that lets in only pods which nothing makes: its author meant others."""
    near = [item for item in snapshot.carriers(policy.namespace) if item.pod_labels]
    inside = [item for item in near if selects(mapping_of(policy.spec.get("podSelector")), item.pod_labels)]
    peers = [row for rule in mappings_of(policy.spec.get("ingress")) for row in mappings_of(rule.get("from"))]
    others = [item for item in near if item not in inside]
    if not peers or not inside or not others or any(set(peer) != {"podSelector"} for peer in peers):
        return
    if any(not mappings_of(rule.get("from")) for rule in mappings_of(policy.spec.get("ingress"))):
        return
    if not any(selects(mapping_of(peer["podSelector"]), item.pod_labels) for peer in peers for item in near):
        wanted = (mapping_of(mapping_of(peer["podSelector"]).get("matchLabels")) for peer in peers)
        said = " or ".join(", ".join(f"{key}={value}" for key, value in labels.items()) for labels in wanted)
        yield Clue(
            failure_class=F.K8S_NETPOL,
            rule="cluster-policy-nobody",
            cause=f"{policy.ref} lets only pods with the labels {said} reach {inside[0].ref}, and there are none.",
            target=policy.ref,
            victims=tuple(item.ref for item in inside[:20]),
            quotes=(spec_quote(policy, f"ingress: {policy.spec.get('ingress')}"),),
            confidence=0.6,
            rank=15,
        )


def _clue(
    item: KubeObject, failure_class: F, why: str, said: str, confidence: float, *, target: ObjectRef | None = None
) -> Clue:
    return Clue(
        failure_class=failure_class,
        rule="cluster-contradiction",
        cause=f"{item.ref}: {why}.",
        target=target or item.ref,
        victims=(item.ref,) if target is not None else (),
        quotes=(spec_quote(item, said),),
        confidence=confidence,
        rank=22,
    )


_CHECKS: tuple[Callable[[KubeObject, Json], Iterator[Clue]], ...] = (
    _root_forbidden,
    _writes_nowhere,
    _nearly_an_image,
    _asks_too_much,
    _probed_asleep,
)
