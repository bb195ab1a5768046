"""Drafts the one re-run of a failure that may well pass the next time."""

import json

from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Case, Unfit

MAX_RERUNS = 1
"""Per class and commit: a failure that comes back is not transient."""


def draft_rerun(case: Case) -> Action:
    """Run the failed jobs again, once."""
    run = case.incident.signal.run
    if run is None:
        raise Unfit("there is no run to repeat")
    if not case.failed_jobs:
        raise Unfit("no failed job is known")
    if case.reruns_so_far >= MAX_RERUNS:
        raise Unfit("it was run again once already on this commit and failed the same way")
    flaky = case.diagnosis.failure_class is FailureClass.CI_TEST_FLAKY and case.evidence.history.passed_on_same_commit
    if not case.diagnosis.transient and not flaky:
        raise Unfit("nothing shows that the failure is transient, so that it would only fail again")
    names = [job.name for job in case.failed_jobs]
    return Action(
        name=Remedy.RERUN_FAILED_JOBS,
        target=f"run {run.run_id}",
        parameters={"run_id": run.run_id, "jobs": json.dumps(names)},
        risk=Risk.LOW,
        summary=f"Run the failed {'job' if len(names) == 1 else 'jobs'} {', '.join(names)} once more",
        undo="nothing to take back: a re-run changes no code",
    )
