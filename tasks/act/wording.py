"""What stands in a pull request of ours: why, what, and whether and how it was proven."""

import re

from tasks.domain.cluster import ObjectRef
from tasks.domain.incident import Incident
from tasks.domain.markdown import cause_markdown, inline, prose
from tasks.domain.outcome import Verification
from tasks.domain.plan import Plan
from tasks.domain.story import Triage

_MENTION = re.compile(r"@(?=[A-Za-z0-9])")
_CODE = re.compile(r"(?<!\\)(?:(?P<fence>`{3,}).*?(?P=fence)|`[^`\n]*`)", re.DOTALL)
"""A backtick that is escaped begins no code."""


def pull_request_title(triage: Triage) -> str:
    """The plan's first action in one line."""
    return " ".join(triage.plan.actions[0].summary.split())


def pull_request_text(triage: Triage, verification: Verification) -> str:
    """Markdown; outside text is quoted in it and notifies nobody."""
    signal, run = triage.incident.signal, triage.incident.signal.run
    where = f"run {inline(run.run_id)} of {inline(run.workflow)}" if run else "a run"
    link = f" ({run.url})" if run and re.fullmatch(r"https://[\w./:-]+", run.url) else ""
    parts = [
        f"Proposed by Healflow for {where}{link} on {inline(signal.branch)} at {inline(signal.commit[:12])}.",
        cause_markdown(triage.diagnosis, triage.evidence),
        "## Fix",
        prose(triage.plan.rationale),
        "## Proof",
        proof_markdown(verification),
        f"To take it back: `healflow undo {triage.incident.id}`, or close this pull request.",
    ]
    return without_mentions("\n\n".join(parts))


def manifest_text(incident: Incident, plan: Plan, ref: ObjectRef) -> str:
    """What stands in the pull request that changes a manifest; outside text is quoted and notifies nobody."""
    parts = [
        f"Proposed by Healflow for {inline(str(ref))} ({inline(incident.signal.title)}).",
        "## Fix",
        prose(plan.rationale),
        "## Proof",
        "What the manifests come to was compared before and after: nothing but the wanted fields of that object "
        "changes. The cluster was not changed; whether it helps shows once this is merged and applied.",
        f"To take it back: `healflow undo {incident.id}`, or close this pull request.",
    ]
    return without_mentions("\n\n".join(parts))


def proof_markdown(verification: Verification) -> str:
    """Whether the fix was proven, and how."""
    rows = "\n".join(f"- {'✅' if check.passed else '❌'} {prose(check.told)}" for check in verification.checks)
    if verification.passed:
        told = "**Proven.** The failed jobs were run again on Healflow's machine: without the fix and with it."
    else:
        reason = prose(verification.inconclusive or "the failed jobs do not pass with it")
        told = f"**Not proven:** {reason}. The checks of this pull request are its first proof."
    return "\n\n".join(part for part in (told, rows) if part)


def without_mentions(markdown: str) -> str:
    """The text with every `@name` outside of code broken, so that quoting somebody notifies nobody."""
    parts, position = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_MENTION.sub("@\u200b", markdown[position : code.start()]), code[0]]
        position = code.end()
    return "".join([*parts, _MENTION.sub("@\u200b", markdown[position:])])
