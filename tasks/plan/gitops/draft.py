"""Drafts the change of a manifest in the place of a change of a live object: the same change, as a patch in git."""

from dataclasses import dataclass
from pathlib import Path

from tasks.clients.github import GithubClient
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kustomize import render
from tasks.clients.workspace import BRANCH_PREFIX, Manifests, Mirrors, Workspace, changed_files, open_manifests
from tasks.domain.cluster import KubeObject, Manifest
from tasks.domain.cluster_state import state_digest
from tasks.domain.field_change import FieldChange
from tasks.domain.gitops import GitopsMode, gitops_manager
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Action, Remedy, Risk, patch_digest
from tasks.errors import PermanentError
from tasks.plan.case import Unfit
from tasks.plan.gitops.editing import Checkout, change_files
from tasks.plan.gitops.secrets import shows_a_secret
from tasks.plan.gitops.splice import UnspliceableError, parsed
from tasks.plan.gitops.wanted import IN_GIT, wanted_changes
from tasks.settings import Settings

_CONTEXT_LINES = (3, 1)


@dataclass(frozen=True)
class IntoGit:
    """Tells whether a change has to be made in git, and what it is there."""

    settings: Settings
    incident: Incident
    similar: tuple[SimilarIncident, ...] = ()
    context: str = ""
    """Of the kubeconfig."""

    def wanted_for(self, remedy: str, target: KubeObject) -> bool:
        """Whether the change of this object belongs into git."""
        by_setting = self.settings.kubernetes.gitops is not GitopsMode.OFF and remedy in IN_GIT
        return by_setting or bool(gitops_manager(target))

    def draft(self, action: Action, target: KubeObject) -> Action:
        """The change in git that does what the action would do to the live object.

        Raises:
            Unfit: it cannot be told, found or proven there; the reason says which.
            TransientError: the cluster or the code host cannot be reached now.
        """
        if action.name not in IN_GIT:
            raise Unfit(f"{_keeper(target)}, and {action.name.replace('_', ' ')} is no change of a manifest")
        wanted = self.settings.kubernetes.manifests
        if wanted.repository is None:
            raise Unfit(
                f"{_keeper(target)}, so the change has to be made in git, and no manifests are known "
                "(HEALFLOW_KUBERNETES__MANIFESTS__REPOSITORY)"
            )
        try:
            with GithubClient.from_settings(self.settings.github) as github:
                known = open_manifests(wanted, Mirrors(self.settings.mirrors_root), github, render)
                self._require_no_offer(known, github)
            changes = self._changes(action, target)
            return self._in_checkout(known, action, target, changes)
        except PermanentError as error:
            raise Unfit(str(error)) from error

    def _require_no_offer(self, known: Manifests, github: GithubClient) -> None:
        """A second branch with the same fix helps nobody."""
        wanted = self.settings.kubernetes.manifests
        for other in self.similar:
            branch = BRANCH_PREFIX + other.incident_id
            if other.status is not IncidentStatus.OFFERED:
                continue
            if wanted.hosted:
                tip = github.branches.tip(wanted.repository or "", branch)
            else:
                tip = Workspace(self.settings.worktrees_root).branch_tip(known.repository, branch)
            if tip is not None and tip != known.commit and not self._is_merged(known, tip):
                raise Unfit(f"the fix of {other.incident_id} waits on the branch {branch} to be merged")

    def _is_merged(self, known: Manifests, tip: str) -> bool:
        workspace = Workspace(self.settings.worktrees_root)
        return workspace.holds(known.repository, branch=known.branch, commit=tip) if known.branch else False

    def _changes(self, action: Action, target: KubeObject) -> tuple[FieldChange, ...]:
        """Told from the objects themselves: what was recorded of them has its secrets masked."""
        with Cluster.from_settings(self.settings.kubernetes.in_context(self.context), read_only=True) as cluster:
            live = cluster.read(target.ref)
            if state_digest(live) != action.parameters.get("state"):
                raise Unfit(f"{target.ref} was changed while the plan was made")
            return wanted_changes(action, live, cluster.read)

    def _in_checkout(
        self, known: Manifests, action: Action, target: KubeObject, changes: tuple[FieldChange, ...]
    ) -> Action:
        found = [one for one in known.find_all() if _means(one, target)]
        if len(found) != 1:
            raise Unfit(f"{len(found) or 'no'} manifests in git describe {target.ref}")
        workspace, scratch = Workspace(self.settings.worktrees_root), f"{self.incident.id}-git"
        root = workspace.prepare(known.repository, name=scratch, commit=known.commit)
        try:
            change_files(Checkout(root=root, manifest=found[0], ref=target.ref, render=render), changes)
            files = changed_files(root)
            patch = _patch(workspace, root, files)
        finally:
            workspace.remove(known.repository, scratch)
        return self._action(known, action, files, patch)

    def _action(self, known: Manifests, action: Action, files: tuple[str, ...], patch: str) -> Action:
        where = self.settings.kubernetes.manifests
        wanted = self.settings.kubernetes.gitops
        offer = GitopsMode.BRANCH if wanted is GitopsMode.BRANCH or not where.hosted else GitopsMode.PULL_REQUEST
        branch = BRANCH_PREFIX + self.incident.id
        kept = {key: action.parameters[key] for key in ("kind", "namespace", "name", "state")}
        told = "pull request" if offer is GitopsMode.PULL_REQUEST else "branch"
        return Action(
            name=Remedy.CHANGE_MANIFEST,
            target=action.target,
            parameters={
                **kept,
                "commit": known.commit,
                "base": known.branch,
                "files": "\n".join(files),
                "offer": offer,
                "patch_sha256": patch_digest(patch),
            },
            risk=Risk.LOW,
            summary=f"{action.summary} (in git, as a {told} into {known.branch}: {', '.join(files)})",
            undo=f"delete the branch {branch}" + (" and close its pull request" if told != "branch" else ""),
            preview=patch,
        )


def _keeper(target: KubeObject) -> str:
    manager = gitops_manager(target)
    return f"{target.ref} is kept by {manager}" if manager else "changes are made in git"


def _means(manifest: Manifest, target: KubeObject) -> bool:
    ref, wanted = manifest.ref, target.ref
    return (ref.kind, ref.name) == (wanted.kind, wanted.name) and ref.namespace in ("", wanted.namespace)


def _patch(workspace: Workspace, root: Path, files: tuple[str, ...]) -> str:
    """With as much around the change as shows no secret."""
    try:
        documents = [one for file in files for one in parsed((root / file).read_text(encoding="utf-8"))[1]]
    except (OSError, UnicodeDecodeError, UnspliceableError) as error:
        raise Unfit("a changed file cannot be read again") from error
    for lines in _CONTEXT_LINES:
        patch = workspace.diff(root, context_lines=lines)
        if not shows_a_secret(patch, documents):
            return patch
    raise Unfit("a secret stands in the manifest beside what has to change, and would be shown")
