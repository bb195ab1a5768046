"""The formatters that Healflow knows: how a check of theirs is recognised, and how the same tool is told to write."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Formatter:
    """One tool. `check` and `write` are words of its command line; a check without one of `check_flags` is none."""

    name: str
    program: tuple[str, ...]
    """The words that name the tool and its subcommand."""
    check_flags: frozenset[str]
    write_flags: tuple[str, ...]
    says: re.Pattern[str]
    """What the tool prints when the format is wrong; the group `file` names the file where the line does."""
    names: re.Pattern[str] | None = None
    """A line that names a file without showing which tool printed it."""
    refused_flags: frozenset[str] = frozenset()
    """Flags with which the tool would do more than format."""
    module: str | None = None
    """The Python module that runs the tool, `None` when it is no Python tool."""
    unmistakable: bool = False
    """Whether no other tool prints these words, so that they show which tool ran where the command does not."""
    names_files: bool = True
    """Whether the tool takes files as arguments."""


_RUFF_PLACE = re.compile(r"^--> (?P<file>[^\s:]+\.pyi?):\d+:\d+$")

FORMATTERS: tuple[Formatter, ...] = (
    Formatter(
        name="ruff format",
        program=("ruff", "format"),
        check_flags=frozenset({"--check", "--diff"}),
        write_flags=(),
        # the second form is that of ruff 0.17, with the place in the next line
        says=re.compile(r"^Would reformat: (?P<file>.+)$|^unformatted: File would be reformatted"),
        names=_RUFF_PLACE,
        unmistakable=True,
        module="ruff",
    ),
    Formatter(
        name="black",
        program=("black",),
        check_flags=frozenset({"--check", "--diff"}),
        write_flags=(),
        says=re.compile(r"^would reformat (?P<file>.+)$"),
        unmistakable=True,
        module="black",
    ),
    Formatter(
        name="isort",
        program=("isort",),
        check_flags=frozenset({"--check", "--check-only", "-c", "--diff"}),
        write_flags=(),
        says=re.compile(r"ERROR: (?P<file>.+?) Imports are incorrectly sorted"),
        unmistakable=True,
        module="isort",
    ),
    Formatter(
        name="ruff check --fix",
        program=("ruff", "check"),
        check_flags=frozenset(),
        write_flags=("--fix", "--no-unsafe-fixes"),
        says=re.compile(r"^(?P<file>[^\s:]+\.pyi?):\d+:\d+: [A-Z]+\d+ |^[A-Z]{1,4}\d{3,4} (\[\*\] )?\S"),
        names=_RUFF_PLACE,
        refused_flags=frozenset({"--unsafe-fixes", "--add-noqa", "--fix-only"}),
        module="ruff",
    ),
    Formatter(
        name="gofmt",
        program=("gofmt",),
        check_flags=frozenset({"-l", "-d"}),
        write_flags=("-w",),
        says=re.compile(r"^(?P<file>[^\s:]+\.go)$"),
        refused_flags=frozenset({"-r"}),
    ),
    Formatter(
        name="prettier",
        program=("prettier",),
        check_flags=frozenset({"--check", "-c", "--list-different", "-l"}),
        write_flags=("--write",),
        says=re.compile(r"^\[warn\] (?P<file>\S+\.\w+)$|Code style issues (found|fixed)"),
        unmistakable=True,
    ),
    Formatter(
        name="cargo fmt",
        program=("cargo", "fmt"),
        check_flags=frozenset({"--check"}),
        write_flags=(),
        says=re.compile(r"^Diff in (?P<file>\S+\.rs)(:| at line )"),
        names_files=False,
    ),
    Formatter(
        name="rustfmt",
        program=("rustfmt",),
        check_flags=frozenset({"--check"}),
        write_flags=(),
        says=re.compile(r"^Diff in (?P<file>\S+\.rs)(:| at line )"),
    ),
    Formatter(
        name="terraform fmt",
        program=("terraform", "fmt"),
        check_flags=frozenset({"-check", "-diff", "-check=true"}),
        write_flags=(),
        says=re.compile(r"^(?P<file>[^\s:]+\.(tf|tfvars|tftest\.hcl))$"),
    ),
)


def matching_call(formatter: Formatter, words: list[str]) -> list[str] | None:
    """The arguments of a call that checks with this formatter, `None` when the call is another."""
    length = len(formatter.program)
    if tuple(words[:length]) != formatter.program:
        return None
    arguments = words[length:]
    checks = not formatter.check_flags or bool(formatter.check_flags.intersection(arguments))
    return arguments if checks else None


def writing_arguments(formatter: Formatter, arguments: Iterable[str]) -> list[str]:
    """The same arguments without the check, so that the user's own configuration counts and no other."""
    kept = [word for word in arguments if word not in formatter.check_flags and word != "--fix"]
    return [*formatter.write_flags, *kept]
