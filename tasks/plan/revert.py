"""Drafts the revert of the one commit that broke the pipeline."""

import re

from tasks.clients.workspace import stage_revert
from tasks.domain.evidence import Change
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError
from tasks.plan.case import Case, Unfit
from tasks.plan.patches import patch_action

_MAX_SUSPECTS_NAMED = 5
_PLACE = re.compile(r"([\w./-]+\.\w+)(?::\d+|\", line \d+|\(\d+)")


def draft_revert(case: Case) -> Action:
    """Revert the commit to blame, if exactly one is."""
    change = _to_blame(case)
    try:
        stage_revert(case.checkout, change.commit)
    except ConflictError as error:
        raise Unfit(str(error)) from error
    return patch_action(
        case,
        Remedy.REVERT_COMMIT,
        risk=Risk.MEDIUM,
        summary=f"Revert {change.commit[:12]} by {change.author}: {change.summary}",
        parameters={"commit": change.commit},
    )


def _to_blame(case: Case) -> Change:
    changes = case.evidence.changes
    if case.evidence.history.last_green_commit is None:
        raise Unfit("no earlier green run is known, so that no commit can be blamed")
    if not changes:
        raise Unfit("nothing changed since the last green run")
    if len(changes) == 1:
        return changes[0]
    touching: list[Change] = []
    for named in (_failing_file(case), _quoted_files(case)):
        touching = touching or [change for change in changes if named.intersection(change.files)]
    if len(touching) == 1:
        return touching[0]
    suspects = touching or list(changes)
    told = ", ".join(f"{change.commit[:12]} ({change.summary})" for change in suspects[:_MAX_SUSPECTS_NAMED])
    more = len(suspects) - _MAX_SUSPECTS_NAMED
    raise Unfit(f"{len(suspects)} commits are suspect: {told}{f' and {more} more' if more > 0 else ''}")


def _failing_file(case: Case) -> frozenset[str]:
    culprit = case.diagnosis.culprit
    if culprit is None:
        return frozenset()
    return frozenset({(culprit.file or culprit.name.partition("::")[0]).removeprefix("./")})


def _quoted_files(case: Case) -> frozenset[str]:
    """The files that the evidence names with a line, as tracebacks and compilers do."""
    found = (match.group(1) for text in case.quoted_texts for match in _PLACE.finditer(text))
    return frozenset(name.removeprefix("./") for name in found)
