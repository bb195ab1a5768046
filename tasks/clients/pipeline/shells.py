"""How GitHub starts the script of a `run:` step, by the `shell` it names."""

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
_BUILT_IN = {
    "bash": ("bash --noprofile --norc -eo pipefail {0}", ".sh"),
    "sh": ("sh -e {0}", ".sh"),
    "python": ("python {0}", ".py"),
    "pwsh": ("pwsh -command \". '{0}'\"", ".ps1"),
}
_ONLY_WINDOWS = ("cmd", "powershell")


class ShellError(ValueError):
    """The named shell cannot run a script here."""


@dataclass(frozen=True)
class Shell:
    """A shell as an argument list in which `{0}` stands for the script's file."""

    words: tuple[str, ...]
    suffix: str

    @property
    def shown(self) -> str:
        """As the log shows it."""
        return " ".join(self.words)

    def command(self, script: Path) -> Sequence[str]:
        """The argument list for one script."""
        return [word.replace("{0}", str(script)) for word in self.words]


def find_shell(name: str | None, search_path: str) -> Shell:
    """The shell of a step; none is `bash -e`, or `sh -e` where there is no bash.

    Raises:
        ShellError: it is one of Windows, or no template with `{0}`.
    """
    if not name:
        template, suffix = ("bash -e {0}" if shutil.which("bash", path=search_path) else "sh -e {0}"), ".sh"
    elif name.lower() in _ONLY_WINDOWS:
        raise ShellError(f"The shell '{name}' only exists on Windows; this step cannot run here.")
    else:
        template, suffix = _BUILT_IN.get(name.lower(), (name, ""))
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise ShellError(f"Invalid shell option '{name}': {error}.") from error
    if not words or "{0}" not in template:
        raise ShellError(
            "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) "
            f"or a format string containing '{{0}}'. Found '{name}'."
        )
    found = shutil.which(words[0], path=search_path)
    return Shell((found or words[0], *words[1:]), suffix)
