"""What accounts may do: bindings that name nothing, and roles that allow everything."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote, words_of
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_KUBECTL = re.compile(
    r"(?:^|[\s;&|(/])kubectl\s+(?:-\S+\s+)*(?P<verb>get|list|watch|create|apply|delete|patch|scale|logs|exec)\b|/var/run/secrets/kubernetes\.io/serviceaccount/token|https://kubernetes\.default\b"
)
_ASKED = re.compile(
    r"(?:^|[\s;&|(/])kubectl\s+(?:-\S+\s+)*(?P<verb>get|list|watch|create|delete|patch)\s+(?:-\S+\s+)*(?P<resource>[a-z]+)\b"
)
_RESOURCES = {
    alias: plural
    for plural, aliases in {
        "pods": "po pod pods",
        "services": "svc service services",
        "deployments": "deploy deployment deployments",
        "configmaps": "cm configmap configmaps",
        "secrets": "secret secrets",
        "nodes": "no node nodes",
        "namespaces": "ns namespace namespaces",
        "events": "ev event events",
        "jobs": "job jobs",
        "persistentvolumeclaims": "pvc persistentvolumeclaim persistentvolumeclaims",
    }.items()
    for alias in aliases.split()
}
"""What kubectl takes for a resource: https://kubernetes.io/docs/reference/kubectl/#resource-types"""


