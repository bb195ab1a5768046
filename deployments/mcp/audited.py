"""The server with its audit: every call is written into the ledger's trail before its answer leaves."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import CallToolResult, InputRequiredResult

from deployments.home import local_user
from deployments.mcp.scope import RefusedError
from tasks.clients.ledger import Ledger
from tasks.collect.redact import redact

MAX_ARGUMENT = 300
KIND = "mcp_call"
ALLOWED, REFUSED, FAILED = "allowed", "refused", "failed"


class AuditedServer(MCPServer[None]):
    """An MCP server whose calls are recorded: who, which tool, with what, whether it was allowed, how many bytes."""

    def __init__(self, ledger: Ledger, **options: Any) -> None:
        self._ledger = ledger
        super().__init__(**options)

    def close_schemas(self) -> None:
        """Say in each tool's schema that there are no other arguments; `call_tool` holds it."""
        for tool in self._tool_manager.list_tools():
            tool.parameters["additionalProperties"] = False

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; without a record there is no answer."""
        verdict, size = FAILED, 0
        try:
            self._check_known(name, arguments)
            result = await super().call_tool(name, arguments, context)
            verdict, size = ALLOWED, _size(result)
            return result
        except ToolError as error:
            verdict = _verdict(error)
            raise
        finally:
            told = {"tool": name[:64], "arguments": _shown(arguments), "verdict": verdict, "bytes": size}
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._record, caller_of(context), told)

    def _check_known(self, name: str, arguments: Mapping[str, Any]) -> None:
        tool = self._tool_manager.get_tool(name)
        known = tool.parameters.get("properties", {}) if tool is not None else arguments
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise ToolError(
                f"{name} takes no argument {unknown[0][:64]!r}; it takes {', '.join(known) or 'none'}. Commands and "
                "patches of your own are never run"
            )

    def _record(self, actor: str, told: Mapping[str, object]) -> None:
        try:
            self._ledger.audit.write(KIND, incident_id="", actor=actor, document=told, at=datetime.now(UTC))
        except Exception as error:
            logging.getLogger("healflow.mcp").exception("The call could not be recorded; its answer is withheld.")
            raise ToolError("the call could not be recorded, so there is no answer; an operator has to look") from error


def caller_of(context: Context[None, Any] | None) -> str:
    """Who calls: the token's owner or this machine's user, and what the client says it is."""
    try:
        params = context.session.client_params if context is not None else None
    except ValueError:
        params = None
    client = f" ({params.client_info.name[:40]})" if params is not None else ""
    token = get_access_token()
    return (f"mcp-http:{token.client_id}" if token is not None else f"mcp-stdio:{local_user()}") + client


def _verdict(error: ToolError) -> str:
    if isinstance(error, UnexpectedToolError):
        return FAILED
    cause: BaseException | None = error
    while isinstance(cause, ToolError) and cause.__cause__ is not None:
        cause = cause.__cause__
    asked_wrongly = cause is error or type(cause).__name__ == "ValidationError"
    return REFUSED if asked_wrongly or isinstance(cause, RefusedError) else FAILED


def _shown(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {str(key)[:64]: redact(str(value))[:MAX_ARGUMENT] for key, value in list(arguments.items())[:20]}


def _size(result: CallToolResult | InputRequiredResult) -> int:
    return len(json.dumps(result.model_dump(mode="json", exclude_none=True), ensure_ascii=False).encode())
