"""The MCP tools over a fake cluster: nothing outside the scope, no secret, nothing without its record, and only reads."""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.approve.test_audit import tamper
from tests.unit.mcp_door.shop import SECRETS, Shop, opened

CALLS: dict[str, dict[str, Any]] = {
    "cluster_info": {},
    "namespaces_list": {},
    "api_resources": {"containing": "apps"},
    "triage": {"namespace": "shop"},
    "pods_list": {},
    "pods_get": {"namespace": "shop", "name": "cart-2-x"},
    "pods_log": {"namespace": "shop", "name": "cart-2-x"},
    "pods_top": {},
    "nodes_top": {},
    "events_list": {},
    "resources_list": {"kind": "secrets"},
    "resources_get": {"kind": "Secret", "namespace": "shop", "name": "login"},
    "rollout_history": {"namespace": "shop", "name": "cart"},
    "helm_list": {},
    "incidents_list": {},
    "incidents_show": {"incident_id": "inc-0"},
    "incidents_similar": {"incident_id": "inc-0"},
    "propose_remedy": {"namespace": "shop", "kind": "Deployment", "name": "cart"},
}
NEED_MORE = {"incidents_show", "incidents_similar", "pods_top", "nodes_top"}
"""An incident, or a metrics API, which the fake lacks."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as one:
        yield one


def records(shop: Shop) -> list[dict[str, Any]]:
    return [json.loads(entry.document) for entry in shop.ledger.audit.entries() if entry.kind == "mcp_call"]


def test_every_tool_answers_and_none_tells_a_secret(shop: Shop) -> None:
    assert {tool.name for tool in shop.tools()} == set(CALLS)
    more = [
        ("resources_get", {"kind": "cm", "namespace": "shop", "name": "prices", "api_version": "v1"}),
        ("resources_get", {"kind": "ConfigMap", "namespace": "shop", "name": "prices"}),
        ("resources_get", {"kind": "deployments", "namespace": "shop", "name": "cart"}),
    ]
    for tool, arguments in [*CALLS.items(), *more[1:]]:
        told, failed = shop.ask(tool, **arguments)
        assert not [word for word in SECRETS if word in told], (tool, told)
        assert not failed or tool in NEED_MORE, told
    assert {method for method, _ in shop.fake.requests} == {"GET"}


def test_names_of_a_secrets_keys_stay(shop: Shop) -> None:
    told, _ = shop.ask("resources_get", kind="Secret", namespace="shop", name="login")
    assert "password: ''" in told
    assert "note: ''" in told


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("pods_list", {"namespace": "kube-system"}),
        ("pods_get", {"namespace": "kube-system", "name": "coredns-1"}),
        ("pods_log", {"namespace": "kube-system", "name": "coredns-1"}),
        ("events_list", {"namespace": "kube-system"}),
        ("resources_list", {"kind": "Secret", "namespace": "kube-system"}),
        ("resources_get", {"kind": "Namespace", "name": "kube-system"}),
        ("rollout_history", {"namespace": "kube-system", "name": "coredns"}),
        ("triage", {"namespace": "kube-system"}),
        ("helm_list", {"namespace": "kube-system"}),
        ("pods_top", {"namespace": "kube-system"}),
    ],
)
def test_protected_namespace_is_refused_before_the_cluster_is_asked(
    shop: Shop, tool: str, arguments: dict[str, Any]
) -> None:
    told, failed = shop.ask(tool, **arguments)
    assert failed
    assert "may not be read" in told
    assert shop.fake.requests == []
    assert records(shop)[-1]["verdict"] == "refused"


def test_lists_of_all_leave_the_protected_out(shop: Shop) -> None:
    for tool, arguments in (("pods_list", {}), ("namespaces_list", {}), ("resources_list", {"kind": "Secret"})):
        told, _ = shop.ask(tool, **arguments)
        assert "shop" in told
        assert "kube-system" not in told


def test_only_named_namespaces_are_read(tmp_path: Path) -> None:
    with opened(tmp_path, namespaces=("shop",), cluster_objects=False) as shop:
        assert "vault" not in shop.ask("pods_list")[0]
        assert "cart-2-x" in shop.ask("pods_list")[0]
        assert shop.ask("pods_get", namespace="bank", name="vault")[1]
        assert "bank" not in shop.ask("namespaces_list")[0]
        assert "bank" not in shop.ask("triage")[0]
        assert shop.ask("resources_list", kind="Node")[1]
        assert not [path for _, path in shop.fake.requests if "/namespaces/bank/" in path]


def test_protected_namespace_is_read_when_it_is_named(tmp_path: Path) -> None:
    with opened(tmp_path, namespaces=("kube-system",)) as shop:
        assert "coredns-1" in shop.ask("pods_list")[0]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("pods_get", {"namespace": "shop", "name": "../../kube-system/pods/coredns-1"}),
        ("pods_get", {"namespace": "shop", "name": ".."}),
        ("pods_get", {"namespace": "shop/../kube-system", "name": "coredns-1"}),
        ("resources_get", {"kind": "Pod", "namespace": "shop", "name": "x%2e%2e"}),
        ("resources_list", {"kind": "Pod", "api_version": "v1/../../apis"}),
        ("pods_list", {"namespace": "shop", "command": "kubectl delete pod x"}),
        ("shell", {"command": "id"}),
        ("pods_list", {"limit": 100_000}),
    ],
)
def test_what_is_no_name_or_no_tool_is_refused_and_recorded(shop: Shop, tool: str, arguments: dict[str, Any]) -> None:
    assert shop.ask(tool, **arguments)[1]
    assert shop.fake.requests == []
    assert records(shop) == [
        {"tool": tool, "arguments": {k: str(v) for k, v in arguments.items()}, "verdict": "refused", "bytes": 0}
    ]


def test_each_call_is_recorded_with_its_size_and_no_secret(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    told, _ = shop.ask("pods_log", namespace="shop", name="cart-2-x", tail=5)
    assert shop.ask("pods_get", namespace="shop", name=SECRETS[2])[1]
    first, second = records(shop)
    assert first["verdict"] == "allowed"
    assert first["bytes"] > len(told)
    assert second["verdict"] == "failed"
    assert SECRETS[2] not in json.dumps(second)
    assert shop.ledger.audit.verify().problem == ""
    assert shop.ledger.audit.entries()[0].actor.startswith(f"mcp-stdio:{pwd.getpwuid(os.getuid()).pw_name}")


def test_log_is_capped_in_lines_and_bytes_and_keeps_its_end(tmp_path: Path) -> None:
    with opened(tmp_path, log_max_lines=50, log_max_bytes=1_000) as shop:
        told, _ = shop.ask("pods_log", namespace="shop", name="cart-2-x", tail=10_000)
        assert len(told.encode()) <= 1_000
        assert told.splitlines()[-1] == "using [REDACTED]"
        assert told.splitlines()[0].startswith("line ")
    with opened(tmp_path, log_max_lines=3) as shop:
        assert len(shop.ask("pods_log", namespace="shop", name="cart-2-x", tail=10_000)[0].splitlines()) == 3


def test_key_of_many_lines_is_masked_where_only_its_end_is_told(shop: Shop) -> None:
    rows = ["-----BEGIN RSA PRIVATE KEY-----", *["A0b1C2d3" * 8] * 30, "-----END RSA PRIVATE KEY-----", "ready"]
    shop.fake.logs["shop", "cart-2-x", False] = "\n".join(rows)
    told, _ = shop.ask("pods_log", namespace="shop", name="cart-2-x", tail=10)
    assert "A0b1C2d3" not in told
    assert told.endswith("ready")


def test_long_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    with opened(tmp_path, answer_max_bytes=2_000) as shop:
        for number in range(300):
            shop.fake.add("Pod", f"filler-{number}", "shop", spec={})
        told, _ = shop.ask("pods_list", limit=500)
        assert len(told.encode()) <= 2_000
        assert "[cut: " in told


def test_rows_past_the_limit_are_counted(shop: Shop) -> None:
    assert "[1 or more are not shown" in shop.ask("pods_list", limit=1)[0]


def test_variable_in_a_kind_that_nothing_is_known_of_is_masked(shop: Shop) -> None:
    env = [{"name": "DB_PASSWORD", "value": SECRETS[0]}, {"name": "REGION", "value": "eu"}]
    revision = {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": env}]}}}}
    shop.fake.add("ControllerRevision", "db-1", "shop", data=revision, adminPassword=SECRETS[1])
    told, _ = shop.ask("resources_get", kind="ControllerRevision", namespace="shop", name="db-1")
    assert "eu" in told
    assert not [word for word in SECRETS if word in told]


def test_there_is_no_answer_without_a_record(shop: Shop) -> None:
    tamper(shop.settings.ledger_url, "DROP TABLE audit")
    told, failed = shop.ask("pods_list")
    assert failed
    assert "cart" not in told
    assert "could not be recorded" in told


def test_error_says_what_to_do(shop: Shop) -> None:
    told, failed = shop.ask("pods_get", namespace="shop", name="absent")
    assert failed
    assert "check the name" in told
    shop.fake.objects[0]["spec"] = {}
    pods = next(item for item in shop.fake.objects if item["metadata"]["name"] == "vault")["spec"]["containers"]
    pods.append({"name": "side"})
    assert "app, side" in shop.ask("pods_log", namespace="bank", name="vault")[0]


def test_triage_names_the_cause_and_history_what_changed(shop: Shop) -> None:
    assert "cart" in shop.ask("triage", namespace="shop")[0]
    told, _ = shop.ask("rollout_history", namespace="shop", name="cart")
    assert told.startswith("revision 2 (current): cart:2; 0 of 1 pods ready")
    assert "container app image: cart:1 -> cart:2" in told


def test_every_tool_says_that_it_reads_and_takes_nothing_else(shop: Shop) -> None:
    for tool in shop.tools():
        assert len(tool.description) > 60, tool.name
        assert tool.input_schema["additionalProperties"] is False
        assert tool.annotations.destructive_hint is False
        unexplained = [name for name, row in tool.input_schema["properties"].items() if "description" not in row]
        assert not unexplained, (tool.name, unexplained)
