"""Versions are compared as their ecosystem does, and the smallest one that has every fix is chosen."""

import pytest

from tasks.domain.vulnerability import Ecosystem
from tasks.plan.case import Unfit
from tasks.plan.versions import choose_version, order

NPM, PYPI, GO, MAVEN = Ecosystem.NPM, Ecosystem.PYPI, Ecosystem.GO, Ecosystem.MAVEN


@pytest.mark.parametrize(
    ("ecosystem", "installed", "fixed", "told"),
    [
        (NPM, "2.0.0", [["1.9.9"]], "would be a downgrade"),
        (NPM, "2.0.0", [["2.0.0"]], "would be a downgrade"),
        (NPM, "latest", [["2.0.0"]], "cannot be compared"),
        (NPM, "1.0.0", [["new"]], "no fixed version that can be compared"),
        (NPM, "1.0.0", [["1.0.1"], ["soon"]], "no fixed version that can be compared"),
        (NPM, "1.0.0", [], "no fixed version"),
        (MAVEN, "31.1-jre", [["32.0.0-android"]], "of another kind"),
        (NPM, "2.9.1", [["2.8.9", "2.9.0"], ["2.9.2", "3.0.5"], ["2.9.9999999999"]], "no fixed version that can"),
        (Ecosystem.OS, "1.0", [["1.1"]], "cannot be compared"),
    ],
)
def test_what_is_no_upgrade_is_refused(ecosystem: Ecosystem, installed: str, fixed: list[list[str]], told: str) -> None:
    with pytest.raises(Unfit, match=told):
        choose_version(ecosystem, installed, fixed)


@pytest.mark.parametrize(
    ("ecosystem", "installed", "fixed", "wanted", "jump"),
    [
        (PYPI, "0.11", [["0.15.3"], ["0.11.6"]], "0.15.3", False),
        (PYPI, "2.7.2", [["3.0rc1", "2.8.1"]], "2.8.1", False),
        (PYPI, "1.0", [["2.0"]], "2.0", True),
        (NPM, "1.0.5", [["2.6.9", "3.1.0"]], "2.6.9", True),
        (NPM, "2.7.0", [["2.8.7", "2.9.3"], ["2.8.9", "2.9.5"]], "2.8.9", False),
        (NPM, "2.9.1", [["2.8.7", "2.9.3"], ["2.8.9", "2.9.5"]], "2.9.5", False),
        (NPM, "1.0.0", [["1.2.0", "2.0.0"], ["2.1.0"]], "2.1.0", True),
        (NPM, "1.0.0-rc.1", [["1.0.0-rc.2"]], "1.0.0-rc.2", False),
        (GO, "v0.35.0", [["0.37.0"]], "0.37.0", False),
        (GO, "v0.0.0-20210101000000-aaaaaaaaaaaa", [["0.0.0-20220314234659-1baeb1ce4c0b"]], "0.0.0-20220314234659-1baeb1ce4c0b", False),
        (MAVEN, "2.13.2", [["2.12.7.1", "2.13.4.2"]], "2.13.4.2", False),
        (MAVEN, "5.3.18.RELEASE", [["5.3.20"]], "5.3.20", False),
        (MAVEN, "31.1-jre", [["32.0.0-android", "32.0.0-jre"]], "32.0.0-jre", True),
    ],
)  # fmt: skip
def test_the_smallest_version_with_every_fix_is_chosen(
    ecosystem: Ecosystem, installed: str, fixed: list[list[str]], wanted: str, jump: bool
) -> None:
    choice = choose_version(ecosystem, installed, fixed)
    assert (choice.version, choice.major_jump) == (wanted, jump)


@pytest.mark.parametrize(
    ("ecosystem", "ascending"),
    [
        (
            NPM,
            ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0"],
        ),
        (MAVEN, ["1-alpha-1", "1-beta", "1-m2", "1-rc1", "1-SNAPSHOT", "1", "1-sp", "1.0.1", "1.2", "1.10", "2"]),
        (PYPI, ["1.0.dev1", "1.0a1", "1.0", "1.0.post1", "1!0.1"]),
    ],
)
def test_versions_are_ordered_as_their_ecosystem_orders_them(ecosystem: Ecosystem, ascending: list[str]) -> None:
    ordered = [order(ecosystem, text) for text in ascending]
    keys = [one.key for one in ordered if one is not None]
    assert len(keys) == len(ascending)
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("one", "other"), [("1.0", "1"), ("1.0.0.Final", "1.0"), ("2.GA", "2")])
def test_maven_versions_that_are_the_same(one: str, other: str) -> None:
    first, second = order(MAVEN, one), order(MAVEN, other)
    assert first is not None
    assert second is not None
    assert first.key == second.key
