"""Jobs that gave up, and cron jobs that start none."""

import pytest

from tasks.diagnose.analyzers.cluster.jobs import find_job_faults, schedule_fault
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a job failed as often as it may", "job", "Job/shop/import"),
    ("a job ran out of time", "job", "Job/shop/import"),
    ("a schedule is no schedule", "schedule", "CronJob/shop/nightly"),
    ("a starting deadline lies before the start", "deadline", "CronJob/shop/nightly"),
    ("a cron job missed too many starts", "cron", "CronJob/shop/nightly"),
    ("a cron job waits for a run that does not end", "cron-held", "CronJob/shop/nightly"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_job_that_gave_up_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_job_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_job_faults, lambda state: None) == set()


@pytest.mark.parametrize("says", ["a job is suspended", "a cron job is suspended"])
def test_job_that_somebody_holds_is_worth_knowing_only(says: str) -> None:
    assert {told[2] for told in noticed(find_job_faults, says)} == {True}


@pytest.mark.parametrize("says", ["a job succeeded after some failures", "a cron job that is well"])
def test_job_that_did_its_work_is_well(says: str) -> None:
    assert clues(find_job_faults, says) == []


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("0 0 31 2 *", "month 2 has no day 31"),
        ("0 0 31 4,6 *", "month 4,6 has no day 31"),
        ("0 0 29 2 *", ""),
        ("0 0 31 2,3 *", ""),
        ("0 0 31 2 5", ""),
        ("0 0 30 * *", ""),
    ],
)
def test_day_that_never_comes_is_no_schedule(schedule: str, why: str) -> None:
    assert schedule_fault(schedule) == why
