"""What a bump is about: one package of the report, the version it goes to, and the manifest that names it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tasks.domain.vulnerability import Ecosystem, Vulnerability
from tasks.plan.case import Case, Unfit
from tasks.plan.versions import order

MAX_MANIFEST_BYTES = 2 << 20
_NAMES = {
    # What each registry accepts as a name; nothing else gets into a manifest or to a package manager.
    Ecosystem.PYPI: re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z"),
    Ecosystem.NPM: re.compile(r"(?:@[a-z0-9][a-z0-9._~-]{0,100}/)?[A-Za-z0-9_][A-Za-z0-9._~-]{0,120}\Z"),
    Ecosystem.GO: re.compile(r"[a-z0-9][a-z0-9.-]{0,80}(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]{0,80}){1,12}\Z"),
    Ecosystem.MAVEN: re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}:[A-Za-z0-9_][A-Za-z0-9._-]{0,120}\Z"),
}
_MANIFESTS = frozenset(
    {
        *("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"),
        *("go.mod", "go.sum", "pom.xml", "pyproject.toml", "poetry.lock", "uv.lock", "Pipfile.lock"),
    }
)
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]{0,80}\Z")


@dataclass(frozen=True)
class Target:
    """One package in one manifest, with what the report says of it."""

    package: str
    installed: str
    ecosystem: Ecosystem
    file: str | None
    fixed_lists: tuple[tuple[str, ...], ...]
    in_image: bool = False
    """Whether `file` is a path in an image, and so says nothing of where the repository has it."""


@dataclass(frozen=True)
class Bumped:
    """One edit that was made."""

    package: str
    installed: str
    to: str
    file: str
    major_jump: bool = False


def targets_of(vulnerabilities: Sequence[Vulnerability]) -> Iterator[Target]:
    """The packages to bump, in the order of their worst weakness; those that nothing fixes are left out."""
    groups: dict[tuple[str, str, str | None], list[Vulnerability]] = {}
    for one in vulnerabilities:
        if one.ecosystem is not Ecosystem.OS:
            groups.setdefault((*_present(one), one.file), []).append(one)
    for (package, installed, file), members in groups.items():
        fixed = tuple((one.upgrade.to,) if one.upgrade else one.fixed for one in members if one.fixable)
        if fixed:
            yield Target(package, installed, members[0].ecosystem, file, fixed, _is_in_image(members[0]))


def _is_in_image(one: Vulnerability) -> bool:
    return one.image is not None or (one.file is not None and one.file.startswith("/"))


def _present(one: Vulnerability) -> tuple[str, str]:
    """The package to change: the direct dependency that the report proposes, else the vulnerable one itself."""
    if one.upgrade is None:
        return one.package, one.installed
    same = one.upgrade.package == one.package
    return one.upgrade.package, one.upgrade.installed or (one.installed if same else "")


def check_names(target: Target) -> None:
    """Raises:
    Unfit: the package's name or a version is none that its registry could have.
    """
    pattern = _NAMES.get(target.ecosystem)
    if pattern is None:
        raise Unfit(f"{target.package[:80]!r} is of no ecosystem whose manifests Healflow edits")
    if not pattern.match(target.package):
        raise Unfit(f"{target.package[:80]!r} is no name of a package")
    versions = [version for versions in target.fixed_lists for version in versions]
    if not all(_VERSION.match(version) for version in versions):
        raise Unfit(f"the report's versions of {target.package} are no versions")


def check_newer(ecosystem: Ecosystem, present: str, wanted: str, where: str) -> None:
    """Raises:
    Unfit: the manifest asks for that version or a newer one already.
    """
    now, then = order(ecosystem, present), order(ecosystem, wanted)
    if now is None or then is None:
        raise Unfit(f"{where} asks for {present[:60]!r}, which is no plain version")
    if now.key >= then.key:
        raise Unfit(f"{where} asks for {present} already, which is not older than {wanted}: the report is out of date")


def find_manifest(case: Case, target: Target, name: str) -> Path:
    """The manifest called `name` beside the file that the report speaks of.

    It is the one in the root where the report speaks of no file of the repository, but of a binary or an image.

    Raises:
        Unfit: there is none.
    """
    said = PurePosixPath(target.file or "")
    beside = said.parent / name
    path = case.file_inside(beside.as_posix())
    if path is None and (target.in_image or not target.file or not names_dependencies(said.name)):
        path = case.file_inside(name)
    if path is None:
        raise Unfit(f"the repository has no {beside.as_posix()[:200]}, where the report found {target.package}")
    return path


def names_dependencies(name: str) -> bool:
    """Whether a file of that name is a manifest or a lock file, which a repository holds itself."""
    return name in _MANIFESTS or re.fullmatch(r"requirements[\w.-]*\.(?:txt|in)", name) is not None


def read_manifest(path: Path) -> str:
    """The text of a manifest, its line ends as they are.

    Raises:
        Unfit: it is not UTF-8, or too large to be one.
    """
    raw = path.read_bytes()
    if len(raw) > MAX_MANIFEST_BYTES:
        raise Unfit(f"{path.name} is too large for a manifest")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Unfit(f"{path.name} is not UTF-8") from error
