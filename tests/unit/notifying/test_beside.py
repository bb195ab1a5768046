"""The dispatcher and the notifier side by side: one that hangs or fails holds up no other."""

import asyncio
import threading
from datetime import datetime

import pytest

from deployments import ticking as beside
from deployments.ticking import ticking
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
        await asyncio.gather(ticking(stop, "notifier", hang), ticking(stop, "dispatcher", tick))

    asyncio.run(run())
    assert len(ticks) >= 3, "while the other one hung"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "SECONDS_AFTER_AN_ERROR", 0.0)


def ticks_with(*errors: Exception | None) -> None:
    """Tick once for each, with what goes wrong then."""

    async def run() -> None:
        stop, loop, left = asyncio.Event(), asyncio.get_running_loop(), list(errors)

        def tick(_now: datetime) -> None:
            error = left.pop(0)
            if not left:
                loop.call_soon_threadsafe(stop.set)
            if error is not None:
                raise error

        await ticking(stop, "notifier", tick, pause_seconds=0.0)
        assert left == []

    asyncio.run(run())


@pytest.mark.usefixtures("soon")
def test_step_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    ticks_with(ValueError("ours"), None)
    assert "the next tick tries again" in caplog.text
    assert "ValueError: ours" in caplog.text


@pytest.mark.usefixtures("soon")
def test_what_is_away_is_said_once_and_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="healflow")
    ticks_with(*[TransientError("the ledger is away")] * 3, None, None)
    assert [record.message for record in caplog.records if record.name == "healflow.notifier"] == [
        "Waiting: the ledger is away. It goes on by itself.",
        "Going on: it answers again.",
    ]
    assert "Traceback" not in caplog.text
