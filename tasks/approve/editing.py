"""Changes parameters of a plan as an approver asked for: a new plan with a new digest, which passes the gate again.

Only what is listed can be changed. In a patch the new value takes the old one's place in the added lines alone, so that
the patch applies where it applied before, and the approver is shown it again. It becomes part of code, and so has to be
of the form that its name asks for: nothing that ends a string, a line or a requirement.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tasks.domain.approval import Approval
from tasks.domain.plan import Action, Plan, Remedy, patch_digest
from tasks.errors import BadInputError

EDITABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Remedy.QUARANTINE_TEST: ("until", "owner"),
        Remedy.PIN_DEPENDENCY: ("requirement",),
        Remedy.ADD_DEPENDENCY: ("requirement",),
    }
)
"""Which parameters of which remedy a person may change; the action's own schema checks the value again."""
MAX_VALUE_CHARACTERS = 200


def editable(plan: Plan) -> Mapping[str, str]:
    """What can be changed, `ACTION_NUMBER.PARAMETER`, with its value now."""
    return {
        f"{number}.{name}": action.parameters[name]
        for number, action in enumerate(plan.actions, 1)
        for name in EDITABLE.get(action.name, ())
        if name in action.parameters
    }


def edit_plan(plan: Plan, approval: Approval) -> Plan:
    """The plan with the values that the approver gave.

    Raises:
        BadInputError: a value names nothing that can be changed, is malformed, or does not stand in the patch.
    """
    known = editable(plan)
    actions = list(plan.actions)
    for key, value in approval.edits.items():
        check_edit(known, key, value)
        number, _, name = key.partition(".")
        actions[int(number) - 1] = _edited(actions[int(number) - 1], name, value.strip())
    told = ", ".join(f"{key.partition('.')[2]} = {value.strip()}" for key, value in approval.edits.items())
    rationale = f"{plan.rationale} Edited by {approval.answered_by} at {approval.answered_at:%H:%M:%S} UTC: {told}."
    return plan.model_copy(update={"actions": tuple(actions), "rationale": rationale, "remembered_incident": None})


def check_edit(known: Mapping[str, str], key: str, value: str) -> None:
    """Raises:
    BadInputError: `key` cannot be changed, or `value` is empty, too long, more than one line, holds what cannot be
        seen, or is not of the form that its name asks for.
    """
    if key not in known:
        raise BadInputError(f"{key[:80]!r} cannot be changed; there is {', '.join(known) or 'nothing to change'}")
    told = value.strip()
    if not told or not told.isprintable() or len(value) > MAX_VALUE_CHARACTERS:
        raise BadInputError(f"{key} has to be one line of at most {MAX_VALUE_CHARACTERS} characters")
    fits, form = _FORMS.get(key.partition(".")[2], (None, ""))
    if fits is not None and told != known[key] and not fits(told, known[key]):
        raise BadInputError(f"{key} has to be {form}")


def _is_owner(value: str, _before: str) -> bool:
    return re.fullmatch(r"[\w@][\w @./+-]*", value) is not None


def _is_day(value: str, before: str) -> bool:
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else None
        return day is not None and (not before or day <= date.fromisoformat(before) + LONGER)
    except (ValueError, OverflowError):
        return False


def _is_requirement(value: str, before: str) -> bool:
    """Versions of the same distribution from the index that is set, and a comment."""
    if set(value) & set("\"'\\"):
        return False
    try:
        wanted = Requirement(_without_comment(value))
        known = Requirement(_without_comment(before)) if before else wanted
    except InvalidRequirement:
        return False
    return wanted.url is None and canonicalize_name(wanted.name) == canonicalize_name(known.name)


def _without_comment(requirement: str) -> str:
    return re.split(r"\s#", requirement, maxsplit=1)[0]


LONGER = timedelta(days=30)
"""By so much at most a test may be skipped longer than was planned."""
_FORMS: Mapping[str, tuple[Callable[[str, str], bool], str]] = MappingProxyType(
    {
        "owner": (_is_owner, "a name, an account or a mail address"),
        "until": (_is_day, f"a day, YYYY-MM-DD, and at most {LONGER.days} days later than planned"),
        "requirement": (_is_requirement, "the same distribution, with other versions at most"),
    }
)
"""What each parameter that can be changed has to look like, the old value given."""


def _edited(action: Action, name: str, value: str) -> Action:
    before = action.parameters[name]
    preview = action.preview
    if preview:
        preview = "".join(_in_added_line(line, before, value) for line in preview.splitlines(keepends=True))
        if preview == action.preview and value != before:
            raise BadInputError(f"{name} does not stand in the patch, so that it cannot be changed there")
    parameters = {**action.parameters, name: value}
    for key, held in action.parameters.items():
        if action.preview and held == patch_digest(action.preview):
            parameters[key] = patch_digest(preview)
    summary = action.summary.replace(before, value)
    return action.model_copy(update={"parameters": parameters, "preview": preview, "summary": summary})


def _in_added_line(line: str, before: str, value: str) -> str:
    return line.replace(before, value) if line.startswith("+") and not line.startswith("+++ ") else line
