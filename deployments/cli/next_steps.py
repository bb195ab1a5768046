"""What comes after a cause, in one line: what a person can do, and what Healflow would try."""

from tasks.domain.failure_class import FailureClass
from tasks.plan.playbooks import ADVICE, PLAYBOOKS


def next_steps(found: FailureClass) -> str:
    """The advice for a class of failures and the remedies of its playbook."""
    tries = ", ".join(remedy.value.replace("_", " ") for remedy in PLAYBOOKS.get(found, ()))
    advice = ADVICE.get(found, "" if tries else ADVICE[FailureClass.UNKNOWN])
    return " ".join(part for part in (advice, f"Healflow would try: {tries}." if tries else "") if part)
