"""What works beside the gateway takes one small step after another, each kind in a thread of its own."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tasks.errors import TransientError

TICK_SECONDS = 0.25
SECONDS_AFTER_AN_ERROR = 10.0


async def ticking(
    stop: asyncio.Event, name: str, tick: Callable[[datetime], None], *, pause_seconds: float = TICK_SECONDS
) -> None:
    """Tick until `stop` is set. What is away is said once, with whatever was to be done waiting for it."""
    own = ThreadPoolExecutor(1, thread_name_prefix=name)  # one that hangs takes no thread from the others
    try:
        await _tick_until(stop, name, tick, pause_seconds, own)
    finally:
        own.shutdown(wait=False)


async def _tick_until(
    stop: asyncio.Event, name: str, tick: Callable[[datetime], None], pause_seconds: float, own: ThreadPoolExecutor
) -> None:
    log, away = logging.getLogger(f"healflow.{name}"), False
    while not stop.is_set():
        pause = pause_seconds
        try:
            await asyncio.get_running_loop().run_in_executor(own, tick, datetime.now(UTC))
        except TransientError as error:
            if not away:
                log.warning("Waiting: %s. It goes on by itself.", error)
            away, pause = True, SECONDS_AFTER_AN_ERROR
        except Exception:
            # A door: an error of ours must end no loop, nor fill the log.
            log.exception("A step failed; the next tick tries again.")
            pause = SECONDS_AFTER_AN_ERROR
        else:
            if away:
                log.info("Going on: it answers again.")
            away = False
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            continue
