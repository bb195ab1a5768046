"""Turns what a drafter changed in the scratch checkout into an action whose preview is the patch itself."""

from collections.abc import Mapping

from tasks.clients.workspace import BRANCH_PREFIX, diff_of
from tasks.domain.plan import Action, Remedy, Risk, patch_digest
from tasks.plan.case import Case, Unfit

MAX_PATCH_CHARACTERS = 200_000
"""What is larger cannot be judged by a person, and is not proposed."""


def patch_action(case: Case, remedy: Remedy, *, risk: Risk, summary: str, parameters: Mapping[str, str]) -> Action:
    """The action that applies exactly the patch which stands in its preview.

    Raises:
        Unfit: nothing was changed, or too much to read.
    """
    patch = diff_of(case.checkout)
    if not patch:
        raise Unfit("it would change nothing")
    if len(patch) > MAX_PATCH_CHARACTERS:
        raise Unfit(f"its patch has {len(patch.splitlines())} lines, more than a person can judge")
    branch = BRANCH_PREFIX + case.incident.id
    return Action(
        name=remedy,
        target=branch,
        parameters={**parameters, "patch_sha256": patch_digest(patch)},
        risk=risk,
        summary=summary,
        undo=f"delete the branch {branch}, and take its merge back if it was merged",
        preview=patch,
    )
