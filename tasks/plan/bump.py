"""Drafts the bump of what a scanner's report names as vulnerable, to the fixed versions that the report names.

Nothing that the report does not name is touched, no finding is ever ignored, and no threshold is changed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

from tasks.clients.workspace import changed_files
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Action, Remedy, Risk
from tasks.domain.vulnerability import Ecosystem, ScanReport
from tasks.plan.bump_docker import bump_base
from tasks.plan.bump_go import bump_go, check_not_standard, renew_go_sums
from tasks.plan.bump_maven import bump_maven
from tasks.plan.bump_npm import bump_npm, renew_npm_lock
from tasks.plan.bump_python import bump_python
from tasks.plan.bump_target import Bumped, Target, check_names, targets_of
from tasks.plan.case import Case, Unfit
from tasks.plan.patches import patch_action

MAX_BUMPS = 20
"""A patch of more is too much to judge at once; the worst come first."""
MAX_NAMED = 5
"""How many of each kind the summary names; the preview shows all."""
_EDITORS: Mapping[Ecosystem, Callable[[Case, Target], Bumped]] = MappingProxyType(
    {
        Ecosystem.PYPI: bump_python,
        Ecosystem.NPM: bump_npm,
        Ecosystem.GO: bump_go,
        Ecosystem.MAVEN: bump_maven,
    }
)
_LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json", "go.sum")


def draft_bump(case: Case) -> Action:
    """Raise every vulnerable dependency that the report has a fix for, and the base image where it names one."""
    reports = case.evidence.scans
    if case.diagnosis.failure_class is FailureClass.SEC_SECRET:
        raise Unfit("no version takes a leaked secret back")
    if not reports:
        raise Unfit("no report of the scanner was read: write one with --format json or sarif")
    bumped: list[Bumped] = []
    passed_over: list[str] = []
    for edit in _edits(case, reports):
        try:
            bumped.append(edit())
        except Unfit as reason:
            passed_over.append(str(reason))
    if not bumped:
        raise Unfit("; ".join(dict.fromkeys(passed_over[:MAX_NAMED])) or "no package of the report has a fixed version")
    notes = _renew_locks(case, bumped)
    _check_only_manifests(case, bumped)
    return patch_action(
        case,
        Remedy.BUMP_DEPENDENCY,
        risk=Risk.HIGH if any(one.major_jump for one in bumped) else Risk.MEDIUM,
        summary=_summary(bumped, notes, list(dict.fromkeys(passed_over))),
        parameters={"bumps": json.dumps([_told(one) for one in bumped])},
    )


def _edits(case: Case, reports: tuple[ScanReport, ...]) -> Iterator[Callable[[], Bumped]]:
    """The edits to try, each of which answers with what it did or why it does not fit."""
    vulnerabilities = [one for report in reports for one in report.vulnerabilities]
    for target in list(targets_of(vulnerabilities))[:MAX_BUMPS]:
        yield partial(_edit, case, target)
    for report in reports:
        if any(one.ecosystem is Ecosystem.OS for one in report.vulnerabilities):
            yield partial(_edit_base, case, report)


def _edit(case: Case, target: Target) -> Bumped:
    check_not_standard(target)
    check_names(target)
    return _EDITORS[target.ecosystem](case, target)


def _edit_base(case: Case, report: ScanReport) -> Bumped:
    if report.base is None:
        raise Unfit("system packages of an image come with its base image, and the report names no fixed one")
    return bump_base(case, report.base)


def _renew_locks(case: Case, bumped: list[Bumped]) -> list[str]:
    """Let the package managers renew their lock files, once for each manifest; what is left for a person to do."""
    notes: list[str] = []
    for file in dict.fromkeys(one.file for one in bumped):
        folder = (case.checkout / file).parent
        if file.endswith("package.json"):
            notes.append(renew_npm_lock(case, folder))
        elif file.endswith("go.mod"):
            wanted = [f"{one.package}@{one.to}" for one in bumped if one.file == file]
            notes.append(renew_go_sums(case, folder, wanted))
    return [note for note in dict.fromkeys(notes) if note]


def _check_only_manifests(case: Case, bumped: list[Bumped]) -> None:
    """Raises:
    Unfit: a package manager changed anything but the manifests and their lock files.
    """
    expected = {one.file for one in bumped}
    folders = {file.rpartition("/")[0] for file in expected}
    expected |= {f"{folder}/{name}" if folder else name for folder in folders for name in _LOCK_FILES}
    if more := [name for name in changed_files(case.checkout) if name not in expected]:
        raise Unfit(f"the bump would change {more[0]} too")


def _told(one: Bumped) -> dict[str, str]:
    return {"package": one.package, "installed": one.installed, "to": one.to, "file": one.file}


def _summary(bumped: list[Bumped], notes: list[str], passed_over: list[str]) -> str:
    first = bumped[0]
    what = f"Bump {first.package} from {first.installed or 'its version'} to {first.to} in {first.file}"
    more = [f"{one.package} from {one.installed} to {one.to} in {one.file}" for one in bumped[1:]]
    rest = f" and {len(more) - MAX_NAMED} more" if len(more) > MAX_NAMED else ""
    said = [f"and {', '.join(more[:MAX_NAMED])}{rest}"] if more else []
    if jumps := [one.package for one in bumped if one.major_jump]:
        said.append(f"a new major version, which may break callers: {', '.join(jumps)}")
    said += notes
    if passed_over:
        said.append(f"left as it is: {'; '.join(passed_over[:MAX_NAMED])}")
    return f"{what} ({'. '.join(said)})" if said else what
