"""Which failures a task may try again, and how: those that say of themselves that they pass."""

from typing import Any, TypedDict

from tasks.errors import TransientError


def only_transient(_task: Any, _task_run: Any, state: Any) -> bool:
    """Prefect's `retry_condition_fn`: true for a TransientError and nothing else."""
    return isinstance(state.result(raise_on_failure=False), TransientError)


class Retrying(TypedDict):
    """What `@task` takes about retries."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Any


RETRYING: Retrying = {
    "retries": 3,
    "retry_delay_seconds": [1.0, 5.0, 20.0],
    "retry_condition_fn": only_transient,
}
