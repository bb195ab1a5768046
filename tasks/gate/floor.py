"""The floor: limits in Python that hold whatever the policy says. Each returns why not, or nothing."""

from tasks.domain.approval import ApprovalTerms
from tasks.domain.failure_class import FailureClass
from tasks.domain.gate import GateRequest, Limits
from tasks.domain.plan import CLUSTER_REMEDIES, MARKS, ONCE_PER_FINGERPRINT, Remedy, Risk

FLOOR_VERSION = "5"


def denials(request: GateRequest, limits: Limits) -> tuple[tuple[str, str], ...]:
    """(rule, reason) for each limit that forbids the plan; plans that change nothing pass."""
    if not request.plan.changes_something:
        return ()
    signal = request.incident.signal
    checks = (
        ("kill_switch", limits.kill_switch, "the kill switch is on"),
        ("frozen", bool(limits.frozen) and not _only_says(request), limits.frozen),
        ("from_fork", signal.from_fork, "the commit comes from a fork, and is never acted on"),
        (
            "unknown_cause",
            request.diagnosis.failure_class is FailureClass.UNKNOWN,
            "the cause is unknown, and nothing is changed on a guess",
        ),
        (
            "attempts",
            request.failed_attempts_today >= limits.max_attempts_per_fingerprint,
            f"{request.failed_attempts_today} fixes of this failure did not hold within a day; a person takes over",
        ),
        (
            "actions_per_hour",
            request.actions_last_hour + len(request.plan.actions) > limits.max_actions_per_hour,
            f"{request.actions_last_hour} actions were taken within the last hour, the limit is "
            f"{limits.max_actions_per_hour}",
        ),
        ("rerun_once", _reruns_twice(request), "one automatic re-run per class and commit has been used"),
        (
            "once",
            _taken_twice(request),
            "this was done once against the same failure, which came back; a person takes over",
        ),
        ("target", _off_target(request), "the plan was made on another state than that of what failed"),
    )
    return tuple((rule, reason) for rule, forbids, reason in checks if forbids)


def needs_person(request: GateRequest) -> bool:
    """Whether a person must be asked even if the policy allows: high risk is never automatic."""
    return any(action.risk is Risk.HIGH for action in request.plan.actions)


def tighten(terms: ApprovalTerms, request: GateRequest) -> ApprovalTerms:
    """High risk is never taken on a name that was only typed, whatever the policy says."""
    return terms.model_copy(update={"typed_name_counts": False}) if needs_person(request) else terms


def _only_says(request: GateRequest) -> bool:
    """A comment or a status is no change, and tells of what waits for the end of a freeze."""
    return all(action.name in MARKS or action.risk is Risk.NONE for action in request.plan.actions)


def _reruns_twice(request: GateRequest) -> bool:
    return request.reruns_so_far > 0 and any(action.name == Remedy.RERUN_FAILED_JOBS for action in request.plan.actions)


def _taken_twice(request: GateRequest) -> bool:
    names = {action.name for action in request.plan.actions}
    return any(remedy in names and remedy in request.taken_before for remedy in ONCE_PER_FINGERPRINT)


def _off_target(request: GateRequest) -> bool:
    plan, incident = request.plan, request.incident
    if incident.signal.cluster is None:
        return plan.incident_id != incident.id or plan.target_state != incident.signal.commit
    planned_on = {Remedy.CHANGE_MANIFEST: "commit", **dict.fromkeys(CLUSTER_REMEDIES, "state")}
    named = [(action, key) for action in plan.actions for name, key in planned_on.items() if action.name == name]
    states = {action.parameters.get(key) for action, key in named}
    return plan.incident_id != incident.id or states != {plan.target_state}
