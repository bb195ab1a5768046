"""Which failures a task may try again: those that say of themselves that they pass."""

from typing import Any

from tasks.errors import TransientError

RETRIES = 3
RETRY_DELAYS_SECONDS = [1.0, 5.0, 20.0]


def only_transient(_task: Any, _task_run: Any, state: Any) -> bool:
    """Prefect's `retry_condition_fn`: true for a TransientError and nothing else."""
    return isinstance(state.result(raise_on_failure=False), TransientError)
