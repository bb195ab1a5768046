"""Drafts the run of a formatter: exactly the tool that failed, with the job's own arguments, told to write.

The result counts only if it is format and nothing else.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from tasks.clients.workspace import changed_files
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Case, Unfit, invocations
from tasks.plan.format_only import says_the_same
from tasks.plan.formatters import FORMATTERS, Formatter, matching_call, writing_arguments
from tasks.plan.patches import patch_action
from tasks.plan.tools import find_tool
from tasks.settings import variables_of_this_machine

TIMEOUT_SECONDS = 120.0
_EXPANDED_BY_SHELL = frozenset("$`*?~{")
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "GOPATH", "GOROOT", "CARGO_HOME", "RUSTUP_HOME")


def draft_format(case: Case) -> Action:
    """Run the formatter whose check failed."""
    formatter, arguments = _failed_check(case)
    files = _named_files(case, formatter)
    if any(_EXPANDED_BY_SHELL.intersection(word) for word in arguments):
        arguments = []
    if not arguments and formatter.names_files and not files:
        raise Unfit(f"the files that {formatter.name} complained about are not known")
    words = writing_arguments(formatter, arguments or files)
    if formatter.name == "gofmt":
        words = [*formatter.write_flags, *files]  # `gofmt -w .` would also touch what the check was told to leave out
    before = {name: _source(case, name) for name in _python_files(case)}
    _run(case, formatter, words)
    changed = changed_files(case.checkout)
    _check_format_only(case, formatter, changed, files, before)
    return patch_action(
        case,
        Remedy.RUN_FORMATTER,
        risk=Risk.LOW,
        summary=f"Run {formatter.name} on {', '.join(changed[:3])}{' and more' if len(changed) > 3 else ''}",
        parameters={"tool": formatter.name},
    )


def _failed_check(case: Case) -> tuple[Formatter, list[str]]:
    """The formatter that the evidence speaks of, with the arguments of its check; empty when they are not known."""
    calls: list[tuple[Formatter, list[str]]] = []
    scripts = [job.failed_step.command for job in case.failed_jobs if job.failed_step and job.failed_step.command]
    for words in (words for script in scripts for words in invocations(script)):
        for formatter in FORMATTERS:
            arguments = matching_call(formatter, words)
            if arguments is not None:
                calls.append((formatter, arguments))
    speaking = [one for one in FORMATTERS if any(one.says.search(text.strip()) for text in case.quoted_texts)]
    spoken = [call for call in calls if call[0] in speaking]
    chosen = spoken or calls
    if len(chosen) == 1 or (spoken and all(call[0] is spoken[0][0] for call in spoken)):
        formatter, arguments = chosen[0]
    elif not calls and (known := [one for one in speaking if one.unmistakable]):
        formatter, arguments = known[0], []
    else:
        raise Unfit(
            "the evidence shows no formatter that Healflow knows" if not calls else "several checks may be meant"
        )
    if refused := formatter.refused_flags.intersection(arguments):
        raise Unfit(f"{formatter.name} is called with {', '.join(sorted(refused))}, which does more than format")
    return formatter, arguments


def _named_files(case: Case, formatter: Formatter) -> list[str]:
    """The files that the tool named and that stand in the checkout."""
    names: list[str] = []
    patterns = [formatter.says] + ([formatter.names] if formatter.names else [])
    for text, pattern in ((text.strip(), pattern) for text in case.quoted_texts for pattern in patterns):
        match = pattern.search(text)
        named = match.groupdict().get("file") if match else None
        inside = _relative(case, named) if named else None
        if inside is not None and inside not in names:
            names.append(inside)
    return names


def _relative(case: Case, named: str) -> str | None:
    """A path as the tool printed it, from the root of the checkout; tools may print the job's absolute paths."""
    parts = PurePosixPath(named.removeprefix("./")).parts
    for start in range(len(parts)) if named.startswith("/") else (0,):
        candidate = "/".join(parts[start:]).lstrip("/")
        if not candidate.startswith("-") and case.file_inside(candidate) is not None:
            return candidate
    return None


def _python_files(case: Case) -> list[str]:
    found = (path for pattern in ("*.py", "*.pyi") for path in case.checkout.rglob(pattern))
    return [path.relative_to(case.checkout).as_posix() for path in found if path.is_file()]


def _source(case: Case, name: str) -> str:
    return (case.checkout / name).read_bytes().decode(errors="surrogateescape")


def _run(case: Case, formatter: Formatter, words: list[str]) -> None:
    command = [*_program(case, formatter), *formatter.program[1:], *words]
    # The tool gets no token and no setting of Healflow.
    environment = {"LANG": "C.UTF-8"} | variables_of_this_machine(_INHERITED)
    try:
        done = subprocess.run(
            command,
            cwd=case.checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unfit(f"{formatter.name} did not run: {error}") from error
    # `ruff check --fix` exits with 1 when something is left that it cannot fix; whether that matters shows the re-run.
    if done.returncode not in (0, 1 if "--fix" in words else 0):
        told = done.stderr.decode(errors="replace").strip()[-300:]
        raise Unfit(f"{formatter.name} failed with exit code {done.returncode}: {told}")


def _program(case: Case, formatter: Formatter) -> list[str]:
    name = formatter.program[0]
    found = find_tool(case, name, last=str(Path(sys.executable).parent))
    if found is not None:
        return [found]
    if formatter.module is not None and find_spec(formatter.module) is not None:
        return [sys.executable, "-P", "-m", formatter.module]  # -P: no module of the checkout comes first
    raise Unfit(f"{name} is not installed here")


def _check_format_only(
    case: Case, formatter: Formatter, changed: tuple[str, ...], named: list[str], before: dict[str, str]
) -> None:
    for name in changed:
        if name in before:
            same = (case.checkout / name).is_file() and says_the_same(before[name], _source(case, name))
            if not same:
                raise Unfit(f"{formatter.name} would change what {name} says, not only its format")
        elif name not in named:
            raise Unfit(f"{formatter.name} would change {name}, which it had not complained about")
