import hashlib
import hmac
from datetime import timedelta

import pytest

from tasks.errors import BadInputError
from tasks.intake import check_age, check_signature
from tests.unit.intake.payloads import NOW

BODY = b'{"action": "completed"}'


def sign(secret: str, body: bytes = BODY) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=zz",
        sign("other"),
        sign("now", BODY + b" "),
        sign("now").removeprefix("sha256="),
        sign("now").upper(),
        "sha256=" + sign("now").removeprefix("sha256=").upper(),
        f"{sign('now')},{sign('other')}",
        "sha1=" + hmac.new(b"now", BODY, hashlib.sha1).hexdigest(),
        "sha256=é" + "0" * 63,
        "sha256=" + "\ud800",
    ],
)
def test_wrong_signature_is_refused_with_401(header: str | None) -> None:
    with pytest.raises(BadInputError) as refusal:
        check_signature(BODY, header, ["now"])
    assert refusal.value.status_code == 401


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str]) -> None:
    with pytest.raises(BadInputError) as refusal:
        check_signature(BODY, sign(""), secrets)
    assert refusal.value.status_code == 401


def test_refusal_tells_neither_the_secret_nor_the_signature() -> None:
    with pytest.raises(BadInputError) as refusal:
        check_signature(BODY, sign("other"), ["hush-hush"])
    assert "hush-hush" not in str(refusal.value)
    assert sign("hush-hush") not in str(refusal.value)


def test_both_secrets_are_accepted_while_one_is_rotated() -> None:
    for secret in ("old", "new"):
        assert check_signature(BODY, sign(secret), ["new", "old"]) is None  # type: ignore[func-returns-value]


def test_example_of_github_is_accepted() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert check_signature(b"Hello, World!", header, ["It's a Secret to Everybody"]) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("offset_seconds", [-3601, 301])
def test_event_outside_its_window_is_stale(offset_seconds: int) -> None:
    with pytest.raises(BadInputError, match="stale") as refusal:
        check_age(NOW + timedelta(seconds=offset_seconds), now=NOW, max_age_seconds=3600)
    assert refusal.value.status_code == 422


@pytest.mark.parametrize("offset_seconds", [-3600, 0, 300])
def test_event_inside_its_window_is_fresh(offset_seconds: int) -> None:
    moment = NOW + timedelta(seconds=offset_seconds)
    assert check_age(moment, now=NOW, max_age_seconds=3600) is None  # type: ignore[func-returns-value]
