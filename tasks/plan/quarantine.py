"""Drafts the quarantine of a test that is proven flaky: skipped until a day, with an owner who has to repair it.

A test is never silenced to make something pass: history has to prove it flaky (the same commit passed), a re-run comes
first, and a person is always asked.
"""

from datetime import timedelta
from pathlib import Path

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Case, Unfit
from tasks.plan.owners import owner_of
from tasks.plan.patches import patch_action
from tasks.plan.skipping import skip_in_go, skip_in_python

QUARANTINE_DAYS = 14
"""How long a test may be skipped; then it runs again by itself."""
MAX_SEARCHED_FILES = 2_000
_SKIPS = {".py": skip_in_python, ".go": skip_in_go}


def draft_quarantine(case: Case) -> Action:
    """Skip the flaky test for two weeks."""
    proofs = case.evidence.history.passed_on_same_commit
    if case.diagnosis.failure_class is not FailureClass.CI_TEST_FLAKY or not proofs:
        raise Unfit("history does not prove that the test is flaky")
    culprit = case.diagnosis.culprit
    if culprit is None or culprit.kind is not CulpritKind.TEST:
        raise Unfit("no single test is named")
    path = _file_of(case, culprit.name, culprit.file)
    file = path.relative_to(case.checkout).as_posix()
    until = (case.incident.signal.occurred_at + timedelta(days=QUARANTINE_DAYS)).date()
    owner = owner_of(case, file)
    if not owner:
        raise Unfit(f"nobody owns {file}, so that nobody would repair the test")
    reason = f"Quarantined until {until} for {owner}: flaky, the same commit passed ({case.incident.id})"
    try:
        source = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Unfit(f"{file} is not UTF-8") from error
    test = culprit.name.removeprefix(f"{culprit.file or file}::")
    path.write_bytes(_SKIPS[path.suffix](source, test, until=until, reason=reason).encode())
    return patch_action(
        case,
        Remedy.QUARANTINE_TEST,
        risk=Risk.MEDIUM,
        summary=f"Skip the flaky test {test} until {until}, for {owner} to repair",
        parameters={"test": culprit.name, "file": file, "until": str(until), "owner": owner},
    )


def _file_of(case: Case, test: str, named: str | None) -> Path:
    if named:
        found = case.file_inside(named)
        if found is None:
            raise Unfit(f"{named} is not in the repository")
        if found.suffix not in _SKIPS:
            raise Unfit("a test is put into quarantine only for pytest, unittest and Go")
        return found
    opening = f"func {test.partition('/')[0]}(".encode()
    candidates = sorted(case.checkout.rglob("*_test.go"))[:MAX_SEARCHED_FILES]
    inside = [path for path in candidates if not path.is_symlink() and opening in path.read_bytes()]
    if len(inside) != 1:
        raise Unfit(f"{len(inside)} files hold the test {test}, so that none can be chosen")
    return inside[0]
