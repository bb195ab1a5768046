"""The client on a real cluster: reads, guarded patches, dry runs, clear refusals."""

import pytest

from tasks.clients.kubernetes.cluster import PAGE, Cluster
from tasks.domain.cluster import ObjectRef
from tasks.errors import BadInputError, ConflictError, NotFoundError

pytestmark = [pytest.mark.cluster]


def config_map(namespace: str, **data: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prices", "namespace": namespace},
        "data": data,
    }


def ref(namespace: str) -> ObjectRef:
    return ObjectRef(kind="ConfigMap", namespace=namespace, name="prices")


def test_what_does_not_exist_is_not_found(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFoundError, match="prices"):
        cluster.read(ref(namespace))


def test_unknown_field_is_refused(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(BadInputError, match="not declared in schema"):
        cluster.apply({**config_map(namespace), "dta": {}})


def test_dry_run_keeps_nothing(cluster: Cluster, namespace: str) -> None:
    assert cluster.apply(config_map(namespace, tax="19"), dry_run=True).raw["data"] == {"tax": "19"}
    with pytest.raises(NotFoundError):
        cluster.read(ref(namespace))


def test_patch_of_a_moved_target_changes_nothing(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config_map(namespace, tax="19"))
    change = [{"op": "test", "path": "/data/tax", "value": "7"}, {"op": "replace", "path": "/data/tax", "value": "8"}]
    with pytest.raises(ConflictError):
        cluster.patch(ref(namespace), change)
    assert cluster.read(ref(namespace)).raw["data"] == {"tax": "19"}


def test_object_of_another_uid_is_not_deleted(cluster: Cluster, namespace: str) -> None:
    made = cluster.create(config_map(namespace, tax="19"))
    with pytest.raises(ConflictError):
        cluster.delete(made.ref, uid="00000000-0000-0000-0000-000000000000")
    assert cluster.read(made.ref).name == "prices"


def test_list_goes_on_through_all_pages(cluster: Cluster, namespace: str) -> None:
    for number in range(3):
        made = config_map(namespace)
        made["metadata"] = {"name": f"part-{number}", "namespace": namespace}
        cluster.create(made)
    found = [
        item["metadata"]["name"] for item in cluster.list_raw("ConfigMap", namespace=namespace, query={"limit": 1})
    ]
    assert {"part-0", "part-1", "part-2"} <= set(found)
    assert PAGE > 1


def test_values_of_a_secret_are_not_kept(cluster: Cluster, namespace: str) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": namespace},
        "stringData": {"password": "hunter2-hunter2"},
    }
    assert "hunter2" not in cluster.create(manifest).model_dump_json()
