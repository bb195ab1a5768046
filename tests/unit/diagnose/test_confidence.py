"""A rule's confidence comes from measurement: more cases move it away from the average, and no rule is certain."""

from tasks.diagnose import signatures
from tasks.diagnose.confidence import Measured, Record, confidence_of, measured


def table(**rules: tuple[int, int]) -> Measured:
    return Measured(rules={name: Record(right=right, of=of) for name, (right, of) in rules.items()})


def test_rule_that_was_never_seen_is_as_sure_as_the_average() -> None:
    assert table(a=(3, 4), b=(5, 6)).confidence("new") == 0.8
    assert table().confidence("new") == 0.0


def test_rule_that_was_wrong_is_less_sure_and_none_is_certain() -> None:
    known = table(good=(9, 9), bad=(1, 9), once=(1, 1))
    assert known.confidence("bad") < known.confidence("once") < known.confidence("good") < 1.0


def test_every_rule_has_a_measured_confidence() -> None:
    names = {signature.name for signature in signatures()}
    assert len(measured().rules.keys() & names) >= 20
    assert all(0.2 <= confidence_of(name) < 1.0 for name in names)


def test_no_record_is_of_a_rule_that_is_gone() -> None:
    names = {signature.name for signature in signatures()}
    assert sorted(rule for rule in measured().rules if rule not in names and not rule.startswith("scan.")) == []
