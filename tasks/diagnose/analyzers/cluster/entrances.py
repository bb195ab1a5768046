"""Ways in that lead nowhere: ingresses, gateways and routes, and the webhooks that the API server calls."""

import difflib
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import is_healthy, one_line, spec_quote, status_quote
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import SYMPTOM, Clue
from tasks.domain.failure_class import FailureClass as F

_CLASS = "kubernetes.io/ingress.class"
_BUILT_IN = ("gce", "gce-internal")
_USUAL = (
    "nginx",
    "traefik",
    "haproxy",
    "kong",
    "alb",
    "contour",
    "istio",
    "cilium",
    "public",
    "azure-application-gateway",
    *_BUILT_IN,
)


def find_entrance_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each entrance that names something that is not there."""
    for ingress in snapshot.of_kind("Ingress"):
        if not ingress.sketched:
            yield from _class_of(snapshot, ingress)
            yield from _backends(snapshot, ingress)
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for item in snapshot.of_kind(kind):
            yield from _webhooks(snapshot, item)
    for kind in ("Gateway", "GatewayClass", "HTTPRoute"):
        for item in snapshot.of_kind(kind):
            yield from _gateway(snapshot, item)


def _clue(
    item: KubeObject,
    rule: str,
    cause: str,
    said: str,
    confidence: float,
    target: ObjectRef | None = None,
    failure_class: F = F.K8S_SVC_SELECTOR,
) -> Clue:
    return Clue(
        failure_class=failure_class,
        rule=f"cluster-{rule}",
        cause=f"{item.ref} {cause}.",
        target=target or item.ref,
        victims=(item.ref,) if target else (),
        quotes=(spec_quote(item, said),),
        confidence=confidence,
        rank=24,
    )


def _class_of(snapshot: ClusterSnapshot, ingress: KubeObject) -> Iterator[Clue]:
    name = str(ingress.spec.get("ingressClassName") or ingress.annotations.get(_CLASS) or "")
    known = [item.name for item in snapshot.of_kind("IngressClass")]
    if not name:
        default = any(
            item.annotations.get("ingressclass.kubernetes.io/is-default-class") == "true"
            for item in snapshot.of_kind("IngressClass")
        )
        if not default:
            yield _clue(ingress, "ingress-class", "names no ingress class", "ingressClassName: (none)", 0.4).model_copy(
                update={"hint": True}
            )
        return
    if name in known or name in _BUILT_IN:
        return
    if snapshot.knows("IngressClass") or (snapshot.desired_only and name not in _USUAL):
        near = difflib.get_close_matches(name, [*known, *_USUAL], n=1, cutoff=0.6)
        yield _clue(
            ingress,
            "ingress-class",
            f"uses the ingress class {name!r}, which does not exist" + (f" (meant: {near[0]!r}?)" if near else ""),
            f"ingressClassName: {name}",
            0.9 if snapshot.knows("IngressClass") else 0.6,
        )


def _backends(snapshot: ClusterSnapshot, ingress: KubeObject) -> Iterator[Clue]:
    backends = [mapping_of(ingress.spec.get("defaultBackend"))]
    backends += [
        mapping_of(path.get("backend"))
        for rule in mappings_of(ingress.spec.get("rules"))
        for path in mappings_of(dig(rule, "http", "paths"))
    ]
    for backend in backends:
        service = mapping_of(backend.get("service"))
        name = str(service.get("name") or "")
        if not name or not (snapshot.knows("Service") or snapshot.desired_only):
            continue
        found = snapshot.find("Service", ingress.namespace, name)
        target = ObjectRef(kind="Service", namespace=ingress.namespace, name=name)
        if found is None:
            near = difflib.get_close_matches(
                name, [item.name for item in snapshot.of_kind("Service", ingress.namespace)], n=1, cutoff=0.5
            )
            yield _clue(
                ingress,
                "ingress-service",
                f"sends to the service {name}, which does not exist" + (f" (there is {near[0]})" if near else ""),
                f"backend service {name}",
                0.9,
                target if not near else None,
            )
        elif not found.sketched and not _has_port(found, mapping_of(service.get("port"))):
            yield _clue(
                ingress,
                "ingress-port",
                f"sends to port {dict(mapping_of(service.get('port')))} of {found.ref}, which has no such port",
                f"backend service {name} port {service.get('port')}",
                0.85,
                failure_class=F.K8S_SVC_PORT,
            )
    for row in mappings_of(ingress.spec.get("tls")):
        name = str(row.get("secretName") or "")
        if (
            name
            and snapshot.knows("Secret")
            and snapshot.find("Secret", ingress.namespace, name) is None
            and "cert-manager" not in str(dict(ingress.annotations))
        ):
            yield _clue(
                ingress,
                "ingress-tls",
                f"uses the certificate in Secret {name}, which does not exist",
                f"tls secretName: {name}",
                0.85,
                ObjectRef(kind="Secret", namespace=ingress.namespace, name=name),
                F.K8S_CERT,
            )


def _has_port(service: KubeObject, port: Json) -> bool:
    rows = mappings_of(service.spec.get("ports"))
    return (
        not port
        or not rows
        or any(
            row.get("port") == port.get("number") if "number" in port else row.get("name") == port.get("name")
            for row in rows
        )
    )


def _webhooks(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    for webhook in mappings_of(item.raw.get("webhooks")):
        service = mapping_of(dig(webhook, "clientConfig", "service"))
        namespace, name = str(service.get("namespace") or ""), str(service.get("name") or "")
        if name and snapshot.knows("Service", namespace):
            clue = _called(snapshot, item, webhook, ObjectRef(kind="Service", namespace=namespace, name=name))
            if clue is not None:  # what may be ignored holds nothing up
                yield clue.model_copy(update={"hint": webhook.get("failurePolicy") == "Ignore"})


def _called(snapshot: ClusterSnapshot, item: KubeObject, webhook: Json, ref: ObjectRef) -> Clue | None:
    found = snapshot.find(ref.kind, ref.namespace, ref.name)
    place = f"{ref.namespace}/{ref.name}"
    said, kind = f"webhook {webhook.get('name')}: service {place}", F.K8S_ADMISSION_WEBHOOK
    if found is None:
        why = f"calls the service {place}, which does not exist"
        return _clue(item, "webhook-service", why, said, 0.9, failure_class=kind)
    selector = mapping_of(found.spec.get("selector"))
    pods = [pod for pod in snapshot.of_kind("Pod", ref.namespace) if selector and selects(selector, pod.labels)]
    if not selector or any(is_healthy(pod) for pod in pods) or not snapshot.knows("Pod", ref.namespace):
        return None
    target = snapshot.workload_of(pods[0]) if pods else found.ref
    clue = _clue(item, "webhook-pods", f"calls {found.ref}, behind which no pod is ready", said, 0.85, target, kind)
    return clue.model_copy(update={"rank": SYMPTOM if pods else 48})


def _gateway(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    rows = [
        *mappings_of(item.status.get("conditions")),
        *(row for parent in mappings_of(item.status.get("parents")) for row in mappings_of(parent.get("conditions"))),
    ]
    for row in rows:
        if row.get("status") == "False" and row.get("type") in ("Accepted", "Programmed", "ResolvedRefs"):
            said = f"{row.get('type')}=False {row.get('reason')}: {row.get('message')}"
            yield Clue(
                failure_class=F.K8S_SVC_SELECTOR,
                rule="cluster-gateway",
                cause=f"{item.ref} is not in effect: {one_line(said)[:200]}.",
                target=item.ref,
                quotes=(status_quote(item, said),),
                confidence=0.8,
                rank=30,
            )
            return
    name = item.spec.get("gatewayClassName")
    if name and snapshot.knows("GatewayClass") and snapshot.find("GatewayClass", "", str(name)) is None:
        yield _clue(
            item,
            "gateway-class",
            f"uses the gateway class {name}, which does not exist",
            f"gatewayClassName: {name}",
            0.9,
        )
    if item.kind == "HTTPRoute":
        yield from _route(snapshot, item)


def _takes(snapshot: ClusterSnapshot, listener: Json, route: KubeObject) -> bool:
    """Whether a listener takes routes from the namespace of this one."""
    namespaces = mapping_of(dig(listener, "allowedRoutes", "namespaces"))
    if namespaces.get("from") != "Selector":
        return namespaces.get("from") == "All"
    home = snapshot.find("Namespace", "", route.namespace)
    labels = {"kubernetes.io/metadata.name": route.namespace, **(home.labels if home is not None else {})}
    return home is None or selects(mapping_of(namespaces.get("selector")), labels)


def _route(snapshot: ClusterSnapshot, route: KubeObject) -> Iterator[Clue]:
    for parent in mappings_of(route.spec.get("parentRefs")):
        namespace, name = str(parent.get("namespace") or route.namespace), str(parent.get("name"))
        gateway = snapshot.find("Gateway", namespace, name)
        if (
            parent.get("kind", "Gateway") == "Gateway"
            and gateway is None
            and (snapshot.knows("Gateway", namespace) or snapshot.desired_only)
        ):
            yield _clue(
                route,
                "route-gateway",
                f"belongs to Gateway {namespace}/{name}, which does not exist",
                f"parentRefs: {namespace}/{name}",
                0.85,
            )
        elif (
            gateway is not None
            and gateway.namespace != route.namespace
            and not any(_takes(snapshot, row, route) for row in mappings_of(gateway.spec.get("listeners")))
        ):
            yield _clue(
                route,
                "route-namespace",
                f"is in another namespace than {gateway.ref}, which takes no routes from there",
                f"parentRefs: {namespace}/{name}",
                0.8,
            )
    for rule in mappings_of(route.spec.get("rules")):
        for backend in mappings_of(rule.get("backendRefs")):
            namespace, name = str(backend.get("namespace") or route.namespace), str(backend.get("name"))
            service = snapshot.find("Service", namespace, name)
            if service is None and (snapshot.knows("Service", namespace) or snapshot.desired_only):
                yield _clue(
                    route,
                    "route-service",
                    f"sends to the service {namespace}/{name}, which does not exist",
                    f"backendRefs: {name}",
                    0.88,
                    ObjectRef(kind="Service", namespace=namespace, name=name),
                )
            elif (
                service is not None and backend.get("port") and not _has_port(service, {"number": backend.get("port")})
            ):
                yield _clue(
                    route,
                    "route-port",
                    f"sends to port {backend.get('port')} of {service.ref}, which has no such port",
                    f"backendRefs: {name}:{backend.get('port')}",
                    0.85,
                    failure_class=F.K8S_SVC_PORT,
                )
