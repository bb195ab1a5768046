"""Each planted fault of a real cluster, healed by its safe remedy as the generated accounts, or left alone and told."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from deployments.demo.project import DemoRepository
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.incident import IncidentStatus
from tests.cluster.accounts import generated_accounts
from tests.cluster.treatments import HEALED, REPORTED, TREATMENTS, Treatment
from tests.cluster.ward import Seen, Ward
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]


def chosen(request: pytest.FixtureRequest) -> list[Treatment]:
    """Those whose tests are run."""
    calls = (getattr(item, "callspec", None) for item in request.session.items if item.path == request.path)
    names = {call.params["row"].fault.name for call in calls if call is not None and "row" in call.params}
    return [row for row in TREATMENTS if row.fault.name in names]


@pytest.fixture(scope="module")
def ward(
    request: pytest.FixtureRequest, cluster: Cluster, prefect_server: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ward]:
    folder: Path = tmp_path_factory.mktemp("ward")
    ward = Ward(cluster, chosen(request))
    try:
        ward.make_namespaces()
        with (
            generated_accounts(cluster, ward.namespaces, folder / "accounts.yaml") as kubeconfig,
            pytest.MonkeyPatch.context() as environment,
        ):
            environment.setenv("HEALFLOW_HOME", str(folder / "home"))
            environment.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(kubeconfig))
            environment.setenv("HEALFLOW_KUBERNETES__CONTEXT", "observer")
            environment.setenv("HEALFLOW_KUBERNETES__HEALER_CONTEXT", "healer")
            environment.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
            environment.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "90")
            ward.treat(Healing(DemoRepository(folder / "none")))
        yield ward
    finally:
        ward.remove()


def seen(ward: Ward, row: Treatment) -> Seen:
    if row.fault.name in ward.problems:
        raise ward.problems[row.fault.name]
    return ward.seen[row.fault.name]


@pytest.mark.parametrize("row", HEALED, ids=lambda row: row.fault.name)
def test_fault_with_a_safe_remedy_is_healed_by_it_and_proven(ward: Ward, row: Treatment) -> None:
    found = seen(ward, row)
    assert found.found[0].split(" ")[1] in row.fault.targets, found.found
    assert found.asked_first, "nothing is changed before a person said yes"
    assert [one.status for one in found.outcomes] == [IncidentStatus.HEALED for _ in row.remedies], found.outcomes
    assert [one.action_names for one in found.outcomes] == [(remedy,) for remedy in row.remedies]
    assert len(found.changed) == 1, "only the object that the remedy is for"


@pytest.mark.parametrize("row", REPORTED, ids=lambda row: row.fault.name)
def test_fault_without_a_safe_remedy_is_told_and_left_as_it_is(ward: Ward, row: Treatment) -> None:
    found = seen(ward, row)
    assert [one.status for one in found.outcomes] == [IncidentStatus.REPORTED] * row.reports, found.outcomes
    assert {one.action_names for one in found.outcomes} == {()}
    assert found.changed == (), row.because
    for before, again in pairwise(found.outcomes):
        assert again.fingerprint == before.fingerprint
        assert f"The same was reported in {before.incident_id}" in again.summary
