"""The ledger's writers go one after another, in their order, and none waits for ever."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tasks.clients.ledger.engine import make_engine, reading, transaction
from tasks.clients.ledger.turns import Turns
from tasks.errors import TransientError

SOON = 10.0


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def in_line(turns: Turns, count: int) -> None:
    """Wait until so many hold it or wait for it."""
    began = time.monotonic()
    while len(turns) < count:
        assert time.monotonic() - began < SOON
        threading.Event().wait(0.001)


def test_nobody_is_overtaken() -> None:
    turns, order = Turns(), list[int]()

    def wait(number: int) -> None:
        with turns.take(timeout_seconds=SOON):
            order.append(number)

    with turns.take(timeout_seconds=SOON):
        waiting = []
        for number in range(5):
            waiting.append(started(partial(wait, number)))
            in_line(turns, number + 2)
    for thread in waiting:
        thread.join(SOON)
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_too_long_leaves_the_line_and_keeps_nobody() -> None:
    turns = Turns()
    with (
        turns.take(timeout_seconds=SOON),
        pytest.raises(TransientError, match="1 of this process"),
        turns.take(timeout_seconds=0.01),
    ):
        pytest.fail("it was not free")
    with turns.take(timeout_seconds=0.01):
        pass


def test_block_that_fails_gives_it_back() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="broken"), turns.take(timeout_seconds=SOON):
        raise ValueError("broken")
    with turns.take(timeout_seconds=0.01):
        pass


def test_who_reads_waits_for_no_writer(tmp_path: Path) -> None:
    engine, read = make_engine(f"sqlite:///{tmp_path}/ledger.db"), threading.Event()

    def look() -> None:
        with reading(engine):
            read.set()

    with transaction(engine):
        thread = started(look)
        assert read.wait(SOON)
    thread.join(SOON)


def test_writers_of_one_engine_take_turns(tmp_path: Path) -> None:
    engine, wrote = make_engine(f"sqlite:///{tmp_path}/ledger.db"), threading.Event()

    def write() -> None:
        with transaction(engine):
            wrote.set()

    with transaction(engine):
        thread = started(write)
        assert not wrote.wait(0.05)
    assert wrote.wait(SOON)
    thread.join(SOON)
