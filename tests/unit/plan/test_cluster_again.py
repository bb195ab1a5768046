"""What was reported and still fails is reported again, with where it was told before; nothing is tried because of it."""

import pytest

from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Remedy
from tests.unit.plan.clusters import before, deployment, only_action, plan, pod, replica_set, snapshot, template

PULLED = snapshot(deployment(template()), replica_set(template(), revision=1, ready=0), pod(template()))


@pytest.mark.parametrize("found", [F.K8S_IMAGE_AUTH, F.K8S_IMAGE_RATE])
def test_image_that_cannot_be_pulled_is_left_alone_the_second_time_too_and_it_is_said(found: F) -> None:
    first = plan(found, PULLED)
    told = before(Remedy.REPORT_ONLY, IncidentStatus.REPORTED).model_copy(update={"action_names": ()})
    second, third = (plan(found, PULLED, similar=(told,) * count) for count in (1, 2))
    assert {only_action(one).name for one in (first, second, third)} == {Remedy.REPORT_ONLY}
    assert "reported in" not in first.rationale
    assert "The same was reported in inc-before, and it fails yet." in second.rationale
    assert "reported in inc-before and in 1 more before that" in third.rationale


def test_what_was_healed_before_was_not_reported() -> None:
    healed = before(Remedy.ROLL_BACK_ROLLOUT, IncidentStatus.HEALED)
    assert "reported in" not in plan(F.K8S_IMAGE_RATE, PULLED, similar=(healed,)).rationale
