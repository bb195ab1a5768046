"""Orders the versions of each ecosystem, and chooses the smallest one that no longer has what a report names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import InvalidVersion, Version

from tasks.domain.vulnerability import Ecosystem
from tasks.plan.case import Unfit

# https://semver.org/#spec-item-11, with the leniency of npm and the `v` of Go.
_SEMVER = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z")
# The order of versions in the POM reference of Apache Maven.
_MAVEN_WORDS = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "milestone": 2, "m": 2, "rc": 3, "cr": 3, "snapshot": 4}
_MAVEN_RELEASE = {"": 5, "final": 5, "ga": 5, "release": 5, "sp": 6}
_MAVEN_END = (0, 5, "")
_MAVEN_TOKEN = re.compile(r"\d+|[a-z]+")


@dataclass(frozen=True)
class Ordered:
    """A version with its place among others of the same ecosystem."""

    text: str
    release: tuple[int, ...]
    key: Any
    stable: bool
    flavour: str = ""
    """What some Maven versions end in without being older or newer for it, such as `jre` and `android`."""

    @property
    def major(self) -> int:
        """The first number."""
        return self.release[0]


@dataclass(frozen=True)
class Choice:
    """The version to go to."""

    version: str
    major_jump: bool


def order(ecosystem: Ecosystem, text: str) -> Ordered | None:
    """The version with its place, `None` when it is not one of that ecosystem."""
    if ecosystem is Ecosystem.PYPI:
        return _pypi(text)
    if ecosystem is Ecosystem.MAVEN:
        return _maven(text)
    return _semver(text) if ecosystem in (Ecosystem.NPM, Ecosystem.GO) else None


def _pypi(text: str) -> Ordered | None:
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    return Ordered(text, version.release, version, not version.is_prerelease)


def _semver(text: str) -> Ordered | None:
    match = _SEMVER.match(text)
    if match is None:
        return None
    release = tuple(int(part or 0) for part in match.group(1, 2, 3))
    before = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in (match[4] or "").split(".") if part
    )
    return Ordered(text, release, (release, not before, before), not before)


def _maven(text: str) -> Ordered | None:
    tokens: list[str] = _MAVEN_TOKEN.findall(text.lower())
    if not re.fullmatch(r"\d[\w.-]{0,80}", text) or not tokens:
        return None
    numbers: list[int] = []
    for token in tokens:
        if not token.isdigit() or len(token) > 18:
            break
        numbers.append(int(token))
    words = tokens[len(numbers) :]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    places = [_maven_place(word) for word in words]
    while places and places[-1] == _MAVEN_END:
        places.pop()
    key = (*((1, number, "") for number in numbers), *places, _MAVEN_END)
    stable = not any(word in _MAVEN_WORDS for word in words)
    kinds = [word for word in words if not word.isdigit() and word not in _MAVEN_WORDS and word not in _MAVEN_RELEASE]
    return Ordered(text, tuple(numbers), key, stable, "-".join(kinds))


def _maven_place(token: str) -> tuple[int, int, str]:
    if token.isdigit():
        return 1, int(token[:18]), ""
    place = _MAVEN_WORDS.get(token, _MAVEN_RELEASE.get(token))
    return (0, 7, token) if place is None else (0, place, "")


def choose_version(ecosystem: Ecosystem, installed: str, fixed_lists: Sequence[Sequence[str]]) -> Choice:
    """The smallest listed version that has none of the weaknesses, of the same major where there is one.

    `fixed_lists` has one list for each weakness, of the version that fixes it in each release line.

    Raises:
        Unfit: there is none, or it would be a downgrade.
    """
    present = order(ecosystem, installed)
    if present is None:
        raise Unfit(f"the installed version {installed[:60]!r} cannot be compared with the fixed ones")
    parsed = [[one for text in texts if (one := order(ecosystem, text)) is not None] for texts in fixed_lists]
    listed = {one.text: one for versions in parsed for one in versions}
    if not listed or not all(parsed):
        raise Unfit("the report names no fixed version that can be compared")
    newer = sorted((one for one in listed.values() if one.key > present.key), key=lambda one: one.key)
    if not newer:
        raise Unfit(f"{max(listed.values(), key=lambda one: one.key).text} would be a downgrade from {installed}")
    same_kind = [one for one in newer if one.flavour == present.flavour]
    if not same_kind:
        raise Unfit(f"{newer[0].text} is of another kind than {installed}")
    usable = [one for one in same_kind if one.stable or not present.stable] or same_kind
    usable.sort(key=lambda one: one.major != present.major)  # stable: the smaller stays first
    for candidate in usable:
        if all(_is_fixed(candidate, versions) for versions in parsed):
            return Choice(candidate.text, candidate.major != present.major)
    raise Unfit("no single listed version fixes everything that the report names")


def _is_fixed(version: Ordered, fixes: Sequence[Ordered]) -> bool:
    """Whether the version has the fix of its own release line, the one whose number it shares the longest start with.

    Of a weakness fixed in 2.8.9 and 2.9.5, 2.9.3 is newer than one fix and still has the weakness.
    """
    nearest = max(_shared(version, fix) for fix in fixes)
    return any(fix.key <= version.key for fix in fixes if _shared(version, fix) == nearest)


def _shared(one: Ordered, other: Ordered) -> int:
    count = 0
    for left, right in zip(one.release, other.release, strict=False):
        if left != right:
            break
        count += 1
    return count
