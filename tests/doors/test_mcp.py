"""`healflow mcp` as agents start it: a real MCP client over stdio and over HTTP, with the right, a wrong and no token."""

import asyncio
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tasks.clients.ledger import Ledger
from tests.unit.mcp_door.shop import Shop, opened

TOKEN = "a-token-of-the-test-0123456789"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as one:
        yield one


def environment(shop: Shop, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HEALFLOW_HOME": str(shop.settings.root),
        "HEALFLOW_KUBERNETES__KUBECONFIG": str(shop.settings.kubernetes.kubeconfig),
        **more,
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "deployments.main", "mcp", *arguments]


@contextmanager
def served(shop: Shop, *arguments: str, **more: str) -> Iterator[str]:
    """The URL of `healflow mcp --http` on a free port."""
    process = subprocess.Popen(
        command("--http", "--port", "0", *arguments), env=environment(shop, **more), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = re.search(r"http://\S+/mcp", said)
        assert found, said
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()


def test_client_over_stdio_lists_and_calls_tools(shop: Shop) -> None:
    first, *rest = command()

    async def drive() -> tuple[int, str]:
        async with Client(StdioServerParameters(command=first, args=rest, env=environment(shop))) as client:
            tools = (await client.list_tools()).tools
            answer = await client.call_tool("pods_list", {"namespace": "shop"})
            return len(tools), answer.content[0].text

    count, told = asyncio.run(drive())
    assert count == len(shop.tools())
    assert "cart-2-x" in told
    ledger = Ledger.open(shop.settings.ledger_url)
    assert [entry.kind for entry in ledger.audit.entries()] == ["mcp_call"]
    ledger.close()


def test_client_over_http_needs_the_token(shop: Shop) -> None:
    async def drive(url: str, token: str) -> str:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return str((await client.call_tool("pods_list", {"namespace": "shop"})).content[0].text)

    with served(shop, HEALFLOW_MCP__TOKEN=TOKEN) as url:
        assert "cart-2-x" in asyncio.run(drive(url, TOKEN))
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            answer = post(url, headers)
            assert answer.status_code == 401
            assert "Bearer" in answer.headers["WWW-Authenticate"]
    ledger = Ledger.open(shop.settings.ledger_url)
    assert [entry.actor.split(" ")[0] for entry in ledger.audit.entries()] == ["mcp-http:token-holder"]
    ledger.close()


def post(url: str, headers: dict[str, str]) -> httpx.Response:
    accepted = {"Accept": "application/json, text/event-stream", **headers}
    return httpx.post(url, json=INITIALIZE, headers=accepted, trust_env=False)


def test_foreign_host_and_origin_are_refused(shop: Shop) -> None:
    known = {"Authorization": f"Bearer {TOKEN}"}
    with served(shop, HEALFLOW_MCP__TOKEN=TOKEN) as url:
        assert post(url, known).status_code == 200
        assert post(url, {**known, "Host": "evil.example"}).status_code == 421
        assert post(url, {**known, "Origin": "http://evil.example"}).status_code == 403
        assert post(url, {**known, "X-Padding": "x", "Content-Type": "text/plain"}).status_code == 400


def test_token_is_made_and_readable_by_its_owner_only(shop: Shop) -> None:
    with served(shop) as url:
        kept = shop.settings.root / "mcp_token"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert post(url, {"Authorization": f"Bearer {kept.read_text().strip()}"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
def test_other_address_than_loopback_is_refused(shop: Shop, host: str) -> None:
    told = subprocess.run(
        command("--http", "--host", host), env=environment(shop), capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert host in told.stderr
