"""What names the state of an object, so that a plan made on one state is never carried out on another."""

import hashlib
import json

from tasks.domain.cluster import KubeObject, ObjectRef, dig, mapping_of


def state_digest(item: KubeObject) -> str:
    """SHA-256 of the object's uid and what it should be; status does not count.

    Where Kubernetes numbers each change of the specification (`metadata.generation`) the number stands for it, so that
    the digest of a redacted copy is that of the object itself.
    """
    metadata = mapping_of(item.raw.get("metadata"))
    stands_for: object = metadata.get("generation")
    if stands_for is None and item.kind in ("ConfigMap", "Secret"):
        stands_for = metadata.get("resourceVersion")
    if stands_for is None and item.kind != "Pod":  # a pod of one uid keeps its specification
        stands_for = item.spec
    document = json.dumps([str(item.ref), dig(metadata, "uid"), stands_for], sort_keys=True, default=str)
    return hashlib.sha256(document.encode()).hexdigest()


CORDONED_BY = "healflow.io/cordoned-by"
"""The annotation of a node that Healflow closed: the incident for which it did."""
RESTARTED_FOR = "healflow.io/restarted-for"
"""The annotation of a pod template that Healflow changed to restart its pods: `FINGERPRINT.INCIDENT`."""
MADE_FOR = "healflow.io/made-for"
"""The annotation of an object that Healflow made: the incident for which it did."""
CLUSTER_DNS = ObjectRef(kind="Deployment", namespace="kube-system", name="coredns")
"""The cluster's DNS, as kubeadm, K3s, kind and EKS name it: the one object of a protected namespace that may change."""
