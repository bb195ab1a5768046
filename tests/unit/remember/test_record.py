"""The outcome of a heal in a cluster says in one sentence what was changed and what proved it."""

import pytest

from tasks.domain.outcome import ActionResult, ActionStatus, Check, Verification
from tasks.domain.story import Remediation
from tasks.remember.record import _healed_there

DONE = "Deployment/shop/cart was rolled back (image of app from cart:typo to cart:1)"
STABLE = "healthy for 31 s on end"


def told(*names: str, results: tuple[str, ...] = (DONE,)) -> str:
    checks = tuple(Check(name=name, passed=True, detail=STABLE) for name in names)
    done = tuple(ActionResult(action_name="a", status=ActionStatus.APPLIED, message=one) for one in results)
    return _healed_there(Remediation(results=done, verification=Verification(passed=True, checks=checks, seconds=40)))


def test_what_was_changed_and_what_proved_it_are_one_sentence() -> None:
    assert told("Deployment/shop/cart") == f"Healed: {DONE}, and since then Deployment/shop/cart was {STABLE}."


@pytest.mark.parametrize(
    ("count", "names"), [(2, "a and b"), (3, "a, b and c"), (4, "a, b, c and d"), (6, "a, b, c and 3 more")]
)
def test_several_proofs_are_named_or_counted(count: int, names: str) -> None:
    assert told(*"abcdef"[:count]).endswith(f"since then {names} were {STABLE}.")


def test_what_became_healthy_by_itself_is_not_called_healed() -> None:
    assert told("Deployment/shop/cart", results=()).startswith("Healthy again before anything was done: Deployment")
