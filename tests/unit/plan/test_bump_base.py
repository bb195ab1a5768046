"""A base image is raised where a Dockerfile plainly stands on the one that the report names, and nowhere else."""

import pytest

from tasks.domain.plan import Risk
from tasks.domain.vulnerability import BaseImage, BaseUpgrade, Ecosystem, UpgradeStep
from tests.unit.plan.bumping import bump, changed_lines, patch_of, refused, weakness
from tests.unit.plan.conftest import Scene

pytestmark = pytest.mark.usefixtures("tools")
SYSTEM = weakness("openssl", "1.0", "1.1", ecosystem=Ecosystem.OS, file=None)


def base(image: str = "node:14.1.0", minor: str | None = "node:14.21.3", major: str | None = None) -> BaseImage:
    steps = ((minor, UpgradeStep.MINOR), (major, UpgradeStep.MAJOR), ("alpine:3.20", UpgradeStep.ALTERNATIVE))
    return BaseImage(image=image, upgrades=tuple(BaseUpgrade(image=name, step=step) for name, step in steps if name))


@pytest.mark.parametrize(
    ("dockerfile", "told"),
    [
        ("ARG V=14.1.0\nFROM node:${V}\n", "takes its base image from an argument"),
        ("FROM node:14.1.0@sha256:" + "a" * 64 + "\n", "by digest"),
        ("FROM node:16\n", "stands on node:16"),
        ("FROM node:14.1.0 AS build\nFROM alpine:3.1\nCOPY --from=build /a /a\n", "stands on alpine:3.1"),
        ("FROM mirror.example.com/node:14.1.0\n", "stands on mirror.example.com/node:14.1.0"),
        ("# nothing\n", "has no FROM"),
        (b"FROM node:14.1.0\n# caf\xe9\n", "not UTF-8"),
    ],
)
def test_a_base_image_that_is_not_plainly_the_reports_is_left(scene: Scene, dockerfile: str | bytes, told: str) -> None:
    assert told in refused(bump(scene, {"Dockerfile": dockerfile}, SYSTEM, base=base()))


@pytest.mark.parametrize(
    ("proposed", "told"),
    [
        (base(minor=None), "names no fixed version of the base image"),
        (base(minor="node:12.9.0"), "would be a downgrade"),
        (base(minor="other:15"), "names no fixed version of the base image"),
        (base(minor="node:14.2 && id"), "names no fixed version of the base image"),
    ],
)
def test_a_base_image_without_a_fixed_version_is_left(scene: Scene, proposed: BaseImage, told: str) -> None:
    assert told in refused(bump(scene, {"Dockerfile": "FROM node:14.1.0\n"}, SYSTEM, base=proposed))


def test_no_dockerfile_and_several_are_left(scene: Scene) -> None:
    assert "no Dockerfile" in refused(bump(scene, {"empty": ""}, SYSTEM, base=base()))
    two: dict[str, str | bytes] = {"a/Dockerfile": "FROM node:14.1.0\n", "b/Dockerfile": "FROM node:14.1.0\n"}
    assert "several Dockerfiles" in refused(bump(scene, two, SYSTEM, base=base()))


@pytest.mark.parametrize(
    ("dockerfile", "lines"),
    [
        ("FROM node:14.1.0\n", ["-FROM node:14.1.0", "+FROM node:14.21.3"]),
        (
            "FROM golang:1 AS build\nFROM --platform=linux/amd64 docker.io/library/node:14.1.0 as run\nRUN a \\\n  FROM node:14.1.0\n",
            [
                "-FROM --platform=linux/amd64 docker.io/library/node:14.1.0 as run",
                "+FROM --platform=linux/amd64 docker.io/library/node:14.21.3 as run",
            ],
        ),
        (
            "FROM node:14.1.0 AS base\nFROM base AS test\nFROM Base\nCMD node\n",
            ["-FROM node:14.1.0 AS base", "+FROM node:14.21.3 AS base"],
        ),
    ],
)
def test_the_stage_that_the_image_stands_on_is_raised(scene: Scene, dockerfile: str, lines: list[str]) -> None:
    action = patch_of(bump(scene, {"Dockerfile": dockerfile}, SYSTEM, base=base()))
    assert changed_lines(action) == lines
    assert action.risk is Risk.MEDIUM


def test_a_major_base_image_is_a_risk(scene: Scene) -> None:
    proposed = base(minor=None, major="node:20.1")
    action = patch_of(bump(scene, {"Dockerfile": "FROM node:14.1.0\r\n"}, SYSTEM, base=proposed))
    assert action.risk is Risk.HIGH
    assert "+FROM node:20.1" in action.preview
