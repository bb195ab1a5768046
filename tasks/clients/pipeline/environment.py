"""The environment of a step: what the workflow declares, GitHub's own variables, and a short list from this machine.

Nothing else of Healflow's environment reaches a step: no token, no setting of Healflow. Also reads the files through
which a step sets variables, outputs and search paths for the steps after it.
"""

import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

# Where programs and their own files are, the language and the time zone.
INHERITED = frozenset(
    "PATH HOME USER LOGNAME LANG LANGUAGE LC_ALL LC_CTYPE TZ TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME "  # noqa: SIM905
    "JAVA_HOME GOPATH GOROOT GOCACHE GOMODCACHE CARGO_HOME RUSTUP_HOME NVM_DIR PYENV_ROOT SSL_CERT_FILE SSL_CERT_DIR "
    "REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy".split()
)
_OWN_PREFIX = "HEALFLOW_"
_RESERVED_PREFIXES = ("GITHUB_", "RUNNER_")
MAX_FILE_BYTES = 1_048_576  # GitHub's limit for a step summary


class EnvironmentFileError(ValueError):
    """A step wrote something into `$GITHUB_ENV`, `$GITHUB_OUTPUT` or `$GITHUB_PATH` that cannot be read."""


def inherited_environment(extra: Iterable[str] = (), source: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that every step gets from this machine: a fixed list and `extra`, never Healflow's own.

    A proxy address with a password in it is left out.
    """
    # Handed on to a child as it is, not read as configuration: that is the settings' business alone.
    found = os.environ if source is None else source
    names = INHERITED.union(extra)
    kept = {
        name: value
        for name, value in found.items()
        if name in names
        and not name.upper().startswith(_OWN_PREFIX)
        and not (name.lower().endswith("_proxy") and "@" in value)
    }
    if not kept.keys() & {"LANG", "LC_ALL", "LC_CTYPE"}:
        kept["LANG"] = "C.UTF-8"  # as on GitHub's runners
    return kept


def command_environment(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of `healflow run`: the caller's own, because it is their command, without Healflow's
    variables."""
    found = os.environ if source is None else source
    return {name: value for name, value in found.items() if not name.startswith(_OWN_PREFIX)}


def runner_facts(temporary: Path) -> dict[str, str]:
    """The `runner` context; its keys in capitals with `RUNNER_` before them are variables too."""
    system = {"linux": "Linux", "darwin": "macOS"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    arch = {"x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}.get(machine, machine.upper())
    return {
        "name": "healflow",
        "os": system,
        "arch": arch,
        "temp": str(temporary),
        "tool_cache": str(temporary / "tools"),
        "environment": "self-hosted",
    }


class StepFiles:
    """The files of one step that GitHub names in `GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_PATH`, `GITHUB_STATE` and
    `GITHUB_STEP_SUMMARY`."""

    def __init__(self, folder: Path, number: int) -> None:
        self._files = {
            name: folder / f"step-{number}-{name.lower()}"
            for name in ("ENV", "OUTPUT", "PATH", "STATE", "STEP_SUMMARY")
        }
        for path in self._files.values():
            path.touch()

    def variables(self) -> dict[str, str]:
        """The variables that name the files."""
        return {f"GITHUB_{name}": str(path) for name, path in self._files.items()}

    def env(self) -> dict[str, str]:
        """What the step set for the steps after it; GitHub's own variables cannot be set.

        Raises:
            EnvironmentFileError: a line is neither `NAME=value` nor the begin of a block.
        """
        settings = parse_settings(self._read("ENV"), "GITHUB_ENV")
        for name in settings:
            if name.upper() == "NODE_OPTIONS":
                raise EnvironmentFileError("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.")
        return {name: value for name, value in settings.items() if not name.upper().startswith(_RESERVED_PREFIXES)}

    def outputs(self) -> dict[str, str]:
        """The outputs of the step.

        Raises:
            EnvironmentFileError: a line is neither `NAME=value` nor the begin of a block.
        """
        return parse_settings(self._read("OUTPUT"), "GITHUB_OUTPUT")

    def paths(self) -> list[str]:
        """The folders to search first from the next step on, the last written one first.

        Raises:
            EnvironmentFileError: the file is too large.
        """
        return [line for line in reversed(self._read("PATH").splitlines()) if line.strip()]

    def summary(self) -> str:
        """The Markdown that the step wrote; cut at 1 MiB."""
        try:
            with self._files["STEP_SUMMARY"].open("rb") as stream:
                return stream.read(MAX_FILE_BYTES).decode(errors="replace")
        except OSError:
            return ""  # the step removed it

    def _read(self, name: str) -> str:
        try:
            with self._files[name].open("rb") as stream:
                raw = stream.read(MAX_FILE_BYTES + 1)
        except OSError:
            return ""  # the step removed it
        if len(raw) > MAX_FILE_BYTES:
            raise EnvironmentFileError(f"$GITHUB_{name} is larger than {MAX_FILE_BYTES} bytes.")
        return raw.decode("utf-8-sig", errors="replace").replace("\0", "�")


_BLOCK = re.compile(r"([^=]*?)<<(.+)")


def parse_settings(text: str, file: str) -> dict[str, str]:
    """The names and values of a `$GITHUB_ENV` or `$GITHUB_OUTPUT` file; `NAME<<MARK` begins a value of several lines.

    Raises:
        EnvironmentFileError: a line is neither, or a block has no end.
    """
    settings: dict[str, str] = {}
    lines = iter(re.split(r"\r?\n", text))
    for line in lines:
        if not line:
            continue
        block = _BLOCK.fullmatch(line)
        if block is not None and block[1]:
            settings[block[1]] = _block(lines, block[2], file)
            continue
        name, equals, value = line.partition("=")
        if not equals or not name:
            raise EnvironmentFileError(f"Unable to process file command '{file}': Invalid format '{line[:200]}'")
        settings[name] = value
    return settings


def _block(lines: Iterable[str], mark: str, file: str) -> str:
    content: list[str] = []
    for line in lines:
        if line == mark:
            return "\n".join(content)
        content.append(line)
    raise EnvironmentFileError(f"Unable to process file command '{file}': Matching delimiter not found '{mark[:100]}'")
