"""The ways in which work can fail: try again, stop and tell a person, or leave it to another run."""

from collections.abc import Mapping


class HealflowError(Exception):
    """Base of every error that Healflow raises on purpose; its message is written for the operator."""


class TransientError(HealflowError):
    """The same call may work later. Prefect retries tasks that raise it, and nothing else.

    `retry_after_seconds` is what the other side asked for (a Retry-After header), or `None` when it said nothing.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SupersededError(HealflowError):
    """Another run has taken this heal over: this one does nothing more, and says nothing of the incident's end."""


class OvertakenError(HealflowError):
    """Something came in while a step was prepared: nothing was done, and it is to be prepared again."""


class PermanentError(HealflowError):
    """Trying again would fail in the same way: a person has to change something."""


class BadInputError(PermanentError):
    """Outside input was refused. `status_code` is the HTTP status that a door answers with."""

    def __init__(self, message: str, *, status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code


class NotFoundError(PermanentError):
    """A named thing (an incident, a run, a branch) does not exist."""


class ForbiddenError(PermanentError):
    """The account that Healflow uses there may not do that."""


class ConflictError(PermanentError):
    """The thing to change is not in the state that was seen when the change was decided."""


class FieldConflictError(ConflictError):
    """Fields that an apply sets belong to other managers. `fields` are their paths, by the manager that has them."""

    def __init__(self, message: str, *, fields: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(message)
        self.fields = fields
