"""kill -9 at every step of a heal: nothing is lost, nothing is done twice, and every incident ends."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.killing import PATIENCE_SECONDS, Stage
from tests.doors.test_demo import left_over

pytestmark = pytest.mark.prefect

SIDE_BY_SIDE = 4
"""So many heals are walked at once; as many run at once."""
IN_A_HEAL = (
    "first seen",
    "before journal.evidence",
    "after journal.evidence",
    "after journal.diagnosis",
    "after journal.plan",
    "after incidents.triaged",
    "after journal.decision",
    "after approvals.request",
    "after heals.kept",
    "after journal.asked",
    "after incidents.waiting",
    "after approvals.resumed",
    "after journal.answer",
    "after approvals.used_at",
    "before incidents.acting",
    "after incidents.acting",
    "after journal.intent.run_formatter",
    "after actions.pre_image.run_formatter",
    "before actions.result.run_formatter",  # the commit is made, and nobody knows it yet
    "after actions.result.run_formatter",
    "after journal.action_result.run_formatter",
    "before journal.verification",
    "after journal.verification",
    "after journal.intent.merge_fix",
    "after actions.pre_image.merge_fix",
    "before actions.result.merge_fix",  # the same of the merge
    "after actions.result.merge_fix",
    "after journal.action_result.merge_fix",
    "before outcomes.healed",
    "after outcomes.healed",
)
"""Where the process of a heal is killed: after each of its transactions, and before those that follow an effect."""
AT_THE_DOOR = (
    "before events.pending",
    "after events.pending",
    "after incidents.open",
    "after group_keys",
    "before incidents.flow_run_id",  # the run is made, and nobody knows it yet
    "after incidents.flow_run_id",
    "after events.dispatched",
    "after journal.note",  # another run goes on where one was lost
    "before approvals.resumed",  # the run was woken
)
"""Where the gateway and the dispatcher are killed, at whichever incident comes by first. `healflow up` gives a service
up that ends more than ten times within two minutes."""
NO_STEPS = {"leases", "cards", "events.ignored", "heals", "bookmarks"}
"""Signs of life, what people are told, events that tell nothing new, a heal that is put off, and up to when lost
webhooks were looked for: they come at any time and lead to nothing."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("kills"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The formatter that the repository's workflow runs."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def steps_of(names: tuple[str, ...]) -> set[str]:
    return {name.partition(" ")[2] for name in names}


def test_flow_and_gateway_killed_at_every_step(stage: Stage) -> None:
    broken = [stage.break_something() for _ in range(SIDE_BY_SIDE)]
    incidents = [incident for incident, _ in broken]
    traps = [stage.trap(stage.ANY, "gateway", step, signal.SIGKILL) for step in AT_THE_DOOR]
    for number, step in enumerate(IN_A_HEAL):
        traps.append(stage.trap(incidents[number % SIDE_BY_SIDE].id, "flow", step, signal.SIGKILL))
    for _, run_id in broken:
        stage.report(run_id)
    stage.heal_all(incidents)
    assert [trap.name for trap in traps if not stage.sprung(trap)] == []
    for incident in incidents:
        stage.check_healed_once(incident)
    assert stage.ledger.audit.verify().problem == ""
    walked = {"flow": steps_of(IN_A_HEAL) | NO_STEPS, "gateway": steps_of(AT_THE_DOOR) | NO_STEPS}
    left_out = [f"{role}: {names}" for role, names in stage.transactions() if not names & walked[role]]
    assert left_out == [], "a heal or its door writes what is not walked"


def test_prefect_server_killed_amid_heals(stage: Stage) -> None:
    moments = stage.bring_to_three_moments()
    stage.kill("server")
    assert stage.approve(moments.waiting)
    moments.go_on()  # and find no server
    stage.heal_all(moments.incidents)
    for incident in moments.incidents:
        stage.check_healed_once(incident)


def test_worker_killed_amid_heals(stage: Stage) -> None:
    moments = stage.bring_to_three_moments()
    stage.kill("flows")
    assert stage.approve(moments.waiting)
    moments.go_on()  # with nobody left who started them
    stage.heal_all(moments.incidents)
    for incident in moments.incidents:
        stage.check_healed_once(incident)


def test_all_of_it_killed_amid_heals(stage: Stage) -> None:
    moments = stage.bring_to_three_moments()
    stage.up.process.kill()
    assert stage.up.process.wait(PATIENCE_SECONDS) != 0
    stage.wait(lambda: left_over(str(stage.home)) == [])
    assert stage.approve(moments.waiting)
    stage.fall_silent((moments.before, moments.between))
    stage.start()
    stage.heal_all(moments.incidents)
    for incident in moments.incidents:
        stage.check_healed_once(incident)
    assert stage.ledger.audit.verify().problem == ""
    assert stage.up.stop() == 0
    assert left_over(str(stage.home)) == []
