"""kill -9 at every step of a heal: nothing is lost, nothing is done twice, and every incident ends."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.killing import Stage

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("demo")]

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
NO_STEPS = {"leases", "cards", "events.ignored"}
"""Signs of life, what people are told, and events that tell nothing new: they come at any time and lead to nothing."""


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


def test_walk_leaves_out_no_transaction_of_a_heal(stage: Stage) -> None:
    known = {"flow": steps_of(IN_A_HEAL), "gateway": steps_of(AT_THE_DOOR)}
    transactions = stage.transactions()
    assert {role for role, _ in transactions} == set(known)
    assert [one for one in transactions if not one[1] & (known[one[0]] | NO_STEPS)] == []
    assert stage.up.stop() == 0
