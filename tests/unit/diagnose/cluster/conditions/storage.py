"""What pods are given: ConfigMaps, Secrets, accounts, rights, claims and volumes."""

from typing import Any

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State, ago
from tests.unit.diagnose.cluster.conditions.table import (
    WEB,
    Condition,
    Plant,
    both,
    fault,
    hint,
    put,
    waits,
    well,
)

PULL = 'Failed to pull image "registry.acme.io/web:1.4.2": rpc error: code = Unknown desc = '
CLAIM = "PersistentVolumeClaim/shop/data"


def mounting(**volume: Any) -> Plant:
    """`web` mounts a volume."""
    return lambda state: state.workload("web", pod={"volumes": [{"name": "data", **volume}]})


def stuck(message: str, **volume: Any) -> Plant:
    """`web` waits for a volume, and the kubelet says why."""

    def plant(state: State) -> None:
        mounting(**volume)(state)
        for pod in state.wait("web", "ContainerCreating"):
            state.tell(pod, "FailedMount", message)

    return plant


def claim(phase: str = "Pending", *, said: tuple[str, str] | None = None, used: bool = True, **spec: Any) -> Plant:
    """A claim, and `web` that waits for it."""

    def plant(state: State) -> None:
        wanted = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "8Gi"}},
            "storageClassName": "standard",
        }
        made = state.put("PersistentVolumeClaim", "data", spec={**wanted, **spec}, status={"phase": phase})
        if used:
            state.workload("web", pod={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]})
            if phase != "Bound":
                state.pending("web", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
        if said is not None:
            state.tell(made, *said)

    return plant


def volume(
    phase: str = "Available", *, size: str = "8Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any
) -> Plant:
    wanted = {"capacity": {"storage": size}, "accessModes": list(modes), "storageClassName": "manual", **spec}
    return put("PersistentVolume", "disk", namespace="", spec=wanted, status={"phase": phase})


def pull_secret(*, refused: bool, there: bool = False) -> Plant:
    def plant(state: State) -> None:
        state.workload("web", pod={"imagePullSecrets": [{"name": "regcred"}]})
        if there:
            state.put("Secret", "regcred", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "e30="})
        if refused:
            waits("ImagePullBackOff", "Back-off", PULL + "failed to authorize: 401 Unauthorized")(state)
            for pod in state.pods("web"):
                state.tell(
                    pod,
                    "FailedToRetrieveImagePullSecret",
                    "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
                )

    return plant


def configured(*, how: str = "env", minutes: float, crashes: str = "", name: str = "prices") -> Plant:
    """`web` was started long ago with a ConfigMap that was changed some minutes ago."""

    def plant(state: State) -> None:
        fields = [{"manager": "kubectl", "operation": "Update", "time": ago(minutes), "fieldsV1": {}}]
        state.put(
            "Secret" if how == "secret" else "ConfigMap", name, metadata={"managedFields": fields}, data={"p": "1"}
        )
        source = {"secretKeyRef" if how == "secret" else "configMapKeyRef": {"name": name, "key": "p"}}
        row = {"env": [{"name": "PRICE", "valueFrom": source}]} if how != "mount" else {}
        pod = {"volumes": [{"name": "c", "configMap": {"name": name}}]} if how == "mount" else {}
        state.workload("web", row, pod=pod)
        if crashes:
            for one in state.unready("web"):
                state.log(one, *[crashes] * 5)

    return plant


def role(kind: str, name: str, **rest: Any) -> Raw:
    return {"kind": kind, "name": name, **rest}


