"""A pod is known for a pod of its workload by its name, where its name is made as Kubernetes makes it."""

import pytest

from tasks.domain.owning import owners_by_name


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [
        ("Pod", "cart-7b9d5c4f6-xw2zt", ("Deployment", "cart")),
        ("Pod", "cart-api-6c8b5b4d7f-x2v9q", ("Deployment", "cart-api")),
        ("Pod", "redis-0", ("StatefulSet", "redis")),
        ("Pod", "node-exporter-4k7xz", ("DaemonSet", "node-exporter")),
        ("Pod", "report-29153220-q8jxs", ("CronJob", "report")),
        ("ReplicaSet", "cart-7b9d5c4f6", ("Deployment", "cart")),
        ("Job", "report-29153220", ("CronJob", "report")),
    ],
)
def test_workload_is_among_what_the_name_could_come_from(kind: str, name: str, owner: tuple[str, str]) -> None:
    assert owner in owners_by_name(kind, name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Pod", "cart"),
        ("Pod", "cart-canary"),
        ("Pod", "cart-api-7b9d5"),
        ("Deployment", "cart-7b9d5c4f6"),
        ("Job", "j-1"),
    ],
)
def test_name_that_is_not_made_so_names_no_deployment_or_cron_job(kind: str, name: str) -> None:
    assert not {"Deployment", "CronJob"} & {owner for owner, _ in owners_by_name(kind, name)}
