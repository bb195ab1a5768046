"""The dispatcher and the notifier side by side: one that hangs or fails holds up no other."""

import asyncio
import threading
from datetime import datetime

import pytest

from deployments.serve_gateway import _ticking
from tasks.errors import TransientError


def test_channel_that_hangs_holds_up_no_heal() -> None:
    let_go = threading.Event()
    ticks: list[datetime] = []

    async def run() -> None:
        stop = asyncio.Event()

        def hang(_now: datetime) -> None:
            let_go.wait(30)

        def tick(now: datetime) -> None:
            ticks.append(now)
            if len(ticks) >= 3:
                loop.call_soon_threadsafe(stop.set)
                let_go.set()

        loop = asyncio.get_running_loop()
        await asyncio.gather(_ticking(stop, "notifier", hang), _ticking(stop, "dispatcher", tick))

    asyncio.run(run())
    assert len(ticks) >= 3, "while the other one hung"


def test_step_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    ticks = 0

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tick(_now: datetime) -> None:
            nonlocal ticks
            ticks += 1
            if ticks == 2:
                loop.call_soon_threadsafe(stop.set)
            raise TransientError("the ledger is away")

        await _ticking(stop, "notifier", tick)

    asyncio.run(run())
    assert ticks >= 2
    assert "the next tick tries again" in caplog.text
