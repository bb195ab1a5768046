"""`python -m tests.fakes.intake_server FOLDER PORT [singly]`: the real gateway and dispatcher over a ledger in FOLDER.

Only the Prefect server is a stand-in: each run that is started is a line in FOLDER/runs, written before it is answered,
so that it outlives a kill. With `singly`, each event is a transaction of its own: the reference of the benchmark.
"""

import asyncio
import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from deployments.dispatcher import Dispatcher, RunState
from deployments.gateway import make_app
from tasks.clients.ledger import Ledger
from tasks.clients.ledger.engine import make_engine
from tasks.clients.ledger.event_writer import EventWriter
from tasks.settings import Settings

SECRET, TOKEN = "s3cret-for-tests", "token-for-tests"
TICK_SECONDS = 0.1


class KeptRuns:
    """The heal flow's runs, one line for each that was started; the same key again is the same run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, incident_id: str, *, idempotency_key: str) -> str:
        """Start a run, or find the one with that key."""
        line = f"{incident_id} {idempotency_key}\n"
        if line not in (self._path.read_text() if self._path.exists() else ""):
            descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            os.write(descriptor, line.encode())
            os.close(descriptor)
        return hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]

    def state(self, run_id: str) -> RunState:
        """All of them wait for a process."""
        return RunState.QUEUED

    def give_up(self, run_id: str, reason: str) -> None:
        """Nothing here falls silent."""

    def resume(self, run_id: str, *, answer: str, approver: str, reason: str) -> bool:
        """Nothing here waits for an answer."""
        return False


def main(folder: Path, port: int, singly: bool) -> None:
    settings, ledger = Settings(), Ledger.in_folder(folder)
    if singly:
        ledger.event_writer = EventWriter(make_engine(f"sqlite:///{folder / 'ledger.db'}"), most_in_one=1)
    dispatcher = Dispatcher(ledger, KeptRuns(folder / "runs"), intake=settings.intake)

    async def dispatch(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.to_thread(dispatcher.tick, datetime.now(UTC))
            try:
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    app = make_app(settings, ledger, SECRET, event_tokens=[TOKEN], background=dispatch)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), singly="singly" in sys.argv[3:])