def find_access_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Bindings to roles and accounts that are not there, programs that ask the cluster without any right, wildcards."""
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in snapshot.of_kind(kind):
            if binding.labels.get("kubernetes.io/bootstrapping") != "rbac-defaults":  # Kubernetes' own name more
                yield from _binding(snapshot, binding)
    if snapshot.desired_only or snapshot.knows("RoleBinding"):
        for item in snapshot.templates():
            yield from _without_rights(snapshot, item)
    for kind in ("Role", "ClusterRole"):
        for role in snapshot.of_kind(kind):
            if any(
                "*" in (row.get("verbs") or ()) and "*" in (row.get("resources") or ())
                for row in mappings_of(role.raw.get("rules"))
            ) and not role.name.startswith(("system:", "cluster-admin")):
                yield Clue(
                    failure_class=F.K8S_RBAC,
                    rule="cluster-wildcard",
                    cause=f"{role.ref} allows everything (wildcards).",
                    target=role.ref,
                    quotes=(spec_quote(role, f"rules: {role.raw.get('rules')}"),),
                    confidence=0.5,
                    hint=True,
                )


def _binding(snapshot: ClusterSnapshot, binding: KubeObject) -> Iterator[Clue]:
    ref = mapping_of(binding.raw.get("roleRef"))
    kind, name = str(ref.get("kind")), str(ref.get("name"))
    namespace = binding.namespace if kind == "Role" else ""
    builtin = kind == "ClusterRole" and (
        name in ("admin", "edit", "view", "cluster-admin") or name.startswith("system:")
    )
    if (
        snapshot.knows(kind)
        and not builtin
        and snapshot.find(kind, namespace, name) is None
        and not (snapshot.desired_only and kind == "ClusterRole")
    ):
        yield Clue(
            failure_class=F.K8S_RBAC,
            rule="cluster-role-missing",
            cause=f"{binding.ref} grants {kind} {name}, which does not exist.",
            target=binding.ref,
            quotes=(spec_quote(binding, f"roleRef: {kind}/{name}"),),
            confidence=0.75,
            rank=25,
        )
    for subject in mappings_of(binding.raw.get("subjects")):
        home = str(subject.get("namespace") or binding.namespace)
        known = snapshot.find("ServiceAccount", home, str(subject.get("name")))
        if (
            subject.get("kind") == "ServiceAccount"
            and snapshot.knows("ServiceAccount", home)
            and known is None
            and subject.get("name") != "default"
        ):
            near = [item.ref for item in snapshot.of_kind("ServiceAccount") if item.name == subject.get("name")]
            yield Clue(
                failure_class=F.K8S_RBAC,
                rule="cluster-subject-missing",
                cause=f"{binding.ref} grants rights to service account {home}/{subject.get('name')}, which does not exist"
                + (f"; there is {near[0]}." if near else "."),
                target=binding.ref,
                quotes=(spec_quote(binding, f"subjects: {dict(subject)}"),),
                confidence=0.7,
                rank=26,
                hint=not snapshot.desired_only and not near,
            )


def _without_rights(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    said = next(
        (
            found[0]
            for container in containers_of(item.pod_spec)
            for word in words_of(container)
            if (found := _KUBECTL.search(word))
        ),
        "",
    )
    account = str(item.pod_spec.get("serviceAccountName") or "default")
    if not said:
        return
    if _is_bound(snapshot, item.namespace, account):
        yield from _lacking(snapshot, item, account)
        return
    target = ObjectRef(kind="ServiceAccount", namespace=item.namespace, name=account)
    yield Clue(
        failure_class=F.K8S_RBAC,
        rule="cluster-no-rights",
        cause=f"{item.ref} asks the cluster ({said.strip()}), and its service account {account} is bound to no role: permission is denied.",
        target=target,
        victims=(item.ref,),
        quotes=(spec_quote(item, f"serviceAccountName: {account}; runs {said.strip()}"),),
        confidence=0.65,
        rank=28,
    )


def _lacking(snapshot: ClusterSnapshot, item: KubeObject, account: str) -> Iterator[Clue]:
    """A program that asks for more than the roles allow to which its account is bound, where all of them are known."""
    rules, roles = list[Json](), list[KubeObject]()
    for kind, reference in _roles_of(snapshot, item.namespace, account):
        role = snapshot.find(kind, item.namespace if kind == "Role" else "", reference)
        if role is None:
            return
        roles.append(role)
        rules += mappings_of(role.raw.get("rules"))
    for container in containers_of(item.pod_spec):
        for found in _ASKED.finditer(" ".join(words_of(container))):
            resource = _RESOURCES.get(found["resource"])
            verbs = ("get", "list") if found["verb"] == "get" else (found["verb"],)
            if resource is None or any(_allows(row, resource, verb) for row in rules for verb in verbs) or not roles:
                continue
            yield Clue(
                failure_class=F.K8S_RBAC,
                rule="cluster-lacking-rights",
                cause=f"{item.ref} asks the cluster ({found[0].strip()}), and {roles[0].ref}, to which its service account {account} is bound, does not allow {found['verb']} on {resource}: it is forbidden.",
                target=roles[0].ref,
                victims=(item.ref,),
                quotes=(
                    spec_quote(item, f"serviceAccountName: {account}; runs {found[0].strip()}"),
                    spec_quote(roles[0], f"rules: {roles[0].raw.get('rules')}"),
                ),
                confidence=0.7,
                rank=28,
            )
            return


def _allows(rule: Json, resource: str, verb: str) -> bool:
    verbs, resources = rule.get("verbs") or (), rule.get("resources") or ()
    return bool({"*", verb} & set(verbs)) and bool({"*", resource} & set(resources))


def _roles_of(snapshot: ClusterSnapshot, namespace: str, account: str) -> Iterator[tuple[str, str]]:
    for binding in _bindings_of(snapshot, namespace, account):
        if binding.kind == "ClusterRoleBinding" or binding.namespace == namespace:
            reference = mapping_of(binding.raw.get("roleRef"))
            yield str(reference.get("kind")), str(reference.get("name"))


def _is_bound(snapshot: ClusterSnapshot, namespace: str, account: str) -> bool:
    return next(_bindings_of(snapshot, namespace, account), None) is not None


def _bindings_of(snapshot: ClusterSnapshot, namespace: str, account: str) -> Iterator[KubeObject]:
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in snapshot.of_kind(kind):
            subjects = mappings_of(binding.raw.get("subjects"))
            if any(_is_subject(subject, binding, namespace, account) for subject in subjects):
                yield binding


def _is_subject(subject: Json, binding: KubeObject, namespace: str, account: str) -> bool:
    if subject.get("kind") == "Group":
        return str(subject.get("name")).startswith("system:serviceaccounts")
    named = subject.get("kind") == "ServiceAccount" and subject.get("name") == account
    return named and subject.get("namespace", binding.namespace) == namespace
