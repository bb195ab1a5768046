"""Bumps the base image in a Dockerfile, where the report names a fixed one."""

import re
from dataclasses import dataclass
from pathlib import Path

from tasks.domain.vulnerability import BaseImage, BaseUpgrade, UpgradeStep
from tasks.plan.bump_target import Bumped, read_manifest
from tasks.plan.case import Case, Unfit

_FROM = re.compile(r"^(?P<before>\s*FROM\s+(?:--\S+\s+)*)(?P<image>\S+)(?P<after>(?:\s+AS\s+(?P<name>\S+))?\s*)$", re.I)
_IMAGE = re.compile(r"[a-z0-9][\w./-]*(?::\d+/[\w./-]+)?:[\w][\w.-]{0,127}\Z")
_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")
_PREFIXES = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")
_DEPTHS = ("Dockerfile*", "*/Dockerfile*", "*/*/Dockerfile*")


@dataclass(frozen=True)
class _Stage:
    """One FROM: its line, and the image as it is written."""

    position: int
    image: str
    name: str


def bump_base(case: Case, base: BaseImage) -> Bumped:
    """Change the image that the final stage stands on, in the one Dockerfile that stands on it."""
    upgrade = _nearest(base)
    fits: list[tuple[Path, list[str], _Stage]] = []
    reasons: list[str] = []
    for path in _dockerfiles(case):
        try:
            lines = read_manifest(path).split("\n")
            fits.append((path, lines, _base_stage(path.relative_to(case.checkout).as_posix(), lines, base.image)))
        except Unfit as reason:
            reasons.append(str(reason))
    if len(fits) != 1:
        told = (
            "several Dockerfiles stand on it" if fits else "; ".join(reasons[:3]) or "the repository has no Dockerfile"
        )
        raise Unfit(f"the base image {base.image}: {told}")
    path, lines, stage = fits[0]
    wanted = _written_alike(stage.image, upgrade.image)
    jump = _check_newer(stage.image, wanted) or upgrade.step is UpgradeStep.MAJOR
    lines[stage.position] = _FROM.sub(lambda match: f"{match['before']}{wanted}{match['after']}", lines[stage.position])
    path.write_bytes("\n".join(lines).encode())
    name, _, tag = stage.image.rpartition(":")
    return Bumped(name, tag, wanted.rpartition(":")[2], path.relative_to(case.checkout).as_posix(), jump)


def _nearest(base: BaseImage) -> BaseUpgrade:
    """The nearest upgrade of the same image; an alternative is another image, and for a person to choose."""
    for step in (UpgradeStep.MINOR, UpgradeStep.MAJOR):
        for upgrade in base.upgrades:
            same = _repository(upgrade.image) == _repository(base.image)
            if upgrade.step is step and same and _IMAGE.match(upgrade.image):
                return upgrade
    raise Unfit(f"the report names no fixed version of the base image {base.image}")


def _dockerfiles(case: Case) -> list[Path]:
    found = (path for depth in _DEPTHS for path in sorted(case.checkout.glob(depth)))
    inside = (case.file_inside(path.relative_to(case.checkout).as_posix()) for path in found)
    return [path for path in inside if path is not None and path.suffix != ".md"]


def _base_stage(file: str, lines: list[str], image: str) -> _Stage:
    """The stage whose image the final one is built on, through the stages before it."""
    stages = _stages(lines)
    if not stages:
        raise Unfit(f"{file} has no FROM")
    stage = stages[-1]
    earlier = stages[:-1]
    while (known := next((one for one in reversed(earlier) if one.name == stage.image.lower()), None)) is not None:
        stage, earlier = known, earlier[: earlier.index(known)]
    if "$" in stage.image:
        raise Unfit(f"{file} takes its base image from an argument, {stage.image}: change the argument")
    if "@" in stage.image:
        raise Unfit(f"{file} pins its base image by digest, {stage.image[:60]}: pin the fixed one")
    if _normal(stage.image) != _normal(image):
        raise Unfit(f"{file} stands on {stage.image}")
    return stage


def _stages(lines: list[str]) -> list[_Stage]:
    stages: list[_Stage] = []
    continued = False
    for position, line in enumerate(lines):
        bare = line.strip()
        match = None if continued else _FROM.match(line.rstrip("\r"))
        if match is not None:
            stages.append(_Stage(position, match["image"], (match["name"] or "").lower()))
        continued = bare.endswith("\\") and not bare.startswith("#")
    return stages


def _normal(image: str) -> str:
    for prefix in _PREFIXES:
        image = image.removeprefix(prefix)
    image = image.removeprefix("library/")
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _repository(image: str) -> str:
    return _normal(image).rpartition(":")[0]


def _written_alike(present: str, wanted: str) -> str:
    """The wanted tag behind the repository as the Dockerfile writes it."""
    repository = present.rpartition(":")[0] if ":" in present.rpartition("/")[2] else present
    return f"{repository}:{_normal(wanted).rpartition(':')[2]}"


def _check_newer(present: str, wanted: str) -> bool:
    """Whether the tags differ in their first number.

    Raises:
        Unfit: the wanted tag is the same or an older one.
    """
    if present == wanted:
        raise Unfit(f"the Dockerfile stands on {wanted} already")
    old, new = (_NUMBERS.match(_normal(image).rpartition(":")[2]) for image in (present, wanted))
    if old is None or new is None:
        return False
    before, after = ([int(part) for part in one[1].split(".")] for one in (old, new))
    # `node:14` is any 14, so that only the numbers that both tags give are compared.
    shared = min(len(before), len(after))
    if after[:shared] < before[:shared]:
        raise Unfit(f"{wanted} would be a downgrade from {present}")
    return before[0] != after[0]
