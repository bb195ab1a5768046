"""What git describes, added to what was read of a cluster, so that it can be planned with."""

from collections.abc import Callable

from tasks.clients.github import GithubClient
from tasks.clients.kustomize import render
from tasks.clients.workspace import Mirrors, open_manifests
from tasks.domain.cluster import ClusterSnapshot
from tasks.errors import HealflowError
from tasks.settings import Settings

Tell = Callable[[str], None]


def with_manifests(settings: Settings, snapshot: ClusterSnapshot, *, tell: Tell) -> ClusterSnapshot:
    """The snapshot with the manifests that the settings name. Where they cannot be read `tell` hears why, and the
    plan is made without them."""
    wanted = settings.kubernetes.manifests
    if wanted.repository is None:
        return snapshot
    try:
        with GithubClient.from_settings(settings.github) as github:
            known = open_manifests(wanted, Mirrors(settings.mirrors_root), github, render)
        return snapshot.model_copy(update={"manifests": known.find_all()})
    except HealflowError as error:
        tell(f"the manifests in {wanted.repository} cannot be read: {error}")
        return snapshot
