"""The contexts that expressions of a run see, and GitHub's variables made from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.clients.pipeline.checkout import HeadCommit
from tasks.clients.pipeline.plans import Workflow
from tasks.clients.pipeline.runs import RunFolder
from tasks.clients.pipeline.values import Unavailable, Value, to_text


@dataclass(frozen=True)
class RunFacts:
    """What all jobs of one run share."""

    workflow: Workflow
    workflow_path: str
    checkout: Path
    folder: RunFolder
    repository: str
    branch: str
    commit: str
    attempt: int
    actor: str
    default_branch: str
    head_commit: HeadCommit | None
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    inherited: Mapping[str, str]
    default_step_timeout_seconds: float
    log_max_bytes: int


def event_payload(facts: RunFacts) -> dict[str, Value]:
    """The `push` event that the run stands for, as far as this machine knows it."""
    owner, _, name = facts.repository.partition("/")
    head = facts.head_commit
    event: dict[str, Value] = {
        "ref": f"refs/heads/{facts.branch}",
        "after": facts.commit,
        "repository": {
            "name": name,
            "full_name": facts.repository,
            "default_branch": facts.default_branch,
            "owner": {"login": owner, "name": owner},
        },
        "sender": {"login": facts.actor, "type": "User"},
        "pusher": {"name": facts.actor},
    }
    for unknown in ("before", "commits", "compare", "created", "deleted", "forced", "base_ref"):
        event[unknown] = Unavailable(f"github.event.{unknown} is known to GitHub only, not to a run on this machine")
    event["head_commit"] = (
        Unavailable("github.event.head_commit is not known: the folder is no git checkout")
        if head is None
        else {
            "id": head.id,
            "tree_id": head.tree_id,
            "message": head.message,
            "timestamp": head.timestamp,
            "author": {"name": head.author_name, "email": head.author_email},
            "committer": {"name": head.committer_name, "email": head.committer_email},
        }
    )
    return event


def github_context(facts: RunFacts) -> dict[str, Value]:
    """The `github` context
    (https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context)."""
    ref = f"refs/heads/{facts.branch}"
    return {
        "action": "",
        "action_path": "",
        "action_repository": "",
        "actor": facts.actor,
        "api_url": "https://api.github.com",
        "base_ref": "",
        "event": event_payload(facts),
        "event_name": "push",
        "graphql_url": "https://api.github.com/graphql",
        "head_ref": "",
        "job": "",
        "ref": ref,
        "ref_name": facts.branch,
        "ref_protected": False,
        "ref_type": "branch",
        "repository": facts.repository,
        "repository_owner": facts.repository.partition("/")[0],
        "retention_days": "0",
        "run_attempt": str(facts.attempt),
        "run_id": facts.folder.run_id,
        "run_number": str(facts.folder.number),
        "server_url": "https://github.com",
        "sha": facts.commit,
        "token": "",
        "triggering_actor": facts.actor,
        "workflow": facts.workflow.name,
        "workflow_ref": f"{facts.repository}/{facts.workflow_path}@{ref}",
        "workflow_sha": facts.commit,
        "workspace": str(facts.checkout),
    }


def github_variables(github: Mapping[str, Value], event_path: Path) -> dict[str, str]:
    """The `GITHUB_…` variables of a step."""
    left_out = ("event", "token")
    named = {f"GITHUB_{name.upper()}": to_text(value) for name, value in github.items() if name not in left_out}
    return {**named, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event_path)}


@dataclass(frozen=True)
class NeededJob:
    """What a finished job tells those that need it; `outputs` is an error to read when the job did not run this
    time."""

    result: str
    outputs: "Mapping[str, str] | Unavailable"

    def as_value(self) -> Value:
        """As the `needs` context shows it."""
        outputs: Value = self.outputs if isinstance(self.outputs, Unavailable) else dict(self.outputs)
        return {"result": self.result, "outputs": outputs}
