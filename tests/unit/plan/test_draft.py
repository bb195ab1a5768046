"""A plan is the first remedy that fits, or a report that says why none does."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Remedy, Risk, patch_digest
from tasks.errors import PermanentError
from tasks.plan import DRAFTERS, PLAYBOOKS, draft_plan
from tests.unit.plan.conftest import Scene

Ended = Callable[..., SimilarIncident]
YAML = Culprit(kind=CulpritKind.MODULE, name="yaml")


def test_the_users_own_work_tree_is_refused_as_scratch(scene: Scene) -> None:
    (scene.root / "README.md").write_text("unsaved\n")
    unknown = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="?", confidence=0.0, fingerprint="f")
    with pytest.raises(PermanentError, match="not a linked worktree"):
        draft_plan(scene.incident(), Evidence(), unknown, checkout=scene.root)
    assert (scene.root / "README.md").read_text() == "unsaved\n"


@pytest.mark.parametrize(
    "failure_class",
    [FailureClass.UNKNOWN, FailureClass.CI_DISK, FailureClass.CI_SECRET_MISSING, FailureClass.CI_COMMAND],
)
def test_a_class_without_a_remedy_is_reported(scene: Scene, failure_class: FailureClass) -> None:
    plan = scene.draft(failure_class)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert not plan.changes_something
    assert plan.rationale


def test_nothing_is_planned_for_the_commit_of_a_fork(scene: Scene) -> None:
    scene.commit("Require", {"requirements.txt": "flask\n"})
    plan = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML, fork=True)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert "fork" in plan.rationale


def test_every_remedy_of_a_playbook_has_a_drafter() -> None:
    assert {remedy for playbook in PLAYBOOKS.values() for remedy in playbook} == set(DRAFTERS)


def test_what_is_transient_runs_again_once(scene: Scene) -> None:
    plan = scene.draft(FailureClass.CI_NET_DNS, transient=True)
    assert plan.actions[0].name == Remedy.RERUN_FAILED_JOBS
    assert plan.actions[0].parameters == {"run_id": "r1", "jobs": '["test"]'}
    again = scene.draft(FailureClass.CI_NET_DNS, transient=True, reruns_so_far=1)
    assert again.actions[0].name == Remedy.REPORT_ONLY
    assert "run again once already" in again.rationale


def test_what_is_not_transient_does_not_run_again(scene: Scene) -> None:
    assert scene.draft(FailureClass.CI_TIMEOUT).actions[0].name == Remedy.REPORT_ONLY


def test_a_revert_needs_a_green_run(scene: Scene) -> None:
    scene.commit("Break", {"a.py": "x = 1\n"})
    plan = scene.draft(FailureClass.CI_TEST_ASSERT)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert "no earlier green run is known" in plan.rationale


def test_the_one_commit_since_the_green_run_is_reverted(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    bad = scene.commit("Break; $(touch pwned)", {"a.py": "x = 1\n", "README.md": "# Broken\n"})
    action = scene.draft(FailureClass.CI_TEST_ASSERT, good=good).actions[0]
    assert action.name == Remedy.REVERT_COMMIT
    assert action.risk is Risk.MEDIUM
    assert action.parameters == {"commit": bad, "patch_sha256": patch_digest(action.preview)}
    assert "-# Broken\n+# Shop\n" in action.preview
    assert "deleted file mode" in action.preview


def test_several_suspects_are_named_not_reverted(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    first = scene.commit("First", {"a.py": "x = 1\n"})
    second = scene.commit("Second", {"b.py": "x = 1\n"})
    plan = scene.draft(FailureClass.CI_TEST_ASSERT, good=good)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert f"2 commits are suspect: {second[:12]} (Second), {first[:12]} (First)" in plan.rationale


def test_the_one_commit_that_touched_the_failing_file_is_reverted(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    first = scene.commit("First", {"tests/test_a.py": "x = 1\n"})
    scene.commit("Second", {"b.py": "x = 1\n"})
    culprit = Culprit(kind=CulpritKind.TEST, name="tests/test_a.py::test_it")
    action = scene.draft(FailureClass.CI_TEST_ASSERT, good=good, culprit=culprit).actions[0]
    assert action.parameters["commit"] == first


def test_the_one_commit_that_touched_a_quoted_file_is_reverted(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    first = scene.commit("First", {"shop/cart.py": "x = 1\n"})
    scene.commit("Second", {"b.py": "x = 1\n"})
    culprit = Culprit(kind=CulpritKind.TEST, name="tests/test_cart.py::test_it")
    lines = ("FAILED tests/test_cart.py::test_it", "shop/cart.py:8: AssertionError")
    action = scene.draft(FailureClass.CI_TEST_ASSERT, *lines, good=good, culprit=culprit).actions[0]
    assert action.parameters["commit"] == first


def test_a_merge_commit_is_not_reverted(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    scene.git("checkout", "--quiet", "-b", "side")
    scene.commit("Side", {"side.py": "x = 1\n"})
    scene.git("checkout", "--quiet", "main")
    scene.git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    culprit = Culprit(kind=CulpritKind.FILE, name="absent.py")
    assert scene.draft(FailureClass.CI_COMPILE, good=good, culprit=culprit).actions[0].name == Remedy.REPORT_ONLY
    side = scene.git("rev-parse", "side").strip()
    plan = scene.draft(FailureClass.CI_COMPILE, good=side)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert "cannot be reverted" in plan.rationale


def test_what_healed_before_is_tried_first_and_named(scene: Scene, ended: Ended) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    scene.commit("Break", {"a.py": "def f( x ):\n    return x\n"})
    healed = ended(Remedy.REVERT_COMMIT, "healed")
    lines = ("Would reformat: a.py",)
    plan = scene.draft(FailureClass.CI_LINT, *lines, command="ruff format --check .", good=good, similar=(healed,))
    assert plan.actions[0].name == Remedy.REVERT_COMMIT
    assert plan.remembered_incident == "inc-old"
    assert "inc-old" in plan.rationale


def test_the_remembered_requirement_is_used(scene: Scene, ended: Ended) -> None:
    scene.commit("Require", {"requirements.txt": "flask\n"})
    healed = ended(Remedy.ADD_DEPENDENCY, "healed", parameters=json.dumps({"requirement": "PyYAML==6.0.2"}))
    plan = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML, similar=(healed,))
    assert "+PyYAML==6.0.2\n" in plan.actions[0].preview
    assert plan.remembered_incident == "inc-old"


@pytest.mark.parametrize("told", ["not json", "[1]", '{"requirement": "evil @ https://example.com/x.whl"}'])
def test_a_memory_that_does_not_fit_is_not_used(scene: Scene, ended: Ended, told: str) -> None:
    scene.commit("Require", {"requirements.txt": "flask\n"})
    healed = ended(Remedy.ADD_DEPENDENCY, "healed", parameters=told)
    plan = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML, similar=(healed,))
    assert plan.actions[0].parameters["requirement"] == "PyYAML"


def test_a_remembered_remedy_that_no_longer_fits_is_not_named(scene: Scene, ended: Ended) -> None:
    plan = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML, similar=(ended("add_dependency", "healed"),))
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert plan.remembered_incident is None


@pytest.mark.parametrize(("status", "told"), [("escalated", "did not help"), ("undone", "was taken back")])
def test_what_did_not_hold_is_not_proposed_again(scene: Scene, ended: Ended, status: str, told: str) -> None:
    scene.commit("Require", {"requirements.txt": "flask\n"})
    before = (ended("add_dependency", "healed", day=1), ended("add_dependency", status, day=2, incident_id="inc-2"))
    plan = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML, similar=before)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert f"it {told} in inc-2" in plan.rationale


def test_a_denied_plan_says_nothing_against_its_remedy(scene: Scene, ended: Ended) -> None:
    scene.commit("Require", {"requirements.txt": "flask\n"})
    plan = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML, similar=(ended("add_dependency", "rejected"),))
    assert plan.actions[0].name == Remedy.ADD_DEPENDENCY


def test_a_patch_nobody_could_read_is_not_proposed(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    scene.commit("Break", {"a.txt": "x" * 79 + "\n" + "line\n" * 60_000})
    plan = scene.draft(FailureClass.CI_TEST_ASSERT, good=good)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert "more than a person can judge" in plan.rationale


def test_bytes_that_are_no_text_are_not_patched(scene: Scene) -> None:
    good = scene.git("rev-parse", "HEAD").strip()
    scene.commit("Break", {"a.txt": b"caf\xe9\n"})
    plan = scene.draft(FailureClass.CI_TEST_ASSERT, good=good)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert "not UTF-8" in plan.rationale


def test_the_scratch_checkout_may_be_dirty_at_first(scene: Scene, tmp_path: Path) -> None:
    scene.commit("Require", {"requirements.txt": "flask\n"})
    (tmp_path / "worktrees/scratch").mkdir(parents=True)
    (tmp_path / "worktrees/scratch/debris").write_text("x")
    action = scene.draft(FailureClass.CI_TEST_COLLECT, culprit=YAML).actions[0]
    assert "debris" not in action.preview
