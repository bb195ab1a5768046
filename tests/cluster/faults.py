"""The faults that are planted on a real cluster: manifests, and the class and object that triage must name first."""

from typing import Any

from tasks.domain.base import Noun
from tasks.domain.failure_class import FailureClass as F

Manifest = dict[str, Any]
SHELL = "busybox:1.36"


class Fault(Noun):
    name: str
    objects: tuple[Manifest, ...]
    expected: F = F.UNKNOWN
    targets: tuple[str, ...] = ()


def manifest(kind: str, name: str, api: str = "v1", **rest: Any) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **rest}


def container(command: str = "sleep 3600", image: str = SHELL, **rest: Any) -> Manifest:
    return {"name": "app", "image": image, "command": ["sh", "-c", command], **rest}


def pod_spec(first: Manifest, **rest: Any) -> Manifest:
    return {"terminationGracePeriodSeconds": 0, "containers": [first], **rest}


def deployment(first: Manifest | None = None, name: str = "cart", **rest: Any) -> Manifest:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec(first or container(), **rest)}
    return manifest("Deployment", name, "apps/v1", spec={"selector": {"matchLabels": labels}, "template": template})


def service(selector: str, name: str = "cart") -> Manifest:
    return manifest("Service", name, spec={"selector": {"app": selector}, "ports": [{"port": 80, "targetPort": 8080}]})


def env_from(kind: str, field: str, **more: str) -> Manifest:
    return container(env=[{"name": "PRICE", "valueFrom": {field: {"name": kind, **more}}}])


def job(first: Manifest) -> Manifest:
    spec = {"backoffLimit": 0, "template": {"spec": pod_spec(first, restartPolicy="Never")}}
    return manifest("Job", "import", "batch/v1", spec=spec)


