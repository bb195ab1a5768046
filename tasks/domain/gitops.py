"""Whether an object belongs to a GitOps controller, which would take a change of the live object back, and how a
change is made in git instead."""

from enum import StrEnum

from tasks.domain.cluster import KubeObject

_MARKS = (
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
)
"""https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/ and
https://fluxcd.io/flux/components/kustomize/kustomizations/"""


class GitopsMode(StrEnum):
    """What a change of a live object becomes: itself, a branch of ours, or a pull request from one."""

    OFF = "off"
    BRANCH = "branch"
    PULL_REQUEST = "pull_request"


def gitops_manager(item: KubeObject) -> str:
    """The controller that keeps the object as git says, empty when none does."""
    return next((name for key, name in _MARKS if key in item.labels or key in item.annotations), "")