def binding(role_name: str, account: str, *, roles: bool = True) -> Plant:
    def plant(state: State) -> None:
        if roles:
            state.put("Role", "reader", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
        subjects = [{"kind": "ServiceAccount", "name": account, "namespace": "shop"}]
        state.put("RoleBinding", "reader", roleRef={"kind": "Role", "name": role_name}, subjects=subjects)

    return plant


def denied(state: State) -> None:
    for pod in state.crash(
        "web",
        'pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" in API group ""',
    ):
        assert pod


CONFIG = {"valueFrom": {"configMapKeyRef": {"name": "prices", "key": "euro"}}}


def referring(data: Raw | None, message: str = "") -> Plant:
    """`web` needs the key `euro` of a ConfigMap."""

    def plant(state: State) -> None:
        if data is not None:
            state.put("ConfigMap", "prices", data=data)
        state.workload("web", {"env": [{"name": "PRICE", **CONFIG}]})
        state.wait("web", "CreateContainerConfigError", message)

    return plant


CONDITIONS: tuple[Condition, ...] = (
    # ConfigMaps, Secrets and accounts
    fault("a ConfigMap does not exist", referring(None, 'configmap "prices" not found'), F.K8S_MOUNT, "ConfigMap/shop/prices", "k8s.mount"),
    fault("a key is missing", referring({"dollar": "1"}, "couldn't find key euro in ConfigMap shop/prices"), F.K8S_CONFIG_KEY, "ConfigMap/shop/prices", "k8s.config.key"),
    fault("a Secret to be mounted does not exist", stuck('MountVolume.SetUp failed for volume "data" : secret "login" not found', secret={"secretName": "login"}), F.K8S_MOUNT, "Secret/shop/login", "k8s.mount"),
    fault("a volume is attached elsewhere", stuck('Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-old', emptyDir={}), F.K8S_MOUNT, WEB, "k8s.mount"),
    fault("a folder of the node is not there", stuck('MountVolume.SetUp failed for volume "data" : hostPath type check failed: /srv/data is not a directory', hostPath={"path": "/srv/data", "type": "Directory"}), F.K8S_MOUNT, WEB, "k8s.mount"),
    hint("a ConfigMap holds nothing", put("ConfigMap", "empty"), F.K8S_CONFIG_KEY, "ConfigMap/shop/empty", "configmap.go:131", "TestConfigMapAnalyzer/empty configmap"),
    hint("a ConfigMap is huge", put("ConfigMap", "huge", data={"a": "x" * 1_100_000}), F.K8S_CONFIG_KEY, "ConfigMap/shop/huge", "configmap.go:146", "TestConfigMapAnalyzer/large configmap"),
    hint("a ConfigMap that nobody uses", put("ConfigMap", "old", data={"a": "1"}), F.K8S_CONFIG_KEY, "ConfigMap/shop/old", "configmap.go:123", "TestConfigMapAnalyzer/unused configmap", "TestConfigMapAnalyzer_SidecarPatterns/normal unused configmap should still be flagged", "TestConfigMapAnalyzer_ProjectedVolumeUsage/unused configmap is still reported"),
    well("a ConfigMap that is used", lambda s: [s.put("ConfigMap", "prices", data={"a": "1"}), s.workload("web", {"envFrom": [{"configMapRef": {"name": "prices"}}]})], "TestConfigMapAnalyzer/used configmap", "TestConfigMapAnalyzer_InitContainerUsage"),
    fault("an image cannot be pulled because its pull secret does not exist", pull_secret(refused=True), F.K8S_IMAGE_AUTH, "Secret/shop/regcred", "k8s.image.auth"),
    fault("an image cannot be pulled although the pull secret is there", pull_secret(refused=True, there=True), F.K8S_IMAGE_AUTH, WEB, "k8s.image.auth"),
    hint("a pull secret does not exist, and the images are there", pull_secret(refused=False), F.K8S_IMAGE_AUTH, "Secret/shop/regcred", "daemonset.go:62", "TestDaemonSetAnalyzerImagePullSecretNotFound"),
    # Configuration that was changed after the start
    fault("a program complains with the configuration it was started with", configured(minutes=5, crashes="ERROR password authentication failed for user web", how="secret"), F.K8S_CRASH_CONFIG, WEB, "k8s.crash.config"),
    hint("pods still run with the ConfigMap as it was", configured(minutes=5), F.K8S_CRASH_CONFIG, WEB),
    well("a ConfigMap was changed before the pods started", configured(minutes=900)),
    well("a ConfigMap is mounted, and follows by itself", configured(minutes=5, how="mount")),
    # Rights
    fault("an account may not do what the program asks", denied, F.K8S_RBAC, WEB, "k8s.rbac"),
    fault("a binding grants a role that does not exist", binding("writer", "default"), F.K8S_RBAC, "RoleBinding/shop/reader", "k8s.rbac"),
    hint("a binding grants rights to an account that does not exist", binding("reader", "robot"), F.K8S_RBAC, "RoleBinding/shop/reader"),
    hint("a role allows everything", put("Role", "all", rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]), F.K8S_RBAC, "Role/shop/all", "security.go:128", "TestSecurityAnalyzer/wildcard permissions in role"),
    hint("a container is privileged", lambda s: s.workload("web", {"securityContext": {"privileged": True}}), F.K8S_ADMISSION_PSS, WEB, "security.go:165", "TestSecurityAnalyzer/privileged container"),
    hint("workloads share the default account", lambda s: None, F.K8S_RBAC, "ServiceAccount/shop/default", "security.go:87", "TestSecurityAnalyzer/default service account usage"),
    hint("workloads have no security context", lambda s: None, F.K8S_ADMISSION_PSS, "Namespace/shop", "security.go:176"),
    # Claims and volumes
    fault("a claim names a storage class that does not exist", claim(storageClassName="fast"), F.K8S_PENDING_PVC, CLAIM, "k8s.pending.pvc", "storage.go:176", "TestStorageAnalyzer/Pending PVC"),
    fault("a volume cannot be made", claim(said=("ProvisioningFailed", "failed to provision volume: quota exceeded")), F.K8S_PENDING_PVC, CLAIM, "k8s.pending.pvc", "pvc.go:56", "TestPersistentVolumeClaimAnalyzer"),
    fault("a claim does not exist", lambda s: [mounting(persistentVolumeClaim={"claimName": "data"})(s), s.pending("web", 'persistentvolumeclaim "data" not found')], F.K8S_PENDING_PVC, CLAIM, "k8s.pending.pvc"),
    fault("a claim has lost its volume", claim("Lost", volumeName="disk"), F.K8S_PENDING_PVC, CLAIM, "storage.go:181", "TestStorageAnalyzer/Lost PVC"),
    fault("a claim names no class and there is no default", lambda s: [s.get("StorageClass", "standard", "")["metadata"]["annotations"].clear(), claim(storageClassName=None)(s)], F.K8S_PENDING_PVC, CLAIM, "storage.go:198", "TestStorageAnalyzer/PVC without StorageClass"),
    fault("the only volume of its class is smaller than the claim", both(volume(size="5Gi"), claim(storageClassName="manual", said=("FailedBinding", "no persistent volumes available for this claim and no storage class is set")), put("StorageClass", "manual", namespace="", provisioner="kubernetes.io/no-provisioner")), F.K8S_PENDING_PVC, CLAIM, "k8s.pending.pvc"),
    fault("the only volume of its class is opened otherwise", both(volume(modes=("ReadWriteOnce",)), put("StorageClass", "manual", namespace="", provisioner="kubernetes.io/no-provisioner"), claim(storageClassName="manual", accessModes=["ReadWriteMany"])), F.K8S_PENDING_PVC, CLAIM),
    fault("a claim names a volume that is of another", both(volume("Bound", claimRef={"namespace": "shop", "name": "other"}), put("StorageClass", "manual", namespace="", provisioner="kubernetes.io/no-provisioner"), claim(storageClassName="manual", volumeName="disk")), F.K8S_PENDING_PVC, CLAIM),
    fault("a volume failed", volume("Failed"), F.K8S_PENDING_PVC, "PersistentVolume/disk", "storage.go:131", "TestStorageAnalyzer/Failed PV"),
    hint("a volume is released", volume("Released"), F.K8S_PENDING_PVC, "PersistentVolume/disk", "storage.go:123", "TestStorageAnalyzer/Released PV"),
    hint("a volume is small", volume(size="100Mi"), F.K8S_PENDING_PVC, "PersistentVolume/disk", "storage.go:140", "TestStorageAnalyzer/Small PV"),
    hint("a claim is small", claim("Bound", resources={"requests": {"storage": "100Mi"}}), F.K8S_PENDING_PVC, CLAIM, "storage.go:189", "TestStorageAnalyzer/Small PVC"),
    hint("two storage classes are the default", put("StorageClass", "other", namespace="", provisioner="x", annotations={"storageclass.kubernetes.io/is-default-class": "true"}), F.K8S_PENDING_PVC, "StorageClass/other", "storage.go:90", "TestStorageAnalyzer/Multiple Default StorageClasses"),
    hint("a class makes no volumes itself", put("StorageClass", "manual", namespace="", provisioner="kubernetes.io/no-provisioner"), F.K8S_PENDING_PVC, "StorageClass/manual", "storage.go:74", "TestStorageAnalyzer/Deprecated StorageClass"),
    well("a claim waits for its first pod", claim(used=False), "TestPersistentVolumeClaimAnalyzer/event other than provision failure"),
    well("a claim is bound", claim("Bound"), "TestPersistentVolumeClaimAnalyzer/no event", "TestPersistentVolumeClaimAnalyzer/event without error message"),
)  # fmt: skip
