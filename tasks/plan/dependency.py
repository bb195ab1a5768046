"""Drafts the two remedies for dependencies: add the missing one, or pin one to a version that exists."""

import re
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Case, Unfit
from tasks.plan.distributions import distribution_of, in_standard_library, same_distribution, top_module
from tasks.plan.patches import patch_action
from tasks.plan.requirements import add_requirement, choose_file, replace_specifier

_NO_MODULE = re.compile(r"No module named ['\"]?([\w.]+)")
# The words of pip's resolver, seen in pip 20 to 25.
_NO_VERSION = re.compile(
    r"Could not find a version that satisfies the requirement (?P<wanted>\S.*?) "
    r"\(from (?:.*?\(from )?versions: (?P<versions>[^)]*)"
)
_TAMPERING = re.compile(r"DO NOT MATCH THE HASHES|Hashes are required|hash mismatch", re.IGNORECASE)
_CONFLICT = re.compile(r"ResolutionImpossible|conflicting dependencies|has requirement .* but you", re.IGNORECASE)
_FIRST_PARTY_DEPTH = 2


def draft_addition(case: Case) -> Action:
    """Add the distribution of a missing module to the requirements."""
    top = _missing_module(case)
    distribution, known = distribution_of(top)
    requirement = _remembered(case, distribution) or distribution
    path = choose_file(case)
    add_requirement(path, requirement)
    file = path.relative_to(case.checkout).as_posix()
    check = "" if known else " (named after the import: check that it is the package you mean)"
    return patch_action(
        case,
        Remedy.ADD_DEPENDENCY,
        risk=Risk.MEDIUM,
        summary=f"Add {requirement} to {file}{check}",
        parameters={"module": top, "requirement": requirement, "file": file},
    )


def _missing_module(case: Case) -> str:
    culprit = case.diagnosis.culprit
    named = culprit.name if culprit and culprit.kind in (CulpritKind.MODULE, CulpritKind.PACKAGE) else None
    if named is None:
        found = (match.group(1) for text in case.quoted_texts if (match := _NO_MODULE.search(text)))
        named = next(found, "")
    top = top_module(named)
    if top is None:
        raise Unfit("the evidence names no missing module")
    if in_standard_library(top):
        raise Unfit(f"{top} belongs to Python itself, so that no dependency is missing")
    if _is_first_party(case.checkout, top):
        raise Unfit(f"{top} is part of this repository, so that no dependency is missing")
    return top


def _is_first_party(checkout: Path, top: str) -> bool:
    pattern = "*/" * _FIRST_PARTY_DEPTH
    places = (checkout, *(folder for depth in ("*/", pattern) for folder in checkout.glob(depth)))
    shallow = (place for place in places if ".git" not in place.parts)
    return any((place / f"{top}.py").is_file() or next((place / top).glob("*.py"), None) for place in shallow)


def _remembered(case: Case, distribution: str) -> str | None:
    """The requirement that healed this before, if it is one and of the same distribution."""
    try:
        known = Requirement(case.remembered.get("requirement", ""))
    except InvalidRequirement:
        return None
    return str(known) if same_distribution(known.name, distribution) and known.url is None else None


def draft_pin(case: Case) -> Action:
    """Pin a requirement that no version satisfies to the nearest one that the index lists."""
    if any(_TAMPERING.search(text) for text in case.quoted_texts):
        raise Unfit("a hash does not match: that may be tampering and is for a security review, never for a pin")
    match = next((found for text in case.quoted_texts if (found := _NO_VERSION.search(text))), None)
    if match is None:
        conflict = any(_CONFLICT.search(text) for text in case.quoted_texts)
        raise Unfit("requirements contradict each other" if conflict else "pip named no versions to choose from")
    wanted = _wanted(match["wanted"])
    version = _nearest(wanted, match["versions"])
    path = choose_file(case)
    was = replace_specifier(path, wanted.name, f"=={version}")
    file = path.relative_to(case.checkout).as_posix()
    return patch_action(
        case,
        Remedy.PIN_DEPENDENCY,
        risk=Risk.MEDIUM,
        summary=f"Pin {wanted.name} to {version} in {file}: no version satisfies {was}",
        parameters={"package": wanted.name, "requirement": f"{wanted.name}=={version}", "file": file},
    )


def _wanted(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise Unfit(f"{text[:80]!r} is not a requirement") from error


def _nearest(wanted: Requirement, listed: str) -> Version:
    """The highest listed stable version that is not above the wanted one; the highest of all when none is below."""
    if "…" in listed:
        raise Unfit("the list of versions was cut")
    versions = sorted(version for name in listed.split(",") if (version := _stable(name.strip())) is not None)
    if not versions:
        raise Unfit(f"the index lists no stable version of {wanted.name}")
    asked = [found for one in wanted.specifier if (found := _stable(one.version, pre=True)) is not None]
    below = [version for version in versions if asked and version <= max(asked)]
    return (below or versions)[-1]


def _stable(text: str, *, pre: bool = False) -> Version | None:
    try:
        version = Version(text.removesuffix(".*"))
    except InvalidVersion:
        return None
    return version if pre or not version.is_prerelease else None
