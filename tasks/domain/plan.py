"""Plan: the ordered actions that should heal an incident, and the digest that an approval binds to."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from tasks.domain.approval import ApprovalTerms
from tasks.domain.base import Noun


class Risk(StrEnum):
    """What an action can spoil: nothing, a branch of ours, a branch of other people, production."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Remedy(StrEnum):
    """The known actions; the values are a contract and are never renamed."""

    RERUN_FAILED_JOBS = "rerun_failed_jobs"
    RUN_FORMATTER = "run_formatter"
    ADD_DEPENDENCY = "add_dependency"
    PIN_DEPENDENCY = "pin_dependency"
    BUMP_DEPENDENCY = "bump_dependency"
    QUARANTINE_TEST = "quarantine_test"
    REVERT_COMMIT = "revert_commit"
    MERGE_FIX = "merge_fix"
    OPEN_PULL_REQUEST = "open_pull_request"
    COMMENT_TRIAGE = "comment_triage"
    SET_COMMIT_STATUS = "set_commit_status"
    REPORT_ONLY = "report_only"
    ROLL_BACK_ROLLOUT = "roll_back_rollout"
    PATCH_SERVICE = "patch_service"
    RESTART_ROLLOUT = "restart_rollout"
    PATCH_WORKLOAD = "patch_workload"
    SIZE_RESOURCES = "size_resources"
    SCALE_WORKLOAD = "scale_workload"
    DELETE_POD = "delete_pod"
    UNCORDON_NODE = "uncordon_node"
    SUSPEND_CRON_JOB = "suspend_cron_job"
    RESTART_COREDNS = "restart_coredns"
    REAPPLY_OBJECT = "reapply_object"
    RECREATE_JOB = "recreate_job"
    CHANGE_MANIFEST = "change_manifest"


CLUSTER_REMEDIES = frozenset(
    {
        Remedy.ROLL_BACK_ROLLOUT,
        Remedy.PATCH_SERVICE,
        Remedy.RESTART_ROLLOUT,
        Remedy.PATCH_WORKLOAD,
        Remedy.SIZE_RESOURCES,
        Remedy.SCALE_WORKLOAD,
        Remedy.DELETE_POD,
        Remedy.UNCORDON_NODE,
        Remedy.SUSPEND_CRON_JOB,
        Remedy.RESTART_COREDNS,
        Remedy.REAPPLY_OBJECT,
        Remedy.RECREATE_JOB,
    }
)
"""Actions that change objects of a cluster; the plan is made on their state, not on a commit."""


ONCE_PER_FINGERPRINT = frozenset({Remedy.RESTART_ROLLOUT, Remedy.RESTART_COREDNS, Remedy.SIZE_RESOURCES})
"""Actions that are taken once against one failure: where it comes back, they hid its cause and did not remove it."""


MARKS = frozenset({Remedy.COMMENT_TRIAGE, Remedy.SET_COMMIT_STATUS})
"""Actions that only say something: they change no code, and a fix is taken back without them."""


def patch_digest(patch: str) -> str:
    """SHA-256 of a patch or text: ties an action's parameters to the preview that the approver saw."""
    return hashlib.sha256(patch.encode()).hexdigest()


class Action(Noun):
    """One known remedy with its parameters; `name` is a key of the registry of actions."""

    name: str
    target: str
    """What it changes, in the operator's words: a branch, a run, a workload."""
    parameters: Mapping[str, str] = Field(default_factory=dict)
    """Validated by the schema that the registry holds for `name`; unknown fields are refused there."""
    risk: Risk
    summary: str
    """One line: what will be done."""
    undo: str
    """One line: how it is taken back."""
    preview: str = ""
    """The unified diff or dry run that the approver sees."""
    cost_usd: float = 0.0


class Plan(Noun):
    """Actions for one incident, in order, with what they were planned on."""

    incident_id: str
    playbook: str
    rationale: str
    actions: tuple[Action, ...] = Field(min_length=1)
    target_state: str
    """What the plan was made on, such as a commit; acting on anything else needs a new plan."""
    remembered_incident: str | None = None
    """The healed incident of the same fingerprint that this plan follows, `None` for a plan from rules alone."""

    def digest(self, policy_digest: str) -> str:
        """SHA-256 over plan, target state and policy: what an approval binds to."""
        document = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{document}\x1f{self.target_state}\x1f{policy_digest}".encode()).hexdigest()

    @property
    def changes_something(self) -> bool:
        """Whether any action does more than report."""
        return any(action.risk is not Risk.NONE for action in self.actions)


class Verdict(StrEnum):
    """What the gate says; anything unexpected is `DENY`."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Decision(Noun):
    """The gate's answer to a plan, with the rules that fired."""

    verdict: Verdict
    rules: tuple[str, ...]
    reason: str
    policy_digest: str
    terms: ApprovalTerms = ApprovalTerms()
    """Who may approve, where the verdict is `ASK`."""
