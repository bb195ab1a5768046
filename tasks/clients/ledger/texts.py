"""Text from outside as the tables hold it: nothing that a database cannot store, and no longer than its column.

SQLite takes everything; PostgreSQL refuses a NUL in a text, and more characters than a column was made for. Text is
made to fit here for both, when it is stored and when it is looked for, so that one ledger finds what the other does.
"""

from hashlib import blake2b

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

TIME = String(40).with_variant(String(40, collation="C"), "postgresql")
"""A time that sorts by its bytes, whatever order the database has for words: there `.` may come before `+`."""
_DIGEST = 32
"""Hexadecimal digits; two keys that begin alike are still told apart."""


def storable(text: str) -> str:
    """The text with a mark where it holds a NUL, or half of a character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def fitting_key(text: str, length: int) -> str:
    """The text itself where it fits, else its beginning and a digest of all of it."""
    known = storable(text)
    if len(known) <= length:
        return known
    digest = blake2b(known.encode(), digest_size=_DIGEST // 2).hexdigest()
    return f"{known[: length - _DIGEST - 1]}~{digest}"


class LineText(TypeDecorator[str]):
    """What only people read, of at most `length` characters; it is cut at the column's end."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make what is longer fit."""
        del dialect
        return None if value is None else self.fit(value)

    def fit(self, text: str) -> str:
        """The text as the column holds it."""
        return storable(text)[: self.length]


class KeyText(LineText):
    """What something is found by: longer ones are told apart all the same."""

    cache_ok = True

    def fit(self, text: str) -> str:
        """The text, or its beginning and a digest of all of it."""
        return fitting_key(text, self.length)


class FreeText(TypeDecorator[str]):
    """Sentences of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        del dialect
        return None if value is None else storable(value)
