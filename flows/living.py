"""Gives signs of life while a heal's process runs, so that a run whose process is gone is told from a slow one.

Prefect believes a run to be running until somebody says otherwise; whoever would say so may be gone as well.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from prefect.context import FlowRunContext

from tasks.clients.ledger import Ledger
from tasks.errors import HealflowError
from tasks.settings import Settings

SIGNS_IN_A_SILENCE = 4
"""So many signs are given in the time after which a silent run counts as lost."""


def own_run_id() -> str:
    """The id of the flow run that this is called in."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("this is called inside a flow run")
    return str(context.flow_run.id)


@contextmanager
def giving_signs(run_id: str) -> Iterator[None]:
    """Give signs of life for a run until the block ends; the last one stays valid for its time."""
    settings = Settings()
    ledger, silence = Ledger.shared(settings.ledger_url), settings.run_silence_seconds
    stop = threading.Event()

    def give() -> None:
        while not stop.is_set():
            with suppress(HealflowError):  # a ledger that is away is waited for where it is needed
                ledger.leases.sign(run_id, now=datetime.now(UTC), seconds=silence)
            stop.wait(silence / SIGNS_IN_A_SILENCE)

    thread = threading.Thread(target=give, name=f"signs of {run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
