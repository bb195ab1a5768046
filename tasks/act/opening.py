"""Opens what an action works with: the repository of the failed run, on this machine or as a copy of GitHub's."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tasks.act.context import ActContext, ClusterContext, ManifestContext
from tasks.clients.github import GithubClient
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kustomize import render
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Manifests, Mirrors, Workspace, open_manifests
from tasks.domain.incident import Incident, SignalSource
from tasks.domain.plan import Plan, Remedy
from tasks.errors import PermanentError
from tasks.settings import Settings


@contextmanager
def opened_context(settings: Settings, incident: Incident, plan: Plan, *, fresh: bool = False) -> Iterator[ActContext]:
    """What an action of this plan is given. `fresh` reads again where the failing branch stands on GitHub.

    Raises:
        PermanentError: the signal names no run, or its repository cannot be had.
        TransientError: GitHub cannot be reached now.
    """
    signal, workspace = incident.signal, Workspace(settings.worktrees_root)
    if signal.run is None:
        raise PermanentError("the signal names no run, so there is nothing to act on")
    if signal.source is not SignalSource.GITHUB:
        stored = RunStore(settings.runs_root).read(signal.run.run_id)
        yield ActContext(workspace, Path(stored.repository_path), incident, plan)
        return
    mirrors = Mirrors(settings.mirrors_root)
    with GithubClient.from_settings(settings.github) as github:
        repository = None if fresh else mirrors.known(signal.repository, signal.commit)
        if repository is None:
            remote = github.git_remote(signal.repository)
            repository = mirrors.fetch(remote, signal.repository, branch=signal.branch, commit=signal.commit)
        yield ActContext(workspace, repository, incident, plan, github)


@contextmanager
def opened_cluster(settings: Settings, incident: Incident, plan: Plan) -> Iterator[ClusterContext]:
    """What an action in a cluster is given: the connection of the healer.

    Raises:
        PermanentError: the signal names nothing in a cluster, or no kubeconfig can be used.
    """
    target = incident.signal.cluster
    if target is None:
        raise PermanentError("the signal names nothing in a cluster")
    kubernetes = settings.kubernetes.in_context(target.context)
    with Cluster.from_settings(kubernetes, acting=True) as cluster:
        yield ClusterContext(
            cluster=cluster,
            incident=incident,
            plan=plan,
            settings=kubernetes,
            open_manifests=lambda: _manifests(settings),
        )


@contextmanager
def opened_manifests(settings: Settings, incident: Incident, plan: Plan) -> Iterator[ManifestContext]:
    """What a change of a manifest is given: the repository as it is now, and the cluster to look at.

    Raises:
        PermanentError: the signal names nothing in a cluster, or the repository cannot be had.
        TransientError: GitHub cannot be reached now.
    """
    target = incident.signal.cluster
    if target is None:
        raise PermanentError("the signal names nothing in a cluster")
    kubernetes = settings.kubernetes.in_context(target.context)
    with (
        GithubClient.from_settings(settings.github) as github,
        Cluster.from_settings(kubernetes, acting=True, read_only=True) as cluster,
    ):
        known = open_manifests(settings.kubernetes.manifests, Mirrors(settings.mirrors_root), github, render)
        yield ManifestContext(
            workspace=Workspace(settings.worktrees_root),
            repository=known.repository,
            incident=incident,
            plan=plan,
            github=github if settings.kubernetes.manifests.hosted else None,
            cluster=cluster,
            settings=kubernetes,
            manifests=known,
        )


def opened_for_cluster(
    settings: Settings, incident: Incident, plan: Plan
) -> AbstractContextManager[ClusterContext] | AbstractContextManager[ManifestContext]:
    """What the actions of a plan for a cluster are given: the cluster, or the manifests in git."""
    in_git = any(action.name == Remedy.CHANGE_MANIFEST for action in plan.actions)
    return (opened_manifests if in_git else opened_cluster)(settings, incident, plan)


def _manifests(settings: Settings) -> Manifests:
    with GithubClient.from_settings(settings.github) as github:
        return open_manifests(settings.kubernetes.manifests, Mirrors(settings.mirrors_root), github, render)


@contextmanager
def marking_context(settings: Settings, incident: Incident, plan: Plan) -> Iterator[ActContext]:
    """What a mark is given: GitHub alone, without a copy of the repository."""
    with GithubClient.from_settings(settings.github) as github:
        yield ActContext(Workspace(settings.worktrees_root), settings.mirrors_root, incident, plan, github)
