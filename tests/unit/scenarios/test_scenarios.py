"""Every scenario is diagnosed as it says, near misses included, and every class that rules can find has three."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.explain import explain_log
from flows.scenarios import Scenario, read_scenarios
from tasks.diagnose import signatures
from tasks.domain.evidence import TestHistory as History
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Ignored, Signal
from tasks.errors import BadInputError
from tasks.intake import parse_github

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = read_scenarios(FOLDER)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario_is_diagnosed_as_it_says(scenario: Scenario) -> None:
    expected = scenario.expected
    history = History(passed_on_same_commit=expected.passed_on_same_commit)
    with scenario.log.open("rb") as stream:
        found = explain_log(stream, name=scenario.name, history=history)
    cited = [line.text.strip() for line in found.evidence.lines if line.id in found.diagnosis.evidence_ids]
    assert found.diagnosis.failure_class == expected.failure_class, cited
    assert all(quote.strip() in cited for quote in expected.quotes)
    if expected.culprit is not None:
        assert found.diagnosis.culprit is not None
        assert found.diagnosis.culprit.name == expected.culprit


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_event_of_a_scenario_is_one_that_the_door_understands(scenario: Scenario) -> None:
    body = (scenario.folder / "event.json").read_bytes()
    now = datetime(2026, 3, 14, 10, tzinfo=UTC)
    failed = json.loads(body)["workflow_run"]["conclusion"] == "failure"
    parsed = parse_github("workflow_run", "delivery-1", body, now=now)
    assert isinstance(parsed, Signal if failed else Ignored)


def test_every_class_with_rules_has_three_scenarios_and_a_near_miss() -> None:
    counted: dict[str, list[bool]] = defaultdict(list)
    for scenario in SCENARIOS:
        counted[scenario.folder.parent.name].append(scenario.expected.near_miss)
    wanted = {str(signature.failure_class).replace("/", "-") for signature in signatures()}
    thin = {name: counted[name] for name in sorted(wanted) if len(counted[name]) < 3 or not any(counted[name])}
    assert thin == {}


def test_near_misses_and_only_they_are_of_another_class_than_their_folder() -> None:
    classes = {str(known).replace("/", "-"): known for known in FailureClass}
    odd = [
        scenario.name
        for scenario in SCENARIOS
        if (scenario.expected.failure_class != classes[scenario.folder.parent.name]) != scenario.expected.near_miss
        and scenario.folder.parent.name != "unknown"
    ]
    assert odd == []


def test_scenario_that_does_not_say_what_is_expected_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ci.lint" / "x").mkdir(parents=True)
    (tmp_path / "ci.lint" / "x" / "expected.yaml").write_text("class: ci.nothing\n")
    with pytest.raises(BadInputError, match=r"expected\.yaml"):
        read_scenarios(tmp_path)
