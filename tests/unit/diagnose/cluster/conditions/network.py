"""Ways to pods: services, ingresses, gateways and routes, network policies, names, webhooks."""

from typing import Any

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State
from tests.unit.diagnose.cluster.conditions.table import (
    WEB,
    Condition,
    Plant,
    both,
    changed,
    fault,
    hint,
    put,
    well,
)

SERVICE = "Service/shop/web"
INGRESS = "Ingress/shop/front"
GATE = "gateway.networking.k8s.io/v1"


def spec(kind: str, name: str, **fields: Any) -> Plant:
    return changed(kind, name, lambda raw: raw["spec"].update(fields))


def ingress(service: str = "web", port: int = 80, *, annotations: Raw | None = None, **more: Any) -> Plant:
    def plant(state: State) -> None:
        backend = {"service": {"name": service, "port": {"number": port}}}
        rules = [{"host": "shop.acme.io", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
        state.put("IngressClass", "nginx", namespace="", spec={"controller": "k8s.io/ingress-nginx"})
        state.put(
            "Ingress", "front", annotations=annotations, spec={"ingressClassName": "nginx", "rules": rules, **more}
        )

    return plant


def conditions(*rows: tuple[str, str]) -> Raw:
    return {"conditions": [{"type": k, "status": v, "reason": "Said", "message": f"{k} is {v}"} for k, v in rows]}


def gateway(*rows: tuple[str, str], namespace: str = "shop", listeners: Any = None, classes: bool = True) -> Plant:
    def plant(state: State) -> None:
        state.listed |= {"GatewayClass", "Gateway", "HTTPRoute"}
        if classes:
            state.put(
                "GatewayClass", "envoy", namespace="", apiVersion=GATE, spec={}, status=conditions(("Accepted", "True"))
            )
        wanted = {"gatewayClassName": "envoy", "listeners": listeners or [{"name": "http", "port": 80}]}
        state.put("Gateway", "edge", namespace=namespace, apiVersion=GATE, spec=wanted, status=conditions(*rows))

    return plant


def route(
    service: str = "web", port: int | None = 80, gate: str = "edge", namespace: str = "shop", **status: Any
) -> Plant:
    backend = {"name": service, **({"port": port} if port else {})}
    parents = [{"name": gate, "namespace": namespace}]
    return put(
        "HTTPRoute",
        "shop",
        apiVersion=GATE,
        spec={"parentRefs": parents, "rules": [{"backendRefs": [backend]}]},
        **status,
    )


def webhook(kind: str, service: str, *, policy: str = "Fail") -> Plant:
    client = {"service": {"name": service, "namespace": "shop", "path": "/check"}}
    rows = [{"name": "check.acme.io", "clientConfig": client, "failurePolicy": policy}]
    return put(kind, "check", namespace="", webhooks=rows)


def policy(**fields: Any) -> Plant:
    return put("NetworkPolicy", "who", spec={"podSelector": {}, **fields})


def caller(state: State, *lines: str, host: str = "web", port: int = 80) -> None:
    state.workload("api", {"env": [{"name": "WEB_ADDR", "value": f"http://{host}:{port}"}]})
    if lines:
        state.unready("api")
        state.log(state.pods("api")[0], *lines)


def unresolved(state: State) -> None:
    caller(state, *["dial tcp: lookup web: i/o timeout"] * 4)


def call_refused(state: State) -> None:
    caller(state, *["Error: connect ECONNREFUSED web:80"] * 4)


def coredns(ready: int) -> Plant:
    def plant(state: State) -> None:
        made = state.workload("coredns", labels={"k8s-app": "kube-dns"}, namespace="kube-system", replicas=1)
        if not ready:
            made["status"] = {"replicas": 1, "unavailableReplicas": 1}
            state.drop("Pod", "coredns-5d4f8c7b9-abc0x", "kube-system")

    return plant


def warned(state: State) -> None:
    state.tell(
        state.get("Service", "web"),
        "FailedToUpdateEndpointSlices",
        "Error updating Endpoint Slices for Service shop/web: skipping Pod",
    )


DENY_OUT = policy(policyTypes=["Egress"], egress=[])
DENY_IN = policy(podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"], ingress=[])


def listening(port: int, **more: Any) -> Plant:
    """The pods of `web` say that they listen on a port."""

    def plant(state: State) -> None:
        state.workload("web", {"ports": [{"name": "http", "containerPort": port}], **more})

    return plant


def probed(port: int) -> Plant:
    """The pods of `web` name no port, and are ready because a probe of this one passes."""
    return lambda state: state.workload("web", {"readinessProbe": {"httpGet": {"path": "/", "port": port}}})


CONDITIONS: tuple[Condition, ...] = (
    # Services
    fault("no pod has the labels of a service", lambda s: s.service("web", selector={"app": "website"}), F.K8S_SVC_SELECTOR, SERVICE, "k8s.svc.selector", "service.go:74", "TestServiceAnalyzer/Service with no endpoints"),
    fault("a label more than the pods have", lambda s: s.service("web", selector={"app": "web", "tier": "front"}), F.K8S_SVC_SELECTOR, SERVICE, "k8s.svc.selector"),
    fault("none of the pods behind a service is ready", lambda s: s.unready("web"), F.K8S_PROBE_READY, WEB, "service.go:110", "TestServiceAnalyzer/Service with not ready endpoints", "TestServiceAnalyzer/Service with not ready endpoints with nil TargetRef"),
    fault("something is said about a service", warned, F.K8S_SVC_SELECTOR, SERVICE, "service.go:128", "TestServiceAnalyzer/Service with warning events"),
    fault("a service sends to a port that no container names", both(listening(8080), lambda s: s.service("web", target=9090)), F.K8S_SVC_PORT, SERVICE, "k8s.svc.port"),
    fault("a service sends to a name that no port has", both(listening(8080), lambda s: s.service("web", target="grpc")), F.K8S_SVC_PORT, SERVICE, "k8s.svc.port"),
    fault("a service sends where a passing probe shows that nobody listens", both(probed(8080), lambda s: s.service("web", port=80, target=9090, clusterIP="10.43.0.9"), lambda s: caller(s, *["dial tcp 10.43.0.9:80: connect: connection refused"] * 4)), F.K8S_SVC_PORT, SERVICE, "k8s.svc.port"),
    fault("callers of a ready service are refused", call_refused, F.K8S_SVC_PORT, SERVICE, "k8s.svc.port"),
    fault("a caller asks a port that the service does not have", lambda s: caller(s, *["Error: connect ECONNREFUSED web:8081"] * 4, port=8081), F.K8S_SVC_PORT, "Deployment/shop/api"),
    fault("what an entrance needs is scaled to zero", both(lambda s: s.workload("web", replicas=0), lambda s: [s.drop("Pod", p["metadata"]["name"]) for p in s.pods("web")], ingress()), F.K8S_SVC_SELECTOR, WEB),
    fault("what another asks is scaled to zero", lambda s: [s.workload("web", replicas=0), [s.drop("Pod", p["metadata"]["name"]) for p in s.pods("web")], caller(s)], F.K8S_SVC_SELECTOR, WEB),
    hint("what nobody is seen to need is scaled to zero", lambda s: [s.workload("web", replicas=0), [s.drop("Pod", p["metadata"]["name"]) for p in s.pods("web")]], F.K8S_SVC_SELECTOR, WEB),
    well("a service is for an election only", put("Service", "lead", annotations={"control-plane.alpha.kubernetes.io/leader": "x"}, spec={"selector": {"app": "nobody"}}), "TestServiceAnalyzer/Service with leader election annotation"),
    well("a service without a selector is kept by someone else", put("Service", "outside", spec={"ports": [{"port": 80}]}), "TestServiceAnalyzer/Service with non-existent service"),
    well("a service names a port that its pods do not declare, and it works", lambda s: [s.workload("web", {"ports": []}), s.service("web", target=8080)]),
    well("a service names the port of a second container", lambda s: [s.workload("web", {"ports": [{"containerPort": 80}]}, pod={"containers": [{"name": "app", "image": "a:1", "ports": [{"containerPort": 80}]}, {"name": "side", "image": "b:1", "ports": [{"containerPort": 9090}]}]}), s.service("web", target=9090)]),
    # Ingresses
    fault("an ingress class that does not exist", both(ingress(), spec("Ingress", "front", ingressClassName="ngnix")), F.K8S_SVC_SELECTOR, INGRESS, "ingress.go:90", "TestIngressAnalyzerGKEIngressClass/Non-existent ingress class should report error", "TestIngressAnalyzer/Multiple issues"),
    hint("an ingress without a class, where none is the default", lambda s: [ingress()(s), s.get("Ingress", "front")["spec"].pop("ingressClassName")], F.K8S_SVC_SELECTOR, INGRESS, "ingress.go:62"),
    fault("an ingress sends to a service that does not exist", ingress("checkout"), F.K8S_SVC_SELECTOR, "Service/shop/checkout", "ingress.go:118", "TestIngressAnalyzer/Non-existent backend service", "TestIngressAnalyzer/Multiple issues"),
    fault("an ingress sends to a port that its service does not have", ingress(port=8080), F.K8S_SVC_PORT, INGRESS),
    fault("the certificate of an ingress does not exist", ingress(tls=[{"hosts": ["shop.acme.io"], "secretName": "shop-tls"}]), F.K8S_CERT, "Secret/shop/shop-tls", "ingress.go:145", "TestIngressAnalyzer/Non-existent TLS secret", "k8s.cert"),
    well("an ingress names no secret for TLS", ingress(tls=[{"hosts": ["shop.acme.io"]}]), "TestIngressAnalyzerSkipsEmptyTLSSecretName"),
    well("an ingress has something else than a service behind it", both(ingress(), lambda s: s.get("Ingress", "front")["spec"].update(rules=[], defaultBackend={"resource": {"kind": "StorageBucket", "name": "static"}})), "TestIngressAnalyzer/Resource backend instead of a service backend"),
    well("a class that the cloud brings along", lambda s: [ingress()(s), s.get("Ingress", "front")["spec"].update(ingressClassName="gce")], "TestIngressAnalyzerGKEIngressClass", "TestIsGKEBuiltInIngressClass"),
    well("a class in the old annotation", lambda s: [ingress(annotations={"kubernetes.io/ingress.class": "nginx"})(s), s.get("Ingress", "front")["spec"].pop("ingressClassName")], "TestIngressAnalyzerGKEIngressClass/GKE gce ingress class via annotation should not report error"),
    # Gateways and routes
    fault("a gateway is not accepted", gateway(("Accepted", "False"), ("Programmed", "True")), F.K8S_SVC_SELECTOR, "Gateway/shop/edge", "gateway.go:81", "TestStatusGatewayAnalyzer", "TestGatewayAnalyzer"),
    fault("a gateway is accepted and not programmed", gateway(("Accepted", "True"), ("Programmed", "False")), F.K8S_SVC_SELECTOR, "Gateway/shop/edge", "TestProgrammedFalseGatewayAnalyzer"),
    fault("a gateway is not accepted, which it says later", gateway(("Programmed", "True"), ("Accepted", "False")), F.K8S_SVC_SELECTOR, "Gateway/shop/edge", "TestAcceptedFalseNotAtIndexZeroGatewayAnalyzer"),
    fault("a gateway of a class that does not exist", gateway(("Accepted", "True"), classes=False), F.K8S_SVC_SELECTOR, "Gateway/shop/edge", "TestMissingClassGatewayAnalyzer"),
    well("a gateway that is in effect", gateway(("Accepted", "True"), ("Programmed", "True")), "TestAcceptedAndProgrammedTrueGatewayAnalyzer"),
    well("a gateway that says nothing yet", gateway(), "TestEmptyConditionsGatewayAnalyzer"),
    fault("a class of gateways is not accepted", put("GatewayClass", "envoy", namespace="", apiVersion=GATE, spec={}, status=conditions(("Accepted", "False"))), F.K8S_SVC_SELECTOR, "GatewayClass/envoy", "TestGatewayClassAnalyzer"),
    well("a class of gateways that says nothing yet", put("GatewayClass", "envoy", namespace="", apiVersion=GATE, spec={}), "TestEmptyConditionsGatewayClassAnalyzer"),
    fault("a route of a gateway that does not exist", lambda s: [gateway()(s), route(gate="egde")(s)], F.K8S_SVC_SELECTOR, "HTTPRoute/shop/shop", "TestGWMissiningHTTRouteAnalyzer"),
    fault("a route of a gateway that takes only its own namespace", both(gateway(namespace="edge"), route(namespace="edge")), F.K8S_SVC_SELECTOR, "HTTPRoute/shop/shop", "httproute.go:88", "TestGWConfigSameHTTRouteAnalyzer"),
    fault("a route of a gateway that takes other namespaces by their labels", both(gateway(namespace="edge", listeners=[{"allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"edge": "yes"}}}}}]), route(namespace="edge")), F.K8S_SVC_SELECTOR, "HTTPRoute/shop/shop", "TestGWConfigSelectorHTTRouteAnalyzer"),
    well("a route of a gateway that takes all namespaces", both(gateway(namespace="edge", listeners=[{"allowedRoutes": {"namespaces": {"from": "All"}}}]), route(namespace="edge"))),
    well("a route to a service without a port", both(gateway(), route(port=None)), "TestSvcNilPortHTTRouteAnalyzer"),
    fault("a route to a service that does not exist", both(gateway(), route("checkout")), F.K8S_SVC_SELECTOR, "Service/shop/checkout", "TestSvcMissingHTTRouteAnalyzer"),
    fault("a route to a port that the service does not have", both(gateway(), route(port=8080)), F.K8S_SVC_PORT, "HTTPRoute/shop/shop", "TestSvcDifferentPortHTTRouteAnalyzer"),
    fault("a route whose references do not resolve", both(gateway(), route(status={"parents": [conditions(("Accepted", "True"), ("ResolvedRefs", "False"))]})), F.K8S_SVC_SELECTOR, "HTTPRoute/shop/shop"),
    # Network policies and names
    fault("a policy lets nothing out, so that no name is resolved", both(DENY_OUT, unresolved), F.K8S_NETPOL, "NetworkPolicy/shop/who", "k8s.netpol"),
    fault("a policy lets nobody in", both(DENY_IN, lambda s: caller(s, *["http://web:80: context deadline exceeded"] * 4)), F.K8S_NETPOL, "NetworkPolicy/shop/who", "k8s.netpol"),
    hint("a policy for pods that do not exist", policy(podSelector={"matchLabels": {"app": "gone"}}, policyTypes=["Ingress"]), F.K8S_NETPOL, "NetworkPolicy/shop/who", "netpol.go:78", "TestNetpolNoPods"),
    hint("a policy that lets everything in", policy(policyTypes=["Ingress"], ingress=[{}]), F.K8S_NETPOL, "NetworkPolicy/shop/who", "netpol.go:61"),
    well("a policy that lets in what asks", policy(podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {}}]}]), "TestNetpolWithPod"),
    fault("the resolver of the cluster is down", coredns(0), F.K8S_DNS, "Deployment/kube-system/coredns", "k8s.dns"),
    well("the resolver of the cluster runs", coredns(1)),
    # Webhooks
    fault("a validating webhook calls a service that does not exist", webhook("ValidatingWebhookConfiguration", "gone"), F.K8S_ADMISSION_WEBHOOK, "ValidatingWebhookConfiguration/check", "k8s.admission.webhook", "validating_webhook.go:63", "TestValidatingWebhookAnalyzer"),
    fault("a mutating webhook calls a service that does not exist", webhook("MutatingWebhookConfiguration", "gone"), F.K8S_ADMISSION_WEBHOOK, "MutatingWebhookConfiguration/check", "mutating_webhook.go:65", "TestMutatingWebhookAnalyzer"),
    fault("behind a validating webhook no pod is ready", both(webhook("ValidatingWebhookConfiguration", "web"), lambda s: s.crash("web", "panic: no key")), F.K8S_CRASH_APP, WEB, "validating_webhook.go:98", "TestValidatingWebhookAnalyzer"),
    fault("behind a mutating webhook there is no pod", both(webhook("MutatingWebhookConfiguration", "web"), lambda s: s.service("web", selector={"app": "nobody"})), F.K8S_SVC_SELECTOR, SERVICE, "mutating_webhook.go:100", "TestMutatingWebhookAnalyzer"),
    well("a webhook whose service runs", webhook("ValidatingWebhookConfiguration", "web"), "TestValidatingWebhookAnalyzer"),
)  # fmt: skip
