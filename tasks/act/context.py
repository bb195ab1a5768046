"""What every action is given: where it works and what was approved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tasks.clients.github import GithubClient
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.workspace import BRANCH_PREFIX, Manifests, Workspace
from tasks.domain.base import Noun
from tasks.domain.cluster import KubeObject, ObjectRef
from tasks.domain.gitops import gitops_manager
from tasks.domain.incident import Incident, short_hash
from tasks.domain.plan import Action, Plan
from tasks.errors import ConflictError, ForbiddenError, NotFoundError, PermanentError
from tasks.settings import KubernetesSettings

_Image = TypeVar("_Image", bound=Noun)


@dataclass(frozen=True)
class ActContext:
    """One approved plan and the repository it is for."""

    workspace: Workspace
    repository: Path
    """The user's repository: its work tree is never written to, except by a merge into a clean one."""
    incident: Incident
    plan: Plan
    github: GithubClient | None = None
    """`None` for an incident of a run on this machine."""

    @property
    def branch(self) -> str:
        """The branch that all fixes of this incident are made on."""
        return BRANCH_PREFIX + self.incident.id

    @property
    def worktree_name(self) -> str:
        """The name of the worktree that has that branch."""
        return self.incident.id

    def require_target_state(self) -> None:
        """Raises:
        ConflictError: the failing branch has moved since the plan was made, which voids the plan.
        """
        name = self.incident.signal.branch
        tip = self.workspace.branch_tip(self.repository, name) if name else None
        ours = self.workspace.branch_tip(self.repository, self.branch)  # where a merge of the fix has moved it to
        if tip is not None and tip not in (self.plan.target_state, ours):
            raise ConflictError(
                f"the plan is void: {name} was at {self.plan.target_state[:12]} and is now at {tip[:12]}; "
                "run the pipeline again, so that a new plan is made"
            )
        self.workspace.head(self.repository, self.plan.target_state)


def _no_manifests() -> Manifests:
    raise PermanentError("no repository with manifests is known here")


@dataclass(frozen=True)
class ClusterContext:
    """One approved plan and the cluster it is for."""

    cluster: Cluster
    """Spoken to as the healer."""
    incident: Incident
    plan: Plan
    settings: KubernetesSettings
    open_manifests: Callable[[], Manifests] = _no_manifests
    """What git says now, read when it is asked for."""
    begun: bool = False
    """Whether an earlier attempt of this very action was interrupted after its intent was recorded."""

    def find(self, ref: ObjectRef) -> KubeObject | None:
        """What the cluster has of that name now, `None` when it has nothing."""
        try:
            return self.cluster.read(ref)
        except NotFoundError:
            return None

    def require_may_change(self, ref: ObjectRef) -> None:
        """Raises:
        ForbiddenError: the namespace is protected, or not one of those in which something may be changed.
        """
        require_namespace(self.settings, ref)


@dataclass(frozen=True, kw_only=True)
class ManifestContext(ActContext):
    """One approved plan, the repository of the manifests, and the cluster that they are for, which is only read."""

    cluster: Cluster
    settings: KubernetesSettings
    manifests: Manifests
    """As they are now."""

    @property
    def hosted_repository(self) -> str:
        """The repository as GitHub names it, empty where it is one on this machine."""
        where = self.settings.manifests
        return where.repository or "" if where.hosted else ""

    def require_github(self) -> GithubClient:
        """Raises:
        PermanentError: there is no client.
        """
        if self.github is None:
            raise PermanentError("the manifests are not on GitHub: there is nothing to write to")
        return self.github

    def require_may_change(self, ref: ObjectRef) -> None:
        """Raises:
        ForbiddenError: the namespace is protected, or not one of those in which something may be changed.
        """
        require_namespace(self.settings, ref)

    def require_files_unmoved(self, files: Sequence[str]) -> None:
        """Raises:
        ConflictError: the branch of the manifests has other files there than those that the plan was made on.
        """
        planned, now = self.plan.target_state, self.manifests.commit
        self.workspace.head(self.repository, planned)
        if self.workspace.differ(self.repository, planned, now, files):
            raise ConflictError(f"the plan is void: {', '.join(files)} was changed on {self.manifests.branch} since")

    def require_target_state(self) -> None:
        """The plan was made on the commit of the manifests; whether its files moved is asked by name."""
        self.workspace.head(self.repository, self.plan.target_state)


def require_namespace(settings: KubernetesSettings, ref: ObjectRef) -> None:
    """Raises:
    ForbiddenError: the namespace is protected, or not one of those in which something may be changed.
    """
    if ref.namespace in settings.protected_namespaces:
        raise ForbiddenError(f"{ref} is in a protected namespace, in which nothing is changed")
    if settings.namespaces and ref.namespace not in settings.namespaces:
        raise ForbiddenError(f"{ref}: changes are allowed in {', '.join(settings.namespaces)} only")


def require_not_from_git(item: KubeObject) -> None:
    """Raises:
    ForbiddenError: a GitOps controller keeps the object as git says, so that only git may be changed.
    """
    if manager := gitops_manager(item):
        raise ForbiddenError(f"{item.ref} is kept by {manager}; the change has to be made in git")


class BranchState(Noun):
    """Where the branch of an incident stands; `tip` is `None` before it exists."""

    branch: str
    tip: str | None
    target_state: str


def read_image(kind: type[_Image], document: str) -> _Image:
    """A recorded pre-image or post-image.

    Raises:
        PermanentError: it is none of that kind.
    """
    try:
        return kind.model_validate_json(document)
    except ValueError as error:
        raise PermanentError(f"the recorded state cannot be read: {document[:80]!r}") from error


def action_key(plan: Plan, action: Action) -> str:
    """Names one action of one plan: equal for the same action tried again, different when anything in it differs."""
    position = plan.actions.index(action) if action in plan.actions else len(plan.actions)
    digest = short_hash(action.model_dump_json(), plan.target_state, length=12)
    return f"{plan.incident_id}:{position + 1}:{action.name}:{digest}"
