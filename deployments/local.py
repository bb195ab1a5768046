"""The one-machine mode: Prefect server, gateway and flows on loopback, started and stopped as one.

`up` is the command; `running` is the same for the demo and the tests.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console

from deployments.home import Holder, Home
from deployments.services import Clock, Service
from tasks.clients.ledger import Ledger
from tasks.errors import ConflictError, PermanentError
from tasks.settings import Settings, handed_on

START_SECONDS = 120.0
POLL_SECONDS = 0.1
MAX_ENDS, ENDS_WITHIN_SECONDS = 10, 120.0
"""A service that ends by itself more often than this within the time is not started again."""


@dataclass(frozen=True)
class Running:
    """Where the running services answer."""

    prefect_url: str
    gateway_url: str


class _Stop(Exception):  # noqa: N818 -- a request, not an error
    """SIGTERM arrived."""


def up(settings: Settings) -> int:
    """Serve until Ctrl-C or SIGTERM; 0 after a clean stop, 1 when it cannot start or a service keeps dying."""
    console = Console(highlight=False)
    previous = signal.signal(signal.SIGTERM, _raise_stop)
    try:
        with _served(settings, console) as (running_at, services):
            console.print(f"\n  Prefect UI  [bold]{running_at.prefect_url}[/]")
            console.print(f"  gateway     [bold]{running_at.gateway_url}/webhooks/github[/]")
            console.print(f"  state       {Home(settings).root}\n\nCtrl-C stops everything.")
            _watch(services, console)
    except (KeyboardInterrupt, _Stop):
        console.print("Stopped.")
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


def _raise_stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


@contextmanager
def running(settings: Settings, *, console: Console) -> Iterator[Running]:
    """Start everything, hand over the URLs, and stop everything at the end.

    Raises:
        ConflictError: another process serves this home, or a port is taken.
        PermanentError: a service does not come up; the message holds the end of its log.
    """
    with _served(settings, console) as (running_at, _services):
        yield running_at


@contextmanager
def _served(settings: Settings, console: Console) -> Iterator[tuple[Running, list[Service]]]:
    home = Home(settings)
    home.make()
    if (holder := home.holder()) is not None:
        with home.hold(holder):  # says who holds it
            pass
    prefect_port = _port(settings.prefect_port, "HEALFLOW_PREFECT_PORT")
    gateway_port = _port(settings.gateway_port, "HEALFLOW_GATEWAY_PORT")
    urls = Running(f"http://127.0.0.1:{prefect_port}", f"http://127.0.0.1:{gateway_port}")
    held = Holder(
        pid=os.getpid(), started_at=datetime.now(UTC), prefect_url=urls.prefect_url, gateway_url=urls.gateway_url
    )
    with home.hold(held):
        services = _services(settings, home, prefect_port, gateway_port)
        try:
            _start(settings, services, urls, console)
            yield urls, services
        finally:
            for service in services:
                service.ask_to_stop()
            for service in services:
                service.wait()


def _port(wanted: int, setting: str) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise ConflictError(f"port {wanted} is taken ({error.strerror}); set {setting}, 0 takes any") from error
        return int(probe.getsockname()[1])


def _services(settings: Settings, home: Home, prefect_port: int, gateway_port: int) -> list[Service]:
    env = _environment(settings, home, prefect_port, gateway_port)
    python = sys.executable
    commands = {
        "prefect server": [
            python,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            f"{prefect_port}",
        ],
        "gateway": [python, "-m", "deployments.serve_gateway"],
        "flows": [python, "-m", "deployments.worker"],
    }
    return [
        Service(name, argv, env=env, log=home.logs / f"{name.replace(' ', '-')}.log", cwd=home.root)
        for name, argv in commands.items()
    ]


def _environment(settings: Settings, home: Home, prefect_port: int, gateway_port: int) -> Mapping[str, str]:
    """The children's environment: ours without anybody's Prefect profile, and our settings resolved."""
    database = home.prefect / "prefect.db"
    return {
        **handed_on(settings),
        "HEALFLOW_GATEWAY_PORT": str(gateway_port),
        "HEALFLOW_PREFECT_PORT": str(prefect_port),
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_PROFILES_PATH": str(home.prefect / "profiles.toml"),
        "PREFECT_API_URL": f"http://127.0.0.1:{prefect_port}/api",
        "PREFECT_UI_API_URL": f"http://127.0.0.1:{prefect_port}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
        "PREFECT_LOCAL_STORAGE_PATH": str(home.prefect / "results"),
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_COLORS": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry and Path(entry).is_dir()),
    }


def _start(settings: Settings, services: list[Service], urls: Running, console: Console) -> None:
    clock = Clock()
    Ledger.open(settings.ledger_url).close()
    _say(console, clock, "ledger", f"open in {settings.root}")
    server, gateway, flows = services
    server.start()
    gateway.start()
    _until(gateway, lambda: _answers(f"{urls.gateway_url}/healthz"))
    _say(console, clock, "gateway", urls.gateway_url)
    _until(server, lambda: _answers(f"{urls.prefect_url}/api/health"))
    _say(console, clock, "prefect server", urls.prefect_url)
    flows.start()
    _until(flows, lambda: _answers(f"{urls.prefect_url}/api/deployments/name/heal/heal"))
    _say(console, clock, "flows", "heal is served")


def _say(console: Console, clock: Clock, name: str, what: str) -> None:
    console.print(f"[green]✓[/] {name:<15}{what}  [dim]{clock.seconds:.1f} s[/]", soft_wrap=True)


def _until(service: Service, ready: Callable[[], bool]) -> None:
    clock = Clock()
    while not ready():
        if not service.alive or clock.seconds > START_SECONDS:
            what = "does not come up" if service.alive else "ended while it started"
            raise PermanentError(f"{service.name} {what}; the end of {service.log}:\n{service.tail()}")
        time.sleep(POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _watch(services: list[Service], console: Console) -> None:
    while True:
        for service in services:
            if service.alive:
                continue
            if service.note_end(within_seconds=ENDS_WITHIN_SECONDS) > MAX_ENDS:
                raise PermanentError(f"{service.name} keeps ending; the end of {service.log}:\n{service.tail()}")
            console.print(f"[yellow]{service.name} ended by itself and is started again[/]")
            service.start()
        time.sleep(0.5)
