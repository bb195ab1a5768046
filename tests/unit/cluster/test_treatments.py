"""Every fault that is planted on a real cluster is treated there too: by a remedy, or with a reason for none."""

from tasks.domain.plan import CLUSTER_REMEDIES
from tests.cluster.faults import FAULTS
from tests.cluster.treatments import HEALED, REPORTED, TREATMENTS


def test_every_planted_fault_is_treated() -> None:
    assert {fault.name for fault in FAULTS} <= {row.fault.name for row in TREATMENTS}


def test_each_treatment_is_of_a_fault_of_its_own() -> None:
    names = [row.fault.name for row in TREATMENTS]
    assert len(names) == len(set(names))


def test_what_is_not_healed_is_left_alone_for_a_reason() -> None:
    assert all(row.because for row in REPORTED)
    assert all(CLUSTER_REMEDIES.issuperset(row.remedies) and not row.because for row in HEALED)
