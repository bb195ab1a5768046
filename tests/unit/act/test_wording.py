"""What stands in a pull request: outside text notifies nobody, is no markup, and claims no proof."""

import pytest

from tasks.act.wording import proof_markdown, pull_request_text, pull_request_title, without_mentions
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import RunRef, Signal, SignalKind, SignalSource, open_incident
from tasks.domain.outcome import Check, Verification
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tasks.domain.story import Triage
from tests.unit.act.hosted import NOW

CHECK = Check(name="lint", passed=True, detail="lint passes: 1 command ran in 1.0 s")


def triage(cause: str = "Badly formatted.", url: str = "https://github.example/acme/shop/actions/runs/7") -> Triage:
    signal = Signal(
        source=SignalSource.GITHUB,
        kind=SignalKind.CI_RUN,
        delivery_id="d",
        repository="acme/shop",
        branch="feature",
        commit="a" * 40,
        run=RunRef(run_id="7", workflow="CI", url=url),
        title="CI",
        occurred_at=NOW,
    )
    line = EvidenceLine(id="E1", source="log:lint", line_number=3, text="Would reformat: shop.py ``` @ada")
    diagnosis = Diagnosis(
        failure_class=FailureClass.CI_LINT, cause=cause, evidence_ids=("E1",), confidence=0.9, fingerprint="f"
    )
    incident = open_incident(signal, now=NOW)
    action = Action(name=Remedy.RUN_FORMATTER, target="x", risk=Risk.LOW, summary="Run\nruff  format", undo="u")
    plan = Plan(incident_id=incident.id, playbook="p", rationale="Run ruff.", actions=(action,), target_state="a" * 40)
    return Triage(incident=incident, evidence=Evidence(lines=(line,)), diagnosis=diagnosis, similar=(), plan=plan)


def verified(**more: object) -> Verification:
    return Verification.model_validate({"passed": True, "checks": (CHECK,), "seconds": 1.0, **more})


def test_outside_text_notifies_nobody_and_is_no_markup() -> None:
    text = pull_request_text(triage("@ada see [this](https://evil.example) <img src=x> #1"), verified())
    outside_code = "".join(part for index, part in enumerate(text.split("````")) if index % 2 == 0)
    assert "@ada" not in outside_code
    assert "[this](" not in text
    assert "\\<img src=x\\>" in text


def test_an_address_that_is_none_is_left_out() -> None:
    assert "javascript:" not in pull_request_text(triage(url="javascript:alert(1)"), verified())
    assert "(https://github.example/acme/shop/actions/runs/7)" in pull_request_text(triage(), verified())


def test_code_stays_as_it_is() -> None:
    assert "@ada" not in without_mentions(r"an escaped \`@ada\` and \`\`\`@ada\`\`\` are no code")
    text = "mail @ada `actions/checkout@v4`\n```\n@ada\n```\n@eve"
    assert without_mentions(text) == "mail @\u200bada `actions/checkout@v4`\n```\n@ada\n```\n@\u200beve"


@pytest.mark.parametrize("reason", ["", "the workflow cannot be run on this machine"])
def test_what_is_not_proven_never_reads_as_proven(reason: str) -> None:
    text = proof_markdown(verified(passed=False, inconclusive=reason))
    assert "**Not proven:**" in text
    assert "**Proven.**" not in text


def test_a_proof_says_how() -> None:
    text = pull_request_text(triage(), verified())
    assert "**Proven.**" in text
    assert "✅ lint passes: 1 command ran" in text, "the name once"
    assert pull_request_title(triage()) == "Run ruff format"
