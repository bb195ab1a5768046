"""Fails when requirements.lock is out of step with pyproject.toml, lacks a hash or holds an address.

Works without a network: it walks the installed packages' own requirements from pyproject.toml and compares what it
reaches with what the lock pins.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent


def read_lock(text: str) -> tuple[dict[str, tuple[Version, str]], list[str]]:
    """Name -> (version, marker) of each pin, and what is wrong with the lock's form."""
    problems = [f"line {n}: an address: {line.strip()}" for n, line in enumerate(text.splitlines(), 1) if "://" in line]
    pins: dict[str, tuple[Version, str]] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", text.replace("\\\n", " ")):
        if not block.strip() or block.startswith("#"):
            continue
        requirement = block.split("--hash")[0].strip()
        if "--hash=sha256:" not in block:
            problems.append(f"no hash: {requirement}")
        parsed = Requirement(requirement)
        version = next(iter(parsed.specifier)).version
        if parsed.marker is None or parsed.marker.evaluate():
            pins[canonicalize_name(parsed.name)] = (Version(version), requirement)
    return pins, problems


def reachable(roots: list[Requirement]) -> dict[str, list[Requirement]]:
    """Every package that the roots need on this machine, with the requirements put on it."""
    found: dict[str, list[Requirement]] = {}
    queue = [(root, frozenset(root.extras)) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while queue:
        requirement, extras = queue.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            children = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for child in map(Requirement, children):
            environments = [{**default_environment(), "extra": extra} for extra in (extras or {""})]
            if child.marker is None or any(child.marker.evaluate(env) for env in environments):
                queue.append((child, frozenset(child.extras)))
    return found


def main() -> int:
    """Print every problem; 1 when there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(text for extra in project["optional-dependencies"].values() for text in extra),
    ]
    pins, problems = read_lock((ROOT / "requirements.lock").read_text())
    needed = reachable([Requirement(text) for text in declared])
    for name, requirements in sorted(needed.items()):
        if name not in pins:
            problems.append(f"not in the lock: {name}")
            continue
        version = pins[name][0]
        problems += [
            f"{name}=={version} does not satisfy {requirement}"
            for requirement in requirements
            if not requirement.specifier.contains(version, prereleases=True)
        ]
    problems += [f"in the lock and needed by nothing: {name}" for name in sorted(set(pins) - set(needed))]
    for problem in problems:
        print(f"requirements.lock: {problem}", file=sys.stderr)  # noqa: T201
    if problems:
        print("Run 'make lock' and commit requirements.lock.", file=sys.stderr)  # noqa: T201
        return 1
    print(f"requirements.lock: {len(pins)} packages, in step with pyproject.toml")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
