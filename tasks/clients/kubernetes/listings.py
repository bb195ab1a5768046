"""Which lists a capture asks for: kinds with their API version, in which namespaces, and what is left out of them.

Of Secrets only their metadata is asked for; an annotation in it that may hold a copy of the values is dropped before
anything is kept. That a key is missing, the kubelet says.
"""

from collections.abc import Collection, Iterator

from tasks.clients.kubernetes.kinds import KINDS, ResourceKind
from tasks.domain.base import Noun

SYSTEM_NAMESPACE = "kube-system"
_NOT_LISTED = frozenset(["Endpoints"])
"""EndpointSlices say the same, and Endpoints are deprecated since Kubernetes 1.33."""
_DNS = "k8s-app=kube-dns"
"""CoreDNS wears this label on every distribution: https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/"""
_DNS_KINDS = ("Pod", "Deployment", "ReplicaSet", "Service", "EndpointSlice")
_EXTENSIONS = (
    ("PodMetrics", "metrics.k8s.io/v1beta1", True),
    ("NodeMetrics", "metrics.k8s.io/v1beta1", False),
    ("GatewayClass", "gateway.networking.k8s.io/v1", False),
    ("Gateway", "gateway.networking.k8s.io/v1", True),
    ("HTTPRoute", "gateway.networking.k8s.io/v1", True),
    ("Certificate", "cert-manager.io/v1", True),
    ("Issuer", "cert-manager.io/v1", True),
    ("ClusterIssuer", "cert-manager.io/v1", False),
    ("Application", "argoproj.io/v1alpha1", True),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2", True),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1", True),
    ("GitRepository", "source.toolkit.fluxcd.io/v1", True),
)
"""Kinds that a cluster may lack, with their version and whether they live in a namespace."""


class Listing(Noun):
    """One list to ask for, in pages."""

    kind: str
    api_version: str
    namespace: str = ""
    """Empty: in all namespaces, or the kind belongs to the cluster."""
    selector: str = ""
    field_selector: str = ""
    metadata_only: bool = False
    optional: bool = False
    """Whether it is no loss where the cluster does not serve it."""

    @property
    def whole(self) -> bool:
        """Whether what it does not tell, in its namespace, does not exist."""
        return not (self.selector or self.field_selector or self.optional)

    @property
    def source(self) -> str:
        """What it is called where it could not be read."""
        return f"list:{self.kind}" + (f" in {self.namespace}" if self.namespace else "")


def extension_kinds() -> tuple[ResourceKind, ...]:
    """Where the kinds stand that a cluster may lack; their plurals are regular."""
    return tuple(
        ResourceKind(kind=kind, api_version=version, plural=_plural(kind), namespaced=namespaced)
        for kind, version, namespaced in _EXTENSIONS
    )


def _plural(kind: str) -> str:
    name = kind.lower()
    if kind.endswith("Metrics"):
        return name.removesuffix("metrics") + "s"  # PodMetrics are served as `pods` of metrics.k8s.io
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith("s") else "s")


def listings_of(namespaces: tuple[str, ...] | None, served: Collection[str]) -> Iterator[Listing]:
    """The lists for these namespaces, or for the whole cluster when `None`; `served` are the API's group versions."""
    inside, everywhere = namespaces or ("",), ("",)
    for kind, row in KINDS.items():
        if kind in _NOT_LISTED:
            continue
        for namespace in inside if row.namespaced else everywhere:
            yield Listing(kind=kind, api_version=row.api_version, namespace=namespace, metadata_only=kind == "Secret")
    for kind, version, namespaced in _EXTENSIONS:
        if version in served:
            for namespace in inside if namespaced else everywhere:
                yield Listing(kind=kind, api_version=version, namespace=namespace, optional=True)
    if namespaces is not None:
        yield from _surroundings(namespaces)


def _surroundings(namespaces: tuple[str, ...]) -> Iterator[Listing]:
    """What namespaces stand on: how names are resolved, and what is said about nodes and volumes."""
    if SYSTEM_NAMESPACE not in namespaces:
        for kind in _DNS_KINDS:
            version = KINDS[kind].api_version
            yield Listing(kind=kind, api_version=version, namespace=SYSTEM_NAMESPACE, selector=_DNS)
    if "default" not in namespaces:
        for about in ("Node", "PersistentVolume"):
            chosen = f"involvedObject.kind={about}"
            yield Listing(kind="Event", api_version="v1", namespace="default", field_selector=chosen)