PROBE = {"periodSeconds": 2, "failureThreshold": 2, "tcpSocket": {"port": 9999}}
SERVER = "mkdir /w; echo ok > /w/index.html; httpd -f -p 8080 -h /w"
ENV_CRASH = 'echo starting; : "${SHOP_REGION:?SHOP_REGION is not set}"; sleep 3600'
READ_PODS = (
    'while true; do curl -sk --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt -H "Authorization: Bearer '
    '$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" '
    "https://kubernetes.default.svc/api/v1/namespaces/default/pods | grep message; exit 1; done"
)
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "gpu", "operator": "In", "values": ["a100"]}]}]
        }
    }
}
EGRESS_DENIED = manifest(
    "NetworkPolicy",
    "deny-out",
    "networking.k8s.io/v1",
    spec={"podSelector": {}, "policyTypes": ["Egress"], "egress": []},
)
INGRESS_DENIED = manifest(
    "NetworkPolicy",
    "deny-in",
    "networking.k8s.io/v1",
    spec={"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Ingress"], "ingress": []},
)
CALL = "while sleep 1; do wget -T 3 -q -O /dev/null http://cart:8080/ || exit 1; done"
LOOKUP = (
    "while sleep 1; do nslookup kubernetes.default.svc.cluster.local || "
    "{ echo 'wget: bad address kubernetes.default.svc.cluster.local'; exit 1; }; done"
)
SCALER = manifest(
    "HorizontalPodAutoscaler",
    "cart",
    "autoscaling/v2",
    spec={
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    },
)
CLAIM = manifest(
    "PersistentVolumeClaim",
    "data",
    spec={
        "storageClassName": "fast-ssd",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
)
QUOTA = manifest("ResourceQuota", "limits", spec={"hard": {"pods": "0"}})
MEMORY = {"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}}
EAT = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"
READY = {"periodSeconds": 1, "httpGet": {"path": "/index.html", "port": 8080}}

HEALTHY = Fault(
    name="healthy",
    objects=(
        manifest("Secret", "login", type="Opaque", data={"password": "aHVudGVyMi1odW50ZXIy"}),
        deployment(
            container(
                SERVER,
                readinessProbe=READY,
                env=[{"name": "P", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}],
            )
        ),
        service("cart"),
    ),
)
COMPLAINED = "for n in 1 2 3 4 5 6 7 8 9; do echo 'ERROR no answer from kafka:9092'; done; seq 1 2000; sleep 3600"
CHATTY = Fault(name="chatty", objects=(deployment(container(COMPLAINED)),))
"""It runs well, and complained long before the end of its log."""
CART = ("Deployment/cart",)
FAULTS = (
    Fault(
        name="image",
        objects=(deployment(container(image="busybox:1.36.typo")),),
        expected=F.K8S_IMAGE_NOTFOUND,
        targets=CART,
    ),
    Fault(name="no-env", objects=(deployment(container(ENV_CRASH)),), expected=F.K8S_CRASH_ENV, targets=CART),
    Fault(
        name="no-config",
        objects=(deployment(env_from("prices", "configMapKeyRef", key="p")),),
        expected=F.K8S_MOUNT,
        targets=("ConfigMap/prices",),
    ),
    Fault(
        name="no-secret",
        objects=(deployment(env_from("login", "secretKeyRef", key="p")),),
        expected=F.K8S_MOUNT,
        targets=("Secret/login",),
    ),
    Fault(
        name="no-key",
        objects=(
            manifest("Secret", "login", data={"user": "YQ=="}),
            deployment(env_from("login", "secretKeyRef", key="p")),
        ),
        expected=F.K8S_CONFIG_KEY,
        targets=("Secret/login",),
    ),
    Fault(
        name="selector",
        objects=(deployment(container(SERVER)), service("basket")),
        expected=F.K8S_SVC_SELECTOR,
        targets=("Service/cart",),
    ),
    Fault(name="quota", objects=(QUOTA, deployment()), expected=F.K8S_QUOTA, targets=("ResourceQuota/limits",)),
    Fault(
        name="too-big",
        objects=(deployment(container(resources={"requests": {"cpu": "400"}})),),
        expected=F.K8S_PENDING_RES,
        targets=CART,
    ),
    Fault(
        name="claim",
        objects=(
            CLAIM,
            deployment(container(), volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]),
        ),
        expected=F.K8S_PENDING_PVC,
        targets=("PersistentVolumeClaim/data",),
    ),
    Fault(
        name="netpol",
        objects=(EGRESS_DENIED, deployment(container(LOOKUP))),
        expected=F.K8S_NETPOL,
        targets=("NetworkPolicy/deny-out",),
    ),
    Fault(
        name="peer",
        objects=(
            INGRESS_DENIED,
            deployment(container(SERVER)),
            manifest("Service", "cart", spec={"selector": {"app": "cart"}, "ports": [{"port": 8080}]}),
            deployment(container(CALL), name="checkout"),
        ),
        expected=F.K8S_NETPOL,
        targets=("NetworkPolicy/deny-in",),
    ),
    Fault(
        name="readiness",
        objects=(deployment(container(readinessProbe=PROBE)),),
        expected=F.K8S_PROBE_READY,
        targets=CART,
    ),
    Fault(
        name="liveness",
        objects=(deployment(container(livenessProbe=PROBE)),),
        expected=F.K8S_CRASH_LIVENESS,
        targets=CART,
    ),
    Fault(name="memory", objects=(deployment(container(EAT, resources=MEMORY)),), expected=F.K8S_OOM, targets=CART),
    Fault(
        name="init",
        objects=(
            deployment(
                container(), initContainers=[{**container("echo 'migration failed' >&2; exit 3"), "name": "migrate"}]
            ),
        ),
        expected=F.K8S_CRASH_APP,
        targets=CART,
    ),
    Fault(
        name="job",
        objects=(job(container("echo 'ValueError: no rows'; exit 1")),),
        expected=F.K8S_CRASH_APP,
        targets=("Job/import",),
    ),
    Fault(
        name="scaler",
        objects=(deployment(), SCALER),
        expected=F.K8S_HPA,
        targets=("Deployment/cart", "HorizontalPodAutoscaler/cart"),
    ),
    Fault(
        name="affinity",
        objects=(deployment(container(), affinity=AFFINITY),),
        expected=F.K8S_PENDING_AFFINITY,
        targets=CART,
    ),
    Fault(
        name="rights",
        objects=(deployment(container(READ_PODS, image="curlimages/curl:latest")),),
        expected=F.K8S_RBAC,
        targets=("ServiceAccount/default", "Deployment/cart"),
    ),
    Fault(
        name="command",
        objects=(deployment({"name": "app", "image": SHELL, "command": ["/bin/serve-shop"]}),),
        expected=F.K8S_CRASH_CMD,
        targets=CART,
    ),
    Fault(
        name="private",
        objects=(deployment(container(image="private/cart:1")),),
        expected=F.K8S_IMAGE_AUTH,
        targets=CART,
    ),
    Fault(
        name="limited",
        objects=(deployment(container(image="ratelimited/cart:1")),),
        expected=F.K8S_IMAGE_RATE,
        targets=CART,
    ),
)
