"""Bumps a direct dependency in `package.json`, and lets npm renew `package-lock.json` where npm is at hand."""

import json
import re
from pathlib import Path
from typing import Any

from tasks.domain.vulnerability import Ecosystem
from tasks.plan.bump_target import Bumped, Target, check_newer, find_manifest, read_manifest
from tasks.plan.case import Case, Unfit
from tasks.plan.tools import find_tool, run_tool
from tasks.plan.versions import choose_version

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_OTHER_LOCKS = {"yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm", "bun.lock": "bun", "bun.lockb": "bun"}
_PLAIN = re.compile(r"([~^]|>=)?v?(\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?)\Z")
# No script of any package runs, git is the one on PATH whatever the repository's .npmrc says, and one try is enough.
_RENEW = (
    *("install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--git=git"),
    *("--fetch-retries=0", "--fetch-timeout=20000", "--loglevel=error"),
)


def bump_npm(case: Case, target: Target) -> Bumped:
    """Raise the dependency to the fixed version, keeping its prefix."""
    path = find_manifest(case, target, "package.json")
    for lock, tool in _OTHER_LOCKS.items():
        if (path.parent / lock).exists():
            raise Unfit(f"{lock} is made by {tool}: raise {target.package} there")
    text, file = read_manifest(path), path.relative_to(case.checkout).as_posix()
    document = _load(text, file)
    present = _spec(document, target.package, file)
    plain = _PLAIN.match(present)
    if plain is None:
        raise Unfit(f"{file} asks for {target.package} {present[:60]!r}, which is no plain version")
    installed = target.installed or plain[2]
    choice = choose_version(Ecosystem.NPM, installed, target.fixed_lists)
    wanted = choice.version.removeprefix("v")
    check_newer(Ecosystem.NPM, plain[2], wanted, file)
    path.write_bytes(_replaced(text, document, target.package, present, f"{plain[1] or ''}{wanted}", file).encode())
    return Bumped(target.package, installed, wanted, file, choice.major_jump)


def _load(text: str, file: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{file} is no JSON") from error
    if not isinstance(document, dict):
        raise Unfit(f"{file} is no object")
    return document


def _named_in(document: dict[str, Any], package: str) -> list[str]:
    sections = ((name, document.get(name)) for name in _SECTIONS)
    return [name for name, found in sections if isinstance(found, dict) and package in found]


def _spec(document: dict[str, Any], package: str, file: str) -> str:
    specs = {str(document[name][package]) for name in _named_in(document, package)}
    if not specs:
        raise Unfit(f"{file} does not name {package}: another package asks for it, and has to be raised")
    if len(specs) > 1:
        raise Unfit(f"{file} names {package} with different versions")
    return specs.pop()


def _replaced(text: str, document: dict[str, Any], package: str, present: str, wanted: str, file: str) -> str:
    """The text with the one value exchanged, if it then says what was meant and nothing else changed."""
    pattern = re.compile(rf"({re.escape(json.dumps(package))}\s*:\s*){re.escape(json.dumps(present))}")
    changed = pattern.sub(lambda match: match[1] + json.dumps(wanted), text)
    for name in _named_in(document, package):
        document[name][package] = wanted
    if _load(changed, file) != document:
        raise Unfit(f"{file} cannot be edited safely: the edit would change more than {package}")
    return changed


def renew_npm_lock(case: Case, folder: Path) -> str:
    """Renew the lock file after all edits; what is left to do when that was not possible."""
    lock = next((folder / name for name in _LOCKS if (folder / name).is_file()), None)
    if lock is None or lock.is_symlink():
        return ""
    before, npm = lock.read_bytes(), find_tool(case, "npm")
    if npm is not None and run_tool([npm, *_RENEW], folder=folder, more={"CI": "true"}):
        return ""
    lock.write_bytes(before)
    return f"{lock.name} has to be renewed with npm install"
