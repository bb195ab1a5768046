"""`healflow mcp`: serves the tools over stdio, or over streamable HTTP on loopback with a bearer token."""

import hmac
import ipaddress
import logging
import socket
import sys

import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from deployments.home import Home
from deployments.log_lines import log_to_stderr
from deployments.mcp.server import make_server
from tasks.clients.ledger import Ledger
from tasks.errors import BadInputError, ConflictError
from tasks.settings import Settings

MAX_BODY_BYTES = 65_536
"""Arguments are names and numbers: a larger request is refused."""


def serve_stdio(settings: Settings) -> None:
    """Serve one client over standard input and output, until it closes them."""
    log_to_stderr(logging.WARNING)
    Home(settings).make()
    make_server(settings, Ledger.open(settings.ledger_url)).run("stdio")


def serve_http(settings: Settings, host: str, port: int | None) -> None:
    """Serve clients that hold the token, until Ctrl-C or SIGTERM.

    Raises:
        BadInputError: the address is not one of this machine alone.
        ConflictError: the port is taken.
    """
    address = loopback(host)
    home = Home(settings)
    home.make()
    with _listen(address, settings.mcp.port if port is None else port) as listener:
        bound = int(listener.getsockname()[1])
        app = http_app(settings, Ledger.open(settings.ledger_url), home.mcp_token(), host=address, port=bound)
        shown = f"[{address}]" if ":" in address else address
        print(f"healflow mcp: http://{shown}:{bound}/mcp", file=sys.stderr, flush=True)  # noqa: T201
        if settings.mcp.token is None:
            print(f"healflow mcp: the bearer token is in {home.root / 'mcp_token'}", file=sys.stderr, flush=True)  # noqa: T201
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def http_app(settings: Settings, ledger: Ledger, token: str, *, host: str, port: int) -> Starlette:
    """The stateless HTTP application; a Host or Origin that is not this address is refused (DNS rebinding)."""
    names = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", host)]
    server = make_server(
        settings,
        ledger,
        token_verifier=_OneToken(token),
        auth=AuthSettings(issuer_url=AnyHttpUrl("http://localhost"), resource_server_url=None),
    )
    return server.streamable_http_app(
        stateless_http=True,
        json_response=True,
        max_request_body_size=MAX_BODY_BYTES,
        transport_security=TransportSecuritySettings(
            allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
        ),
        host=host,
    )


def loopback(host: str) -> str:
    """The address, when only this machine can reach it.

    Raises:
        BadInputError: it is another one.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise BadInputError(f"{host!r} is no address; use 127.0.0.1 or ::1") from None
    if not address.is_loopback:
        raise BadInputError(
            f"{host} is refused: the MCP server answers on loopback only. Reach it from elsewhere through a tunnel, "
            "such as ssh -L"
        )
    return str(address)


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen()  # who is told the address may connect at once, and is answered once the server runs
    except OSError as error:
        listener.close()
        raise ConflictError(f"port {port} is taken ({error.strerror}); set HEALFLOW_MCP__PORT, 0 takes any") from error
    return listener


class _OneToken:
    """Knows one token, compared in constant time."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whose token it is, `None` when it is nobody's."""
        if not hmac.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="token-holder", scopes=[])
