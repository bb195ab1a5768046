"""Signs the links of the approval page, and the seal of its forms; pure, so that any process with the key can."""

import base64
import binascii
import hashlib
import hmac

from pydantic import ValidationError

from tasks.domain.approval import ApprovalLink
from tasks.errors import BadInputError

MAX_TOKEN_CHARACTERS = 2_000
_LINK, _FORM = b"healflow approval link v1\0", b"healflow approval form v1\0"


def sign_link(link: ApprovalLink, key: bytes) -> str:
    """The last part of the link's address."""
    body = _encode(link.model_dump_json().encode())
    return f"{body}.{_encode(_mac(key, _LINK + body.encode()))}"


def read_link(token: str, key: bytes) -> ApprovalLink:
    """What a link says.

    Raises:
        BadInputError: it was altered, cut off, or signed with another key.
    """
    altered = BadInputError("the link is not whole, or nobody here signed it; ask for a new one")
    body, _, seal = token.partition(".")
    if not key or len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise altered
    try:
        if not hmac.compare_digest(seal, _encode(_mac(key, _LINK + body.encode()))):
            raise altered
        return ApprovalLink.model_validate_json(_decode(body))
    except (binascii.Error, ValidationError):
        raise altered from None


def form_seal(token: str, cookie: str, key: bytes) -> str:
    """What a form of the page has to bring along: it binds the link to the browser that the page was shown in."""
    return _encode(_mac(key, _FORM + token.encode() + b"\0" + cookie.encode()))


def is_form_seal(seal: str, token: str, cookie: str, key: bytes) -> bool:
    """Whether a form came from the page that was shown; never without the browser's cookie."""
    return bool(cookie) and hmac.compare_digest(seal.encode(), form_seal(token, cookie, key).encode())


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.new(key, told, hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
