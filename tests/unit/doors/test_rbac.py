"""The accounts have what the registry of actions and a capture need, and nothing that leads further."""

from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from deployments.cli.app import app
from deployments.rbac import accounts, accounts_yaml, healer_rights, observer_rights, rules_of
from tasks.act.registry import ACTIONS
from tasks.clients.kubernetes.kinds import KINDS

FILE = Path(__file__).parents[3] / "k8s" / "healflow" / "rbac.yaml"
CHANGING = {"create", "update", "patch", "delete", "deletecollection"}
LEADING_FURTHER = {"*", "escalate", "bind", "impersonate", "deletecollection", "watch", "proxy"}


def rules(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(group, resource, verb) for group, resource, verb, _ in named_rules(rows)}


def named_rules(rows: list[dict[str, Any]]) -> set[tuple[str, str, str, tuple[str, ...]]]:
    found = set()
    for row in rows:
        names = tuple(row.get("resourceNames", ()))
        for group in row["apiGroups"]:
            found |= {(group, resource, verb, names) for resource in row["resources"] for verb in row["verbs"]}
    return found


def test_committed_file_is_what_the_registry_asks_for() -> None:
    assert FILE.read_text() == accounts_yaml(), "run 'make docs' and commit k8s/healflow/rbac.yaml"


def test_healer_has_the_rights_of_the_actions_and_no_other() -> None:
    wanted = {
        (right.group, right.resource, verb, right.names)
        for spec in ACTIONS.values()
        for right in spec.rights
        for verb in right.verbs
    }
    assert named_rules(rules_of(healer_rights())) == wanted


def test_in_the_namespace_of_the_dns_nothing_but_its_deployment_may_be_changed() -> None:
    made = accounts(("shop", "kube-system"))
    roles = {row["metadata"]["namespace"]: row["rules"] for row in made if row["kind"] == "Role"}
    wanted = {("apps", "deployments", verb, ("coredns",)) for verb in ("get", "patch")}
    assert named_rules(roles["kube-system"]) == wanted
    assert not named_rules(roles["shop"]) & wanted


def test_named_namespaces_leave_the_dns_alone_where_it_is_not_among_them() -> None:
    assert {row["metadata"]["namespace"] for row in accounts(("shop",)) if row["kind"] == "Role"} == {"shop"}


def test_no_wildcard_and_nothing_that_leads_further() -> None:
    for manifest in accounts(("shop",)):
        for group, resource, verb in rules(manifest.get("rules", [])):
            assert "*" not in (group, resource), manifest
            assert verb not in LEADING_FURTHER, manifest
            assert resource not in ("pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token")
            assert not resource.startswith("nodes/")


def test_observer_changes_nothing_and_reads_no_secret() -> None:
    allowed = rules(rules_of(observer_rights()))
    assert not {row for row in allowed if row[2] in CHANGING}
    assert not {row for row in allowed if row[1] == "secrets"}
    assert ("", "pods/log", "get") in allowed


def test_healer_never_touches_limits_or_rights() -> None:
    touched = {resource for _, resource, verb in rules(rules_of(healer_rights())) if verb in CHANGING}
    untouchable = {"ResourceQuota", "LimitRange", "NetworkPolicy", "Namespace", "Role", "RoleBinding", "ClusterRole"}
    assert not touched & {KINDS[kind].plural for kind in untouchable}


def test_named_namespaces_bound_where_the_healer_may_change_something() -> None:
    made = accounts(("shop", "pay"))
    roles = [row["metadata"]["namespace"] for row in made if row["kind"] == "RoleBinding"]
    assert roles == ["shop", "pay"]
    everywhere = [row for row in made if row["kind"] == "ClusterRole" and row["metadata"]["name"] == "healflow-healer"]
    namespaced = {row.plural for row in KINDS.values() if row.namespaced}
    assert not {resource for row in everywhere for _, resource, _ in rules(row["rules"])} & namespaced


def test_command_prints_what_kubectl_takes() -> None:
    done = CliRunner().invoke(app, ["rbac", "-n", "shop"])
    assert done.exit_code == 0
    assert [row for row in yaml.safe_load_all(done.output) if row] == accounts(("shop",))
