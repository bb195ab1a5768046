"""The heal flow's runs, as a Prefect server that behaves keeps them."""

from deployments.dispatcher import RunState
from tasks.errors import TransientError


class Server:
    """Behaves as the Prefect server does towards the dispatcher."""

    def __init__(self) -> None:
        self.away = False
        self.runs: dict[str, str] = {}
        self.states: dict[str, RunState] = {}
        self.forms: list[dict[str, str]] = []

    def create(self, incident_id: str, *, idempotency_key: str) -> str:
        self._answer()
        run_id = self.runs.setdefault(idempotency_key, f"run-{len(self.runs) + 1}")
        self.states.setdefault(run_id, RunState.ALIVE)
        return run_id

    def state(self, run_id: str) -> RunState:
        self._answer()
        return self.states[run_id]

    def give_up(self, run_id: str, reason: str) -> None:
        self._answer()
        self.states[run_id] = RunState.LOST

    def resume(self, run_id: str, *, answer: str, approver: str, reason: str) -> bool:
        self._answer()
        if self.states[run_id] is not RunState.WAITING:
            return False
        self.forms.append({"run": run_id, "answer": answer})
        self.states[run_id] = RunState.ALIVE
        return True

    def _answer(self) -> None:
        if self.away:
            raise TransientError("the Prefect server does not answer")
