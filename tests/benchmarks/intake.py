"""10,000 events in a minute, of 40 causes: accepted how fast, lost how many, healed how often; beside the same gateway
with one transaction for each event.

The process that is measured is `tests.fakes.intake_server`: the doors, the ledger and the dispatcher of
`deployments.serve_gateway` at their default rates, without its notifier, looks, comments and Slack, and with a file in
the place of the Prefect server. What it has not handed on when the flood is over is handed on by a second process at
200 times the default rate, which is not measured: it only counts the heals, which in earnest begin over some minutes.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from tasks.clients.ledger import Ledger
from tests.fakes.flood import Request, Sent, await_drained, flood, free_port, gateway, send

EVENTS, CAUSES = 10_000, 40
PACED, BURST = EVENTS / 60, 1_000_000.0
"""Events a second: a minute's worth evenly, and as fast as it goes."""
BURST_EVENTS = 2_000
DRAIN_SECONDS = 600


def run() -> None:
    requests, burst = flood(EVENTS, causes=CAUSES), flood(BURST_EVENTS, causes=CAUSES)
    print(f"{EVENTS} events in 60 s, {CAUSES} causes, SQLite with synchronous=FULL, dispatcher running")
    print(f"{'':22}{'accepted/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'refused':>9}{'lost':>6}{'heals':>7}")
    for name, more in (("one flush for all", ()), ("one for each", ("singly",))):
        with tempfile.TemporaryDirectory() as folder:
            _measure(f"{name}, a minute", requests, PACED, Path(folder), more, drained=not more)
        with tempfile.TemporaryDirectory() as folder:
            _measure(f"{name}, burst", burst, BURST, Path(folder), more, drained=False)


def _measure(
    name: str, requests: list[Request], rate: float, folder: Path, more: tuple[str, ...], *, drained: bool
) -> None:
    port, begun = free_port(), time.perf_counter()
    with gateway(folder, port, *more):
        begun = time.perf_counter()
        sent = asyncio.run(send(port, requests, rate=rate))
        seconds = time.perf_counter() - begun
    heals = _heals(folder, port) if drained else "-"
    print(
        f"{name:22}{len(sent.acknowledged) / seconds:>11.0f}{sent.percentile(0.5) * 1000:>9.1f}"
        f"{sent.percentile(0.99) * 1000:>9.1f}{sent.refused:>9}{_lost(folder, sent):>6}{heals:>7}",
        flush=True,
    )


def _heals(folder: Path, port: int) -> str:
    """Hand on what is left, faster than one would in earnest, and count the runs that were started."""
    with gateway(folder, port, HEALFLOW_INTAKE__EVENTS_PER_SECOND="10000", HEALFLOW_INTAKE__HEALS_PER_MINUTE="6000"):
        if not await_drained(port, DRAIN_SECONDS):
            return "late"
    return str(len((folder / "runs").read_text().splitlines()))


def _lost(folder: Path, sent: Sent) -> int:
    ledger = Ledger.in_folder(folder)
    return len(set(sent.acknowledged) - ledger.events.known(sent.acknowledged))
