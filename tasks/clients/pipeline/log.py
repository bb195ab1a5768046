"""Writes a job's log in GitHub's raw format: byte order mark, a time before each line, `##[group]` and `##[error]`
marks, masked secrets.

What a step prints is data: it is split into lines, made safe as UTF-8, bounded, masked and written. Workflow commands
in it (`::error::…`) are carried out as
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands says.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import BinaryIO, Self

MAX_LINE_BYTES = 65_536
_KEPT_LINES = 500  # lines of a step whose log is full that are still shown, from its end
_BOM = b"\xef\xbb\xbf"

Clock = Callable[[], datetime]


class JobLog:
    """One job's log file, written line by line and flushed, so that it can be read while the job runs."""

    def __init__(
        self, stream: BinaryIO, clock: Clock, on_line: Callable[[str], None] | None = None, *, max_bytes: int = 2**31
    ) -> None:
        self._stream, self._clock, self._on_line = stream, clock, on_line
        self._masks: list[str] = []
        self._room = max_bytes
        stream.write(_BOM)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def listen(self, on_line: Callable[[str], None] | None) -> None:
        """Hand every further line to `on_line` too."""
        self._on_line = on_line

    @property
    def is_full(self) -> bool:
        """Whether the room for what steps print is used up; Healflow's own lines are still written."""
        return self._room <= 0

    @property
    def longest_mask(self) -> int:
        """In characters."""
        return len(self._masks[0]) if self._masks else 0

    def mask(self, value: str) -> None:
        """Show `***` for this value from now on; of several lines each is masked."""
        for part in value.splitlines() or [value]:
            if part.strip() and part not in self._masks:
                self._masks.append(part)
        self._masks.sort(key=len, reverse=True)

    def masked(self, text: str) -> str:
        """The text as the log would show it."""
        for value in self._masks:
            if value in text:
                text = text.replace(value, "***")
        return text

    def write(self, text: str) -> None:
        """Write a text, each of its lines as one."""
        self.write_lines(text.splitlines() or [""])

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines under one time and flush them."""
        moment = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z "  # seven digits, as .NET writes them
        for line in lines:
            shown = self.masked(line)
            encoded = f"{moment}{shown}\n".encode(errors="replace")
            self._room -= len(encoded)
            self._stream.write(encoded)
            if self._on_line is not None:
                self._on_line(shown)
        self._stream.flush()

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Write a group that GitHub's page folds."""
        self.write_lines([f"##[group]{' '.join(title.split())}", *lines, "##[endgroup]"])

    def error(self, message: str) -> None:
        """Write what made the job fail."""
        self.write(f"##[error]{message}")

    def warning(self, message: str) -> None:
        """Write what a person should know although nothing failed."""
        self.write(f"##[warning]{message}")


_BREAK = re.compile(rb"\r\n|\n|\r(?!\n)")
_COMMAND = re.compile(r"\s*::([^\s:]+)(?:\s+(.*?))?::(.*)", re.DOTALL)
_UNESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
_ESCAPE = re.compile("%(?:25|0D|0A|3A|2C)", re.IGNORECASE)
_NUL = "\0"


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _UNESCAPED[match[0].upper()], text)


class StepOutput:
    """Takes what a step prints, in chunks, and writes it to the log; `outputs` holds what `::set-output` gave.

    With `commands=False` every line is only text.
    """

    def __init__(self, log: JobLog, *, commands: bool = True) -> None:
        self.outputs: dict[str, str] = {}
        self._commands = commands
        self._log = log
        self._rest = b""
        self._dropped_bytes = 0
        self._stop_token: str | None = None
        self._left_out = 0
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; whole lines are written at once, the memory held is bounded."""
        data = self._rest + chunk
        held = b""
        if data.endswith(b"\r"):  # a line feed may follow in the next chunk
            data, held = data[:-1], b"\r"
        *lines, rest = _BREAK.split(data)
        shown = [text for line in lines for text in self._shown(self._whole(line))]
        if len(rest) > MAX_LINE_BYTES:
            self._dropped_bytes += len(rest) - MAX_LINE_BYTES
            rest = rest[:MAX_LINE_BYTES]
        self._rest = rest + held
        self._write(shown)

    def finish(self) -> None:
        """Write what is left without a line end, and the end of a step whose log was full."""
        if self._rest or self._dropped_bytes:
            self._write(self._shown(self._whole(self._rest.removesuffix(b"\r"))))
        self._rest = b""
        if self._left_out:
            note = f"##[warning]The log is full: {self._left_out} lines are left out before the last {len(self._last)}."
            self._log.write_lines([note, *self._last])

    def _write(self, lines: list[str]) -> None:
        if not lines:
            return
        if not self._log.is_full:
            self._log.write_lines(lines)
            return
        self._left_out += max(0, len(lines) - (_KEPT_LINES - len(self._last)))
        self._last.extend(self._log.masked(line) for line in lines)

    def _whole(self, line: bytes) -> str:
        dropped, self._dropped_bytes = self._dropped_bytes, 0
        if len(line) > MAX_LINE_BYTES:
            dropped += len(line) - MAX_LINE_BYTES
            line = line[:MAX_LINE_BYTES]
        text = line.decode(errors="replace").replace(_NUL, "�")
        if not dropped:
            return text
        text = self._log.masked(text)
        # the cut may have gone through a secret: its first half would no longer be recognised
        return f"{text[: len(text) - self._log.longest_mask]} … [{dropped} bytes more in this line]"

    def _shown(self, line: str) -> list[str]:
        """The lines of the log for one line of output."""
        match = _COMMAND.fullmatch(line) if self._commands and "::" in line else None
        if match is None:
            return [line]
        name, properties, message = match[1].lower(), match[2] or "", match[3]
        if self._stop_token is not None:
            if match[1] != self._stop_token:
                return [line]
            self._stop_token = None
            return []
        return self._carry_out(name, properties, message, line)

    def _carry_out(self, name: str, properties: str, message: str, line: str) -> list[str]:
        if name in ("error", "warning", "notice", "group"):
            return f"##[{name}]{_unescape(message)}".splitlines()
        if name == "add-mask":
            self._log.mask(_unescape(message))
            return ["::add-mask::***"]
        if name == "stop-commands":
            self._stop_token = message
        if name == "set-output":
            return self._set_output(properties, message, line)
        if name in ("set-env", "add-path"):
            return [
                line,
                f"##[error]The `{name}` command is disabled, as on GitHub. Write to $GITHUB_{name[4:].upper()}.",
            ]
        return {"debug": [], "echo": [], "save-state": [], "endgroup": ["##[endgroup]"]}.get(name, [line])

    def _set_output(self, properties: str, message: str, line: str) -> list[str]:
        name = next((_unescape(item[5:]) for item in properties.split(",") if item.startswith("name=")), "")
        if not name:
            return [line, "##[error]Required field 'name' is missing in ##[set-output] command."]
        self.outputs[name] = _unescape(message)
        return ["##[warning]The `set-output` command is deprecated. Please write to $GITHUB_OUTPUT instead."]
