"""Bumps a Go module: with `go get` where go is at hand, else the line of `go.mod` alone."""

import re
from collections.abc import Sequence
from pathlib import Path

from tasks.domain.vulnerability import Ecosystem
from tasks.plan.bump_target import Bumped, Target, check_newer, find_manifest, read_manifest
from tasks.plan.case import Case, Unfit
from tasks.plan.tools import find_tool, run_tool
from tasks.plan.versions import choose_version

_LINE = re.compile(
    r"^(?P<before>\s*(?:require\s+)?)(?P<module>[^\s()]+)(?P<gap>\s+)(?P<version>v[^\s]+)(?P<after>[^\n]*)$"
)
_BLOCK = re.compile(r"^\s*(require|replace|exclude|retract|tool|ignore|godebug)\s*\(")
_MAJOR_SUFFIX = re.compile(r"(?:/v|\.v)(\d+)\Z")
_GO_SETTINGS = {
    "GOFLAGS": "-mod=mod",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    "CGO_ENABLED": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_STANDARD_LIBRARY = frozenset({"stdlib", "std", "toolchain"})


def bump_go(case: Case, target: Target) -> Bumped:
    """Raise the required version of the module."""
    path = find_manifest(case, target, "go.mod")
    file = path.relative_to(case.checkout).as_posix()
    if (path.parent / "vendor" / "modules.txt").exists():
        raise Unfit("the modules are vendored: run 'go get' and 'go mod vendor'")
    text = read_manifest(path)
    lines = text.split("\n")
    position, present = _find(lines, target.package, file)
    installed = target.installed or present
    choice = choose_version(Ecosystem.GO, installed, target.fixed_lists)
    wanted = _full_version(target.package, choice.version)
    check_newer(Ecosystem.GO, present, wanted, file)
    line = _LINE.match(lines[position])
    if line is not None:
        lines[position] = f"{line['before']}{line['module']}{line['gap']}{wanted}{line['after']}"
    path.write_bytes("\n".join(lines).encode())
    return Bumped(target.package, installed, wanted, file, choice.major_jump)


def check_not_standard(target: Target) -> None:
    """Raises:
    Unfit: it is Go's own library, which no line of `go.mod` requires.
    """
    if target.package in _STANDARD_LIBRARY:
        raise Unfit("the weakness is in Go's own library: build with a newer Go")


def _find(lines: list[str], module: str, file: str) -> tuple[int, str]:
    """The one line that requires the module, and its version."""
    found: list[tuple[int, str]] = []
    block = ""
    for position, line in enumerate(lines):
        code = line.partition("//")[0]
        if (opened := _BLOCK.match(code)) is not None:
            block = opened[1]
            continue
        if code.strip() == ")":
            block = ""
        if module in code.split() and (block == "replace" or code.split()[0] == "replace"):
            raise Unfit(f"{file} replaces {module}")
        match = _LINE.match(line)
        required = block == "require" or code.split()[:1] == ["require"]
        if match is not None and required and match["module"] == module:
            found.append((position, match["version"]))
    if len(found) != 1:
        raise Unfit(f"{file} requires {module} {'more than once' if found else 'not at all'}")
    return found[0]


def _full_version(module: str, version: str) -> str:
    """The version as `go.mod` writes it; a new major is another module path, which only code can change."""
    wanted = version if version.startswith("v") else f"v{version}"
    major = int(wanted[1:].split(".")[0]) if wanted[1:].split(".")[0].isdigit() else 0
    suffix = _MAJOR_SUFFIX.search(module)
    if suffix is not None and int(suffix[1]) != major:
        raise Unfit(f"{wanted} is another module than {module}: its imports have to be changed")
    # https://go.dev/ref/mod#incompatible-versions
    bare = suffix is None and major >= 2 and not wanted.endswith("+incompatible")
    return f"{wanted}+incompatible" if bare else wanted


def renew_go_sums(case: Case, folder: Path, wanted: Sequence[str]) -> str:
    """Let go work out both files for `wanted` (`module@version`) after all edits; what is left to do when it cannot."""
    files = (folder / "go.mod", folder / "go.sum")
    before = [file.read_bytes() if file.is_file() else None for file in files]
    go = find_tool(case, "go")
    if go is not None and run_tool([go, "get", *wanted], folder=folder, more=_GO_SETTINGS):
        return ""
    for file, content in zip(files, before, strict=True):
        if content is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(content)
    return "go.sum has to be renewed with go mod tidy"
