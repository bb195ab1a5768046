"""GitHub's refusals in the operator's words: what failed, with which answer, and what to do."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from tasks.errors import ConflictError, HealflowError, NotFoundError, PermanentError, TransientError

SECONDARY_LIMIT_SECONDS = 60.0
"""https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: wait at least one minute."""
_MESSAGE_CHARACTERS = 300
_Value = TypeVar("_Value")


class UnknownOutcomeError(TransientError):
    """A write whose answer was lost: it may have taken effect, and has to be looked for before it is tried again."""


def translate(
    status: int, data: Any, headers: Mapping[str, Any], *, what: str, needs: str = "", writes: bool = False
) -> HealflowError:
    """The error for one refusal. `what` finishes the sentence "GitHub did not …"; `needs` names the permission."""
    told = _message(data)
    if wait := _asked_to_wait(status, told, headers):
        return TransientError(
            f"GitHub asks to wait {wait:.0f} s before it will {what} (rate limit)", retry_after_seconds=wait
        )
    if status >= 500:
        kind = UnknownOutcomeError if writes else TransientError
        return kind(f"GitHub could not {what}: it answered {status}", retry_after_seconds=_retry_after(headers))
    return _refused(status, f"{status}{': ' + told if told else ''}", what, needs)


def _refused(status: int, answer: str, what: str, needs: str) -> PermanentError:
    if status in (404, 410):
        return NotFoundError(
            f"GitHub cannot {what} ({answer}): it does not exist any more, or the token or App may not see it"
        )
    if status == 401:
        return PermanentError(
            f"GitHub refuses our credentials ({answer}): renew HEALFLOW_GITHUB__TOKEN, or the App's private key"
        )
    if status == 403:
        grant = f"grant the token or App '{needs}'" if needs else "the token or App lacks a permission"
        return PermanentError(f"GitHub refuses to {what} ({answer}): {grant}, unless the message names another reason")
    if status == 409:
        return ConflictError(f"GitHub cannot {what} ({answer}): merge the branches by hand, or plan anew")
    return PermanentError(f"GitHub refuses to {what} ({answer})")


def _message(data: Any) -> str:
    if not isinstance(data, Mapping):
        return ""
    parts = [str(data.get("message") or "")]
    for error in data.get("errors") or ():
        told = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
        parts.append(str(told or ""))
    text = "; ".join(part for part in parts if part)
    return "".join(character if character.isprintable() else " " for character in text)[:_MESSAGE_CHARACTERS]


def _asked_to_wait(status: int, told: str, headers: Mapping[str, Any]) -> float | None:
    """Seconds, where the refusal is a rate limit; `None` where it is none."""
    if status not in (403, 429):
        return None
    if (asked := _retry_after(headers)) is not None:
        return max(asked, 1.0)
    reset = str(headers.get("x-ratelimit-reset") or "")
    if str(headers.get("x-ratelimit-remaining") or "") == "0" and reset.isdigit():
        return max(float(reset) - time.time(), 0.0) + 1.0
    limited = status == 429 or "rate limit" in told.lower()
    return SECONDARY_LIMIT_SECONDS if limited else None


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    asked = str(headers.get("retry-after") or "").strip()
    return float(asked) if asked.isdigit() else None


def write_or_find(write: Callable[[], _Value], find: Callable[[], _Value | None]) -> _Value:
    """Write once; where the answer was lost, look whether the write took effect before calling it a failure.

    Raises:
        UnknownOutcomeError: the answer was lost and nothing of the write is to be seen.
    """
    try:
        return write()
    except UnknownOutcomeError:
        found = find()
        if found is None:
            raise
        return found


@contextmanager
def known_form(what: str) -> Iterator[None]:
    """Turn an answer that has not the documented form into an error.

    Raises:
        PermanentError: a field was missing or of another type.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise PermanentError(f"GitHub's answer has not the known form, so it cannot {what} ({reason[:200]})") from error
