"""Events in our own format, for any sender that nothing here knows: a small JSON object, signed with the time in it."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tasks.domain.base import UtcTime
from tasks.domain.incident import (
    ClusterTarget,
    Delivery,
    Resolved,
    RunRef,
    Severity,
    Signal,
    SignalKind,
    SignalSource,
    short_hash,
)
from tasks.errors import BadInputError
from tasks.intake.fields import Fields, clean_text, read_object
from tasks.intake.verify import check_not_future

EVENT_WINDOW_SECONDS = 300
"""How old, or how far ahead, a signature may be."""
MAX_LOG = 500_000
_Name = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$")]
_OWNER_AND_NAME = "^[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"
"""Of the description; `Fields.repository` is what decides."""
_VERSION = "v1"


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EventRun(_Told):
    """The run that failed, where it was one."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    attempt: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    workflow: Annotated[str, Field(min_length=1, max_length=200)]
    url: Annotated[str, Field(max_length=2_000)] = ""


class EventTarget(_Told):
    """What fails in a cluster, where something does; it is looked at there."""

    namespace: _Name = ""
    kind: Annotated[str, Field(pattern=r"^[A-Za-z]{0,63}$")] = ""
    name: _Name = ""
    node: _Name = ""


class EventPayload(_Told):
    """One failure, or the end of one."""

    id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$",
            description="Of this event; the same body sent again counts once, another body is another event",
        ),
    ]
    state: Annotated[
        Literal["failed", "resolved"], Field(description="`resolved` ends what the same fingerprint opened")
    ] = "failed"
    kind: SignalKind = SignalKind.CI_RUN
    occurred_at: UtcTime
    title: Annotated[str, Field(min_length=1, max_length=300)]
    repository: Annotated[str, Field(description="`owner/name`", json_schema_extra={"pattern": _OWNER_AND_NAME})]
    branch: Annotated[str, Field(max_length=255)] = ""
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")] = ""
    run: EventRun | None = None
    severity: Severity = Severity.MEDIUM
    fingerprint: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{0,64}$", description="The same each time the same thing of the repository fails"
        ),
    ] = ""
    group: Annotated[str, Field(max_length=300, description="Failures of one group are one incident")] = ""
    dependency: Annotated[str, Field(max_length=253, description="What the failing thing needs and does not get")] = ""
    cluster: EventTarget | None = None
    log: Annotated[str, Field(max_length=MAX_LOG, description="The log of what failed, or its end")] = ""

    @model_validator(mode="after")
    def _end_says_of_what(self) -> Self:
        if self.state == "resolved" and not self.fingerprint:
            raise ValueError("an end without a fingerprint ends nothing")
        return self


def check_event_signature(
    body: bytes, timestamp: str | None, signature: str | None, secrets: Sequence[str], *, now: datetime
) -> None:
    """Check `v1=HEX`, the HMAC-SHA256 of `v1:TIMESTAMP:BODY`, in constant time, and that it was made just now.

    `secrets` are those in force, two while one is rotated.

    Raises:
        BadInputError: 401; a header is missing or malformed, the time is out of the window, or the secret is another.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise BadInputError("no secret for events is configured, so no event can be trusted", status_code=401)
    if not timestamp or not signature or not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise BadInputError("X-Healflow-Timestamp or X-Healflow-Signature is missing or malformed", status_code=401)
    signed = f"{_VERSION}:{timestamp}:".encode() + body
    given = signature.strip().encode("utf-8", "replace")
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in usable]
    if not any([hmac.compare_digest(given, f"{_VERSION}={one}".encode()) for one in made]):
        raise BadInputError("X-Healflow-Signature does not match the time and the body", status_code=401)
    if abs(now.timestamp() - int(timestamp)) > EVENT_WINDOW_SECONDS:
        raise BadInputError("stale: the event was signed too long ago, or ahead of our clock", status_code=401)


def parse_event(payload: bytes, *, now: datetime, delivery_id: str = "") -> Delivery:
    """Parse one event; `delivery_id` is the one under which it was accepted, empty while it was not.

    It names its delivery by its id and a digest of its body: a sender that tries again sends the same body, and a job
    whose events always have the same id is heard each time.

    Raises:
        BadInputError: 400 when the body cannot be read, 422 when a field is missing or malformed; nothing of the body
            is repeated.
    """
    document = read_object(payload)
    try:
        told = EventPayload.model_validate(document)
    except ValidationError as error:
        # no `from error`: its text repeats the body
        raise BadInputError(f"malformed payload: {_places(error)}", status_code=422) from None
    fields = Fields(document)
    check_not_future(told.occurred_at, now=now)
    delivery_id = delivery_id or f"events:{told.id}:{blake2b(payload, digest_size=8).hexdigest()}"
    if told.state == "resolved":
        end = Resolved(
            source=SignalSource.EVENTS,
            fingerprint=_fingerprint(told),
            title=clean_text(told.title, limit=200),
            resolved_at=told.occurred_at,
        )
        return Delivery(delivery_id=delivery_id, resolved=(end,))
    return Delivery(delivery_id=delivery_id, signals=(_signal(told, fields, delivery_id),))


def _signal(told: EventPayload, fields: Fields, delivery_id: str) -> Signal:
    run = None
    if told.run is not None:
        within = fields.within("run")
        run = RunRef(
            run_id=told.run.id,
            attempt=told.run.attempt,
            workflow=clean_text(told.run.workflow, limit=200) or "workflow",
            url=within.url("url"),
        )
    return Signal(
        source=SignalSource.EVENTS,
        kind=told.kind,
        delivery_id=delivery_id,
        repository=fields.repository("repository"),
        branch=fields.branch("branch") or "" if told.branch else "",
        commit=told.commit,
        run=run,
        title=clean_text(told.title, limit=200),
        cluster=ClusterTarget(**told.cluster.model_dump()) if told.cluster is not None else None,
        fingerprint=_fingerprint(told),
        group=clean_text(told.group, limit=300),
        dependency=clean_text(told.dependency, limit=253),
        severity=told.severity,
        occurred_at=told.occurred_at,
    )


def _fingerprint(told: EventPayload) -> str:
    """What a repository calls its failures is its own: two may use the same words."""
    return told.fingerprint and short_hash(told.repository.lower(), told.fingerprint, length=32)


def _places(error: ValidationError) -> str:
    """The fields by name; a name that the schema does not know came from outside and is not repeated."""
    known = {*EventPayload.model_fields, *EventRun.model_fields, *EventTarget.model_fields}
    names = {".".join(str(part) for part in one["loc"] if part in known) or "the event" for one in error.errors()}
    return ", ".join(sorted(names)) + " missing, malformed or not known"
