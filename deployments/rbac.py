"""The two accounts of Healflow in a cluster, with what they need and nothing else: generated, never written by hand.

The observer reads what a capture lists; the healer has the rights that the registry of actions names.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from tasks.act.registry import ACTIONS
from tasks.act.spec import Right
from tasks.clients.kubernetes.kinds import KINDS
from tasks.clients.kubernetes.listings import extension_kinds, listings_of

OBSERVER, HEALER = "healflow-observer", "healflow-healer"
NAMESPACE = "healflow"
_GROUP = "rbac.authorization.k8s.io"
_CLUSTER_WIDE = frozenset((row.group, row.plural) for row in KINDS.values() if not row.namespaced)
_NEVER_READ = ("secrets",)
"""Who may list Secrets may read their values, so the observer may not: that one is missing, the kubelet says."""
Manifest = dict[str, Any]


def observer_rights() -> tuple[Right, ...]:
    """What a capture lists, what is read by name while a fix is watched, and logs."""
    read = ("get", "list")
    rows = {(KINDS[row.kind].group, KINDS[row.kind].plural) for row in listings_of(None, ())}
    built_in = [Right(group=group, resource=name, verbs=read) for group, name in rows if name not in _NEVER_READ]
    extensions = [Right(group=row.group, resource=row.plural, verbs=read) for row in extension_kinds()]
    return (*built_in, *extensions, Right(group="", resource="pods/log", verbs=("get",)))


def healer_rights() -> tuple[Right, ...]:
    """What the actions of the registry do."""
    return tuple(right for spec in ACTIONS.values() for right in spec.rights)


def rules_of(rights: Iterable[Right]) -> list[Manifest]:
    """The rights as rules of a role, each resource once, in a stable order; what is for named objects says which."""
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource, right.names), set()).update(right.verbs)
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, resource, names), allowed in verbs.items():
        grouped.setdefault((group, tuple(sorted(allowed)), names), []).append(resource)
    return [
        {
            "apiGroups": [group],
            "resources": sorted(resources),
            **({"resourceNames": list(names)} if names else {}),
            "verbs": list(allowed),
        }
        for (group, allowed, names), resources in sorted(grouped.items())
    ]


def accounts(namespaces: Sequence[str] = (), *, home: str = NAMESPACE, suffix: str = "") -> list[Manifest]:
    """The manifests of both accounts, which live in the namespace `home`.

    `namespaces` are the only ones in which the healer may change something; when empty, all. Where an action is for one
    object of a protected namespace (CoreDNS), that object is all there is to change in it. `suffix` ends the names, so
    that a cluster can hold several pairs.
    """
    observer, healer = OBSERVER + suffix, HEALER + suffix
    inside, outside = _split(right for right in healer_rights() if not right.namespace)
    placed = _placed(healer_rights())
    made = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}},
        *(_named("ServiceAccount", "v1", name, home) for name in (observer, healer)),
        _role("ClusterRole", observer, observer_rights()),
        _binding("ClusterRoleBinding", observer, home),
    ]
    everywhere = outside if namespaces else (*inside, *outside)
    if everywhere:
        made += [_role("ClusterRole", healer, everywhere), _binding("ClusterRoleBinding", healer, home)]
    for namespace in namespaces or placed:
        rights = placed.get(namespace, inside)
        made += [_role("Role", healer, rights, namespace), _binding("RoleBinding", healer, home, namespace)]
    return made


def _placed(rights: Iterable[Right]) -> dict[str, list[Right]]:
    """The rights that are for one namespace, by it."""
    found: dict[str, list[Right]] = {}
    for right in rights:
        if right.namespace:
            found.setdefault(right.namespace, []).append(right)
    return found


def accounts_yaml(namespaces: Sequence[str] = ()) -> str:
    """The same as a YAML stream."""
    told = "# Made by `healflow rbac`; the actions of the registry say what is in it.\n---\n"
    return told + yaml.safe_dump_all(accounts(namespaces), sort_keys=False)


def _split(rights: Iterable[Right]) -> tuple[tuple[Right, ...], tuple[Right, ...]]:
    """What lives in namespaces, and what belongs to the cluster."""
    rows = tuple(rights)
    outside = tuple(right for right in rows if (right.group, right.resource.partition("/")[0]) in _CLUSTER_WIDE)
    return tuple(right for right in rows if right not in outside), outside


def _named(kind: str, version: str, name: str, namespace: str = "") -> Manifest:
    place = {"namespace": namespace} if namespace else {}
    labels = {"app.kubernetes.io/part-of": "healflow"}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place, "labels": labels}}


def _role(kind: str, name: str, rights: Iterable[Right], namespace: str = "") -> Manifest:
    return {**_named(kind, f"{_GROUP}/v1", name, namespace), "rules": rules_of(rights)}


def _binding(kind: str, name: str, home: str, namespace: str = "") -> Manifest:
    role = {"apiGroup": _GROUP, "kind": "Role" if kind == "RoleBinding" else "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": home}
    return {**_named(kind, f"{_GROUP}/v1", name, namespace), "roleRef": role, "subjects": [subject]}
