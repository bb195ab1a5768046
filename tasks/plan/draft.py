"""Drafts the plan: the first remedy of the playbook that fits, with its real patch, or a report with the reasons.

Patches are made in a scratch worktree of the failing commit, which is left as clean as it was found.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from tasks.clients.workspace import restore
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tasks.errors import PermanentError
from tasks.plan.bump import draft_bump
from tasks.plan.case import Case, Unfit
from tasks.plan.dependency import draft_addition, draft_pin
from tasks.plan.formatter import draft_format
from tasks.plan.playbooks import ADVICE, PLAYBOOKS
from tasks.plan.quarantine import draft_quarantine
from tasks.plan.rerun import draft_rerun
from tasks.plan.revert import draft_revert

DRAFTERS: Mapping[Remedy, Callable[[Case], Action]] = MappingProxyType(
    {
        Remedy.RERUN_FAILED_JOBS: draft_rerun,
        Remedy.RUN_FORMATTER: draft_format,
        Remedy.ADD_DEPENDENCY: draft_addition,
        Remedy.PIN_DEPENDENCY: draft_pin,
        Remedy.BUMP_DEPENDENCY: draft_bump,
        Remedy.QUARANTINE_TEST: draft_quarantine,
        Remedy.REVERT_COMMIT: draft_revert,
    }
)
_DID_NOT_HOLD = (IncidentStatus.ESCALATED, IncidentStatus.UNDONE)


def draft_plan(
    incident: Incident,
    evidence: Evidence,
    diagnosis: Diagnosis,
    *,
    checkout: Path,
    similar: tuple[SimilarIncident, ...] = (),
    reruns_so_far: int = 0,
    tool_paths: tuple[Path, ...] = (),
) -> Plan:
    """The plan for one incident.

    `checkout` is a linked worktree of the failing commit that may be changed. `reruns_so_far` counts the re-runs of
    this class on this commit. `tool_paths` are searched for formatters before PATH.

    Raises:
        PermanentError: `checkout` is not a linked worktree.
    """
    restore(checkout)
    case = Case(incident, evidence, diagnosis, checkout, reruns_so_far, tool_paths)
    playbook = PLAYBOOKS.get(diagnosis.failure_class, ())
    remembered = _find_remembered(playbook, similar)
    ordered = sorted(playbook, key=lambda remedy: remembered is None or remedy != remembered[0])
    passed_over: list[str] = []
    if incident.signal.from_fork:
        passed_over.append("the commit comes from a fork, whose code and tools are not run here")
        ordered = []
    for remedy in ordered:
        known = remembered if remembered is not None and remedy == remembered[0] else None
        try:
            check_it_held(remedy, similar)
            action = _draft(remedy, replace(case, remembered=known[1] if known else {}))
        except (Unfit, PermanentError) as reason:
            passed_over.append(f"{remedy.replace('_', ' ')}: {reason}")
            continue
        healed = known[2] if known else None
        return _plan(case, action, _rationale(action, diagnosis, healed, passed_over), remembered=healed)
    return _plan(case, _report(case), _report_rationale(diagnosis, passed_over))


def draft_report(incident: Incident, evidence: Evidence, diagnosis: Diagnosis) -> Plan:
    """The plan for a failure of which there is no commit to work on: the cause is told, and nothing is changed."""
    case, elsewhere = Case(incident, evidence, diagnosis, Path()), incident.signal.elsewhere
    rationale = _report_rationale(diagnosis, [])
    if elsewhere:
        rationale = f"It happens in the cluster {elsewhere}, which is not the one that is healed here. {rationale}"
    return _plan(case, _report(case), rationale)


def _draft(remedy: Remedy, case: Case) -> Action:
    try:
        return DRAFTERS[remedy](case)
    finally:
        restore(case.checkout)


def _newest(similar: tuple[SimilarIncident, ...]) -> Iterator[SimilarIncident]:
    yield from sorted(similar, key=lambda other: other.ended_at, reverse=True)


def _find_remembered(
    playbook: tuple[Remedy, ...], similar: tuple[SimilarIncident, ...]
) -> tuple[Remedy, Mapping[str, str], str] | None:
    """The remedy that healed the newest healed incident of the same fingerprint, its parameters, the incident's id."""
    for other in _newest(similar):
        if other.status is not IncidentStatus.HEALED:
            continue
        for position, name in enumerate(other.action_names):
            if name in playbook:
                told = other.plan_parameters[position] if position < len(other.plan_parameters) else "{}"
                return Remedy(name), _parameters(told), other.incident_id
    return None


def _parameters(document: str) -> Mapping[str, str]:
    try:
        loaded = json.loads(document)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in loaded.items()} if isinstance(loaded, dict) else {}


def check_it_held(remedy: Remedy, similar: tuple[SimilarIncident, ...]) -> None:
    """Look whether the remedy is known not to hold.

    Raises:
        Unfit: the last time that the remedy was tried on this fingerprint, it did not help or was taken back.
    """
    last = next((other for other in _newest(similar) if remedy in other.action_names), None)
    if last is not None and last.status in _DID_NOT_HOLD:
        what = "was taken back" if last.status is IncidentStatus.UNDONE else "did not help"
        raise Unfit(f"it {what} in {last.incident_id}")


def _plan(case: Case, action: Action, rationale: str, *, remembered: str | None = None) -> Plan:
    return Plan(
        incident_id=case.incident.id,
        playbook=case.diagnosis.failure_class,
        rationale=rationale,
        actions=(action,),
        target_state=case.incident.signal.commit,
        remembered_incident=remembered,
    )


def _rationale(action: Action, diagnosis: Diagnosis, healed: str | None, passed_over: list[str]) -> str:
    why = f"This healed {healed}, the same failure." if healed else f"The playbook for {diagnosis.failure_class}."
    return " ".join([f"{action.summary}.", why, *explain_passed_over(passed_over)])


def _report_rationale(diagnosis: Diagnosis, passed_over: list[str]) -> str:
    if diagnosis.failure_class is FailureClass.UNKNOWN:
        why = "The cause is not known, so nothing is changed."
    elif not passed_over:
        why = f"No remedy for {diagnosis.failure_class} is safe to take alone."
    else:
        why = "No remedy fits."
    advice = ADVICE.get(diagnosis.failure_class, "A person has to look.")
    return " ".join([why, *explain_passed_over(passed_over), advice])


def explain_passed_over(passed_over: list[str]) -> list[str]:
    """One sentence on what was not chosen and why, or none."""
    return [f"Passed over: {'; '.join(passed_over)}."] if passed_over else []


def _report(case: Case) -> Action:
    return Action(
        name=Remedy.REPORT_ONLY,
        target=case.incident.signal.repository,
        risk=Risk.NONE,
        summary="Report the cause and change nothing",
        undo="nothing to take back",
    )
