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


class KeyText(TypeDecorator[str]):
    """What something is found by, of any length."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Shorten what is longer than the column."""
        del dialect
        return None if value is None else fitting_key(value, self.length)


class LineText(TypeDecorator[str]):
    """What only people read; it is cut at the column's end."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Cut what is longer than the column."""
        del dialect
        return None if value is None else storable(value)[: self.length]


class FreeText(TypeDecorator[str]):
    """Sentences of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        del dialect
        return None if value is None else storable(value)
