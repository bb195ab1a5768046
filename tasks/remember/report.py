"""The incident as one Markdown page: timeline, quoted evidence, diagnosis, diff, verdict, cost."""

from tasks.domain.markdown import bounded_diff, cause_markdown, inline, prose
from tasks.domain.story import Story

_MARKS = {
    "healed": "✅",
    "reported": "📋",
    "denied": "⛔",
    "rejected": "✋",
    "expired": "⌛",
    "escalated": "🚨",
    "resolved": "🌤️",
    "offered": "⏳",
}
MAX_MEMBERS = 50


def story_markdown(story: Story) -> str:
    """The page; parts that are not known yet are left out."""
    sections = [
        _heading(story),
        _diagnosis(story),
        _plan(story),
        _proof(story),
        _members(story),
        _before(story),
        _cost(story),
    ]
    return "\n\n".join([*(section for section in sections if section), _timeline(story)])


def _heading(story: Story) -> str:
    signal, status = story.incident.signal, story.incident.status
    mark = _MARKS.get(status, "⏳")
    lines = [
        f"# {mark} {story.incident.id} · {status}",
        f"{prose(signal.title)} · {inline(signal.repository)} on {inline(signal.branch)} "
        f"at {inline(signal.commit[:12])}",
    ]
    if story.outcome:
        lines.append(f"**{prose(story.outcome.summary)}**")
    return "\n\n".join(lines)


def _diagnosis(story: Story) -> str:
    if story.diagnosis is None or story.evidence is None:
        return ""
    return cause_markdown(story.diagnosis, story.evidence)


def _plan(story: Story) -> str:
    if story.plan is None:
        return ""
    parts = ["## Plan", prose(story.plan.rationale)]
    for number, action in enumerate(story.plan.actions, 1):
        parts.append(f"{number}. **{prose(action.summary)}** · risk {action.risk} · undo: {prose(action.undo)}")
        if action.preview:
            parts.append(bounded_diff(action.preview))
    if story.decision:
        rules = ", ".join(inline(rule) for rule in story.decision.rules) or "none"
        parts.append(f"Policy: **{story.decision.verdict}**, {prose(story.decision.reason)} (rules: {rules})")
    return "\n\n".join(parts)


def _proof(story: Story) -> str:
    if story.verification is None:
        return ""
    rows = [f"- {'✅' if check.passed else '❌'} {prose(check.told)}" for check in story.verification.checks]
    return "\n\n".join(["## Verification", "\n".join(rows)])


def _members(story: Story) -> str:
    if story.member_count < 2:
        return ""
    rows = [
        " · ".join((f"- {prose(one.signal.title)}", inline(one.joined_by or "the first"), *filter(None, (one.end,))))
        for one in story.members[:MAX_MEMBERS]
    ]
    left = story.member_count - len(rows)
    more = [f"- and {left} more"] if left else []
    return "\n\n".join([f"## One cause, {story.member_count} failures", "\n".join([*rows, *more])])


def _before(story: Story) -> str:
    if not story.similar:
        return ""
    rows = [
        f"- {inline(other.incident_id)} {other.status} on {other.ended_at:%Y-%m-%d %H:%M} UTC by "
        + (", ".join(inline(name) for name in other.action_names) or "nothing")
        for other in story.similar
    ]
    return "\n\n".join(["## Seen before", "\n".join(rows)])


def _cost(story: Story) -> str:
    if story.outcome is None:
        return ""
    proof = f", of which {story.verification.seconds:.1f} s running the job again" if story.verification else ""
    return (
        f"## Cost\n\n{story.outcome.seconds:.1f} s from detection to end{proof}; "
        f"language models: ${story.outcome.spend_usd:.4f}"
    )


def _timeline(story: Story) -> str:
    rows = [f"- `{entry.at:%H:%M:%S}` {prose(entry.what)}" for entry in story.timeline]
    return "\n\n".join(["## Timeline (UTC)", "\n".join(rows)])
