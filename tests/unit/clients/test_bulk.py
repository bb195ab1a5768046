"""The collector of cycles is held off while a cluster is read, and is left as it was found."""

import gc
from collections.abc import Iterator

import pytest

from tasks.clients.kubernetes import in_bulk


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    if not was_on:
        gc.disable()


def test_collector_rests_until_the_last_reader_is_done() -> None:
    with in_bulk():
        with in_bulk():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collector_works_again_after_a_reading_that_failed() -> None:
    with pytest.raises(ValueError, match="broken"), in_bulk():
        raise ValueError("broken")
    assert gc.isenabled()


def test_collector_that_somebody_else_holds_off_is_let_alone() -> None:
    gc.disable()
    with in_bulk():
        pass
    assert not gc.isenabled()
