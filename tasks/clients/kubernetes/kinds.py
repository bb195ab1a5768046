"""Where each kind stands in the API: its group and version, its plural, and whether it lives in a namespace.

The built-in kinds of Kubernetes 1.34 that Healflow reads or changes; others are asked of the API server's discovery.
Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/
"""

from collections.abc import Mapping
from types import MappingProxyType

from tasks.domain.base import Noun


class ResourceKind(Noun):
    """One kind as the API serves it."""

    kind: str
    api_version: str
    """`v1` or `GROUP/VERSION`."""
    plural: str
    namespaced: bool = True

    @property
    def root(self) -> str:
        """The path below which its objects stand."""
        prefix = "/api/" if "/" not in self.api_version else "/apis/"
        return prefix + self.api_version

    @property
    def group(self) -> str:
        """The API group as RBAC names it, empty for the core."""
        return self.api_version.partition("/")[0] if "/" in self.api_version else ""

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of one object, of all in a namespace, or of all."""
        parts = [self.root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        return "/".join([*parts, self.plural, *([name] if name else [])])


def _row(kind: str, api_version: str, plural: str, *, namespaced: bool = True) -> ResourceKind:
    return ResourceKind(kind=kind, api_version=api_version, plural=plural, namespaced=namespaced)


_ROWS = (
    _row("Pod", "v1", "pods"),
    _row("Service", "v1", "services"),
    _row("ConfigMap", "v1", "configmaps"),
    _row("Secret", "v1", "secrets"),
    _row("ServiceAccount", "v1", "serviceaccounts"),
    _row("Endpoints", "v1", "endpoints"),
    _row("Event", "v1", "events"),
    _row("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
    _row("PersistentVolume", "v1", "persistentvolumes", namespaced=False),
    _row("ResourceQuota", "v1", "resourcequotas"),
    _row("LimitRange", "v1", "limitranges"),
    _row("ReplicationController", "v1", "replicationcontrollers"),
    _row("Namespace", "v1", "namespaces", namespaced=False),
    _row("Node", "v1", "nodes", namespaced=False),
    _row("Deployment", "apps/v1", "deployments"),
    _row("ReplicaSet", "apps/v1", "replicasets"),
    _row("StatefulSet", "apps/v1", "statefulsets"),
    _row("DaemonSet", "apps/v1", "daemonsets"),
    _row("ControllerRevision", "apps/v1", "controllerrevisions"),
    _row("Job", "batch/v1", "jobs"),
    _row("CronJob", "batch/v1", "cronjobs"),
    _row("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
    _row("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    _row("Ingress", "networking.k8s.io/v1", "ingresses"),
    _row("IngressClass", "networking.k8s.io/v1", "ingressclasses", namespaced=False),
    _row("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    _row("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
    _row("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False),
    _row("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", namespaced=False),
    _row("Role", "rbac.authorization.k8s.io/v1", "roles"),
    _row("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
    _row("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    _row("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    _row(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        namespaced=False,
    ),
    _row(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations",
        namespaced=False,
    ),
)
KINDS: Mapping[str, ResourceKind] = MappingProxyType({row.kind: row for row in _ROWS})
"""The built-in kinds by name."""
