"""Whether an event is authentic and fresh: the two questions that a door asks before it believes a payload."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.errors import BadInputError

SIGNATURE_HEADER = "X-Hub-Signature-256"
"""https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
MAX_FUTURE_SKEW_SECONDS = 300
"""How far the sender's clock may run ahead of ours."""

_PREFIX = "sha256="


def check_signature(body: bytes, header: str | None, secrets: Sequence[str]) -> None:
    """Check the HMAC-SHA256 of the raw body, `sha256=HEX`, in constant time.

    `secrets` are those in force, more than one while a secret is being rotated; with none, nothing is accepted.

    Raises:
        BadInputError: 401; the header is missing or malformed, or no secret made it.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise BadInputError("no webhook secret is configured, so no event can be trusted", status_code=401)
    if not header:
        raise BadInputError(f"the event is not signed: {SIGNATURE_HEADER} is missing", status_code=401)
    given = header.strip().encode("utf-8", "replace")
    matches = [hmac.compare_digest(given, _signature(body, secret)) for secret in usable]
    if not any(matches):
        raise BadInputError(f"{SIGNATURE_HEADER} does not match the body: check the webhook secret", status_code=401)


def check_bearer(header: str | None, tokens: Sequence[str]) -> None:
    """Check `Authorization: Bearer TOKEN` in constant time; `tokens` are those in force, two while one is rotated.

    Raises:
        BadInputError: 401; the header is missing or malformed, or holds none of them.
    """
    usable = [token for token in tokens if token]
    if not usable:
        raise BadInputError("no event token is configured, so no event can be trusted", status_code=401)
    kind, _, given = (header or "").strip().partition(" ")
    matches = [hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode()) for token in usable]
    if kind.lower() != "bearer" or not any(matches):
        raise BadInputError("the event has no valid bearer token in its Authorization header", status_code=401)


def _signature(body: bytes, secret: str) -> bytes:
    return (_PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()).encode()


def check_age(occurred_at: datetime, *, now: datetime, max_age_seconds: float) -> None:
    """Check that an event is neither older than `max_age_seconds` nor more than five minutes ahead of `now`.

    Raises:
        BadInputError: 422; a captured event may be a replay, and one from the future has no meaning.
    """
    check_not_future(occurred_at, now=now)
    age = now - occurred_at
    if age > timedelta(seconds=max_age_seconds):
        raise BadInputError(
            f"stale: the event happened {int(age.total_seconds())} s ago, more than {int(max_age_seconds)} s",
            status_code=422,
        )


def check_not_future(occurred_at: datetime, *, now: datetime) -> None:
    """Check that an event does not lie ahead of `now` by more than a clock may be wrong.

    Raises:
        BadInputError: 422.
    """
    ahead = occurred_at - now
    if ahead > timedelta(seconds=MAX_FUTURE_SKEW_SECONDS):
        raise BadInputError(
            f"stale: the event lies {int(ahead.total_seconds())} s in the future; check the sender's clock",
            status_code=422,
        )
