"""Bumps a direct dependency in `pom.xml`: its version, or the property that holds it."""

import re
from dataclasses import dataclass

from tasks.domain.vulnerability import Ecosystem
from tasks.plan.bump_target import Bumped, Target, check_newer, find_manifest, read_manifest
from tasks.plan.case import Case, Unfit
from tasks.plan.versions import choose_version

_COMMENT = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)
_DEPENDENCY = re.compile(r"<dependency>(.*?)</dependency>", re.DOTALL)
_EXCLUSIONS = re.compile(r"<exclusions>.*?</exclusions>", re.DOTALL)
_VERSION = re.compile(r"<version>\s*([^<>\s]+)\s*</version>")
_PROPERTY = re.compile(r"\$\{([\w.-]{1,100})\}\Z")


@dataclass(frozen=True)
class _Place:
    """Where a version stands in the text."""

    start: int
    end: int
    version: str


def bump_maven(case: Case, target: Target) -> Bumped:
    """Raise the version where the POM writes it."""
    path = find_manifest(case, target, "pom.xml")
    text, file = read_manifest(path), path.relative_to(case.checkout).as_posix()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unfit(f"{file} has a document type of its own and is not edited")
    # Comments are blanked and not cut, so that places stay the same.
    visible = _blanked(_COMMENT, text)
    place = _find(visible, target.package, file)
    if (named := _PROPERTY.match(place.version)) is not None:
        place = _property(visible, named[1], file)
    installed = target.installed or place.version
    choice = choose_version(Ecosystem.MAVEN, installed, target.fixed_lists)
    check_newer(Ecosystem.MAVEN, place.version, choice.version, file)
    path.write_bytes(f"{text[: place.start]}{choice.version}{text[place.end :]}".encode())
    return Bumped(target.package, installed, choice.version, file, choice.major_jump)


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: " " * len(match[0]), text)


def _find(visible: str, package: str, file: str) -> _Place:
    """The version of the dependency, which the POM must write exactly once."""
    group, _, artifact = package.partition(":")
    places: list[_Place] = []
    named = False
    for block in _DEPENDENCY.finditer(visible):
        inner = _blanked(_EXCLUSIONS, block[1])
        if _element(inner, "groupId") != group or _element(inner, "artifactId") != artifact:
            continue
        named = True
        if (version := _VERSION.search(inner)) is not None:
            start = block.start(1)
            places.append(_Place(start + version.start(1), start + version.end(1), version[1]))
    if not named:
        raise Unfit(f"{file} does not name {package}: another dependency asks for it, and has to be raised")
    if len(places) != 1:
        raise Unfit(f"{file} gives {package} {'several versions' if places else 'no version: its parent does'}")
    return places[0]


def _element(inner: str, name: str) -> str:
    match = re.search(rf"<{name}>\s*([^<>\s]+)\s*</{name}>", inner)
    return match[1] if match else ""


def _property(visible: str, name: str, file: str) -> _Place:
    if name.startswith(("project.", "pom.", "env.")):
        raise Unfit(f"{file} takes the version from {name}, which is not its own to change")
    found = list(re.finditer(rf"<{re.escape(name)}>\s*([^<>\s]+)\s*</{re.escape(name)}>", visible))
    if len(found) != 1:
        raise Unfit(f"{file} sets the property {name} {'more than once' if found else 'nowhere: its parent does'}")
    return _Place(found[0].start(1), found[0].end(1), found[0][1])
