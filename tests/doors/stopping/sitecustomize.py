"""Ends or stops a process of Healflow at an exact step, from outside the product: Python reads this file by its name at
the start of every process whose PYTHONPATH holds this folder.

It listens to what the process writes into the ledger and knows a step by the row, before its commit and after. The
folder STOP_AT holds one file for each trap, `INCIDENT--ROLE--MOMENT--STEP`, whose text is the number of a signal that
the process sends itself there; `any` stands for every incident. A trap springs once. What each transaction wrote is a
line of `steps.log` there.
"""

import os
import re
import sys
import threading
from typing import Any

FOLDER = os.environ.get("STOP_AT", "")
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_INCIDENT = re.compile(r"inc-[0-9a-f]{12}")


class Steps(threading.local):
    """What one thread of a process writes, one transaction after another."""

    def __init__(self, role: str) -> None:
        self.role, self.incident, self.written = role, "any", list[str]()

    def listen(self) -> None:
        """Hear every statement and every commit; called once SQLAlchemy is there."""
        from sqlalchemy import Engine, event
        from sqlalchemy.engine.default import DefaultDialect

        event.listen(Engine, "before_cursor_execute", self.on_statement)
        commit, roll_back = DefaultDialect.do_commit, DefaultDialect.do_rollback

        def do_commit(dialect: Any, connection: Any) -> None:
            written, self.written = self.written, []
            self.note(written)
            for name in written:
                self.pass_by("before", name)
            commit(dialect, connection)
            for name in written:
                self.pass_by("after", name)

        def do_rollback(dialect: Any, connection: Any) -> None:
            self.written = []
            roll_back(dialect, connection)

        DefaultDialect.do_commit, DefaultDialect.do_rollback = do_commit, do_rollback  # type: ignore[method-assign]

    def on_statement(self, _c: Any, _k: Any, statement: str, values: Any, context: Any, _many: bool) -> None:
        """Remember what is written, and whom it is about."""
        found = _INCIDENT.search(str(values))
        if found and found[0] != self.incident:
            self.incident = found[0]
            self.pass_by("first", "seen")
        if match := _WRITES.match(statement):
            self.written.append(_name(match[1], (context.compiled_parameters or [{}])[0]))

    def note(self, written: list[str]) -> None:
        """Write down what one transaction wrote."""
        if written:
            with open(os.path.join(FOLDER, "steps.log"), "a") as log:  # noqa: PTH118, PTH123
                log.write(f"{self.role} {os.getpid()} {self.incident} {' '.join(written)}\n")

    def pass_by(self, moment: str, step: str) -> None:
        """Spring the trap of a step."""
        for whose in (self.incident, "any"):
            trap = os.path.join(FOLDER, f"{whose}--{self.role}--{moment}--{step}")  # noqa: PTH118
            try:
                with open(trap) as file:  # noqa: PTH123
                    number = int(file.read())
                os.rename(trap, f"{trap}--{os.getpid()}")  # noqa: PTH104
            except OSError:
                continue
            os.kill(os.getpid(), number)


def _name(table: str, values: dict[str, Any]) -> str:
    """The row's table, with what tells its steps apart, and the action that it is about."""
    kind = values.get("kind") or values.get("status") or next((one for one in _TELLING if one in values), "")
    action = _ACTION.search(f"{values.get('document')} {values.get('key')} {values.get('key_1')}")
    about = action[1] if action and table in ("journal", "actions") and kind in _OF_ACTIONS else ""
    return ".".join(part for part in (table, kind, about) if part)


_TELLING = ("kept", "flow_run_id", "used_at", "answer", "request", "resumed", "result", "pre_image")
_OF_ACTIONS = ("intent", "action_result", "result", "pre_image")
_ACTION = re.compile(r"\b(run_formatter|merge_fix)\b")


def _install() -> None:
    role = "flow" if "PREFECT__FLOW_RUN_ID" in os.environ else ""
    if "deployments.serve_gateway" in sys.orig_argv:
        role = "gateway"
    if not role:
        return
    steps, listening = Steps(role), False

    def hook(event: str, _arguments: tuple[Any, ...]) -> None:
        nonlocal listening
        if event == "sqlite3.connect" and not listening:
            listening = True
            steps.listen()

    sys.addaudithook(hook)


if FOLDER:
    _install()
