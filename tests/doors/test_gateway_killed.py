"""A gateway that is killed, or told to end, under a load of events: none that was accepted is lost or run twice."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from tasks.clients.ledger import Ledger
from tests.doors.test_up import eventually
from tests.fakes.flood import Request, Sent, await_drained, flood, free_port, gateway, send

EVENTS, CAUSES = 400, 20
BURST, BRISKLY, SLOWLY = 1_000_000.0, 60.0, 20.0
"""Events a second: as fast as it goes, several on their way at any moment, and so that the kill comes long before the
last.
"""
AT_ONCE = {"HEALFLOW_INTAKE__EVENTS_PER_SECOND": "10000", "HEALFLOW_INTAKE__HEALS_PER_MINUTE": "6000"}
"""Handed on while they still come, so that the kill meets all that the process does."""
SECONDS = 120.0


def send_and_end(
    port: int, end: Callable[[], None], ledger: Ledger, events: Sequence[Request], rate: float = SLOWLY
) -> Sent:
    """Send, and end the gateway once some are accepted and most are still to come."""
    named, sent = [event.name for event in events if event.name], list[Sent]()
    sender = Thread(target=lambda: sent.append(asyncio.run(send(port, events, rate=rate))))
    sender.start()
    assert eventually(lambda: len(ledger.events.known(named)) > 2, SECONDS)
    end()
    sender.join(SECONDS)
    return sent[0]


def test_gateway_killed_under_a_load_loses_nothing_and_runs_nothing_twice(tmp_path: Path) -> None:
    ledger, events, port = Ledger.in_folder(tmp_path), flood(EVENTS, causes=CAUSES), free_port()
    with gateway(tmp_path, port, **AT_ONCE) as process:
        first = asyncio.run(send(port, events[: EVENTS // 2], rate=BURST))
        broken = send_and_end(port, process.kill, ledger, events[EVENTS // 2 :])
    accepted = {*first.acknowledged, *broken.acknowledged}
    assert EVENTS // 2 < len(accepted) < EVENTS
    assert ledger.events.known(tuple(accepted)) == accepted
    with gateway(tmp_path, port, **AT_ONCE):
        again = asyncio.run(send(port, events, rate=BURST))  # who got no answer sends again, and so does who got one
        assert await_drained(port, SECONDS)
    assert (len(set(again.acknowledged)), again.refused) == (EVENTS, 0)
    assert accepted <= set(again.acknowledged)
    incidents = ledger.incidents.newest(limit=EVENTS)
    runs = [line.split()[0] for line in (tmp_path / "runs").read_text().splitlines()]
    assert len(incidents) == CAUSES
    assert sorted(runs) == sorted(stored.incident.id for stored in incidents)
    assert all(stored.dispatches == 1 for stored in incidents)
    ledger.close()


def test_gateway_told_to_end_under_a_load_has_kept_all_that_it_accepted(tmp_path: Path) -> None:
    ledger, events, port = Ledger.in_folder(tmp_path), flood(2 * EVENTS, causes=CAUSES), free_port()
    with gateway(tmp_path, port) as process:
        sent = send_and_end(port, process.terminate, ledger, events, BRISKLY)
        assert process.wait(SECONDS) in (0, -signal.SIGTERM), "it ends by itself"
    accepted = set(sent.acknowledged)
    assert 2 < len(accepted) < len(events)
    assert ledger.events.known(tuple(accepted)) == accepted
    ledger.close()
