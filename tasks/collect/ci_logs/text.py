"""Bytes of a log as blocks of whole lines, without what CI systems and terminals add to them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16_384
"""A longer line is read up to here; the rest of it is passed over."""

REWRITTEN = b"\x01\n"
"""Ends a piece of a line that a carriage return rewrote, as progress bars do; it ends no line of the raw log."""

_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_TIMESTAMP = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?\[?" + _TIME + rb"\]? ?(?:\d\d[OE][+ ]?)?")
"""GitHub, Azure, Jenkins' timestamper (in brackets) and GitLab (followed by the stream, `00O `)."""
_CLI_COLUMNS = re.compile(
    rb"(?m)^(?:\xef\xbb\xbf)?[^\t\n]{1,200}\t[^\t\n]{1,200}\t(?:\xef\xbb\xbf)?(?=" + _TIME + rb")"
)
"""Job and step, which `gh run view --log` puts before each line."""
_ANSI = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def read_blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Whole lines, about a block at a time; a line without an end is cut at the block's size."""
    rest = b""
    while True:
        block = stream.read(BLOCK_BYTES)
        if not block:
            break
        block = rest + block
        cut = block.rfind(b"\n") + 1
        if cut == 0 and len(block) < 2 * BLOCK_BYTES:
            rest = block
            continue
        if cut == 0:
            rest = b"" if len(block) > MAX_LINE_BYTES else block
            yield block[:MAX_LINE_BYTES]
            continue
        rest = block[cut:]
        yield block[:cut]
    if rest:
        yield rest


def strip_block(raw: bytes) -> bytes:
    """The block as the tools printed it: no colours, timestamps or byte order mark."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", REWRITTEN)
    if b"\x1b" in raw:
        raw = _ANSI.sub(b"", raw)
    if _CLI_COLUMNS.match(raw):
        raw = _CLI_COLUMNS.sub(b"", raw)
    if _TIMESTAMP.match(raw) or _TIMESTAMP.search(raw, 0, 65_536):
        raw = _TIMESTAMP.sub(b"", raw)
    return raw.removeprefix(b"\xef\xbb\xbf")


def count_lines(block: bytes, start: int = 0, end: int | None = None) -> int:
    """How many lines of the raw log end in this part of a stripped block."""
    end = len(block) if end is None else end
    return block.count(b"\n", start, end) - block.count(REWRITTEN, start, end)


def decode_line(line: bytes) -> str:
    """The line as text; bytes that are no UTF-8 are replaced."""
    text = line[:MAX_LINE_BYTES].decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd").rstrip("\r\n\x01")


def split_lines(part: bytes, count: int) -> list[str]:
    """The first `count` lines of a part, or the last ones when it is negative, without rewritten pieces."""
    lines = part.rstrip(b"\n").split(b"\n") if part.strip() else []
    whole = [line for line in lines if not line.endswith(b"\x01")]
    return [decode_line(line) for line in (whole[count:] if count < 0 else whole[:count])]
