"""Folders as people make them: tables, cut files, links and other oddities."""

import json
import os
from pathlib import Path

import pytest

from flows.evaluate_clusters import ClusterCase, evaluate_cluster, read_cluster_cases
from flows.explain_cluster import explain_snapshot
from tasks.clients.kubernetes import read_snapshot_folder
from tasks.domain.evaluation import ClusterLabel
from tasks.domain.failure_class import FailureClass as F
from tasks.errors import BadInputError

TABLE = """NAME                      READY   STATUS             RESTARTS   AGE
web-7c67c65579-hr4wn      0/1     ImagePullBackOff   0          2d
web-7c67c65579-lqf4r      0/1     ImagePullBackOff   0          2d
api-5d98ffcfdb-tz4nc      1/1     Running            0          2d
"""
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers: [{name: web, image: "nginx:1.27", envFrom: [{configMapRef: {name: absent}}]}]
"""


def crashing(name: str) -> dict[str, object]:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    state = {"name": "web", "ready": False, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"phase": "Running", "containerStatuses": [{**state, "lastState": ended}]},
    }


def test_rows_of_one_deployment_are_one_cause(tmp_path: Path) -> None:
    (tmp_path / "pods.txt").write_text(TABLE)
    (cause,) = explain_snapshot(tmp_path).causes
    assert str(cause.target) == "Deployment/default/web"
    assert cause.victim_count == 2


def test_what_stands_in_a_table_only_is_less_sure(tmp_path: Path) -> None:
    (tmp_path / "pods.txt").write_text(TABLE)
    tabled = explain_snapshot(tmp_path).causes[0].diagnosis.confidence
    assert tabled < 0.5


def test_name_of_a_plain_pod_is_not_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "pods.txt").write_text(
        "NAME           READY   STATUS   RESTARTS   AGE\nmy-batch-run   0/1     Error    0          2d\n"
    )
    assert [str(cause.target) for cause in explain_snapshot(tmp_path).causes] == ["Pod/default/my-batch-run"]


def test_cut_list_keeps_what_stands_before_the_cut(tmp_path: Path) -> None:
    whole = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": [crashing("web-1"), crashing("web-2")]})
    (tmp_path / "pods.json").write_text(whole[:-40])
    explained = explain_snapshot(tmp_path)
    assert [str(cause.target) for cause in explained.causes] == ["Pod/shop/web-1"]
    assert [source.source for source in explained.evidence.unreadable] == ["pods.json"]
    assert "Pod" not in read_snapshot_folder(tmp_path).listed_kinds


@pytest.mark.parametrize("garbage", ["[" * 200_000, '{"kind": "Pod", "metadata"', "kind: [", "\x00\x01\x02", "{}", ""])
def test_garbage_beside_it_does_not_hide_what_is_wrong(tmp_path: Path, garbage: str) -> None:
    for name in ("a.json", "a.yaml", "a.txt", "a.log"):
        (tmp_path / name).write_text(garbage)
    (tmp_path / "pods.json").write_text(json.dumps({"kind": "PodList", "items": [crashing("web-1")]}))
    assert [cause.diagnosis.failure_class for cause in explain_snapshot(tmp_path).causes] == [F.K8S_OOM]


def test_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "pods.json").write_text(json.dumps({"kind": "PodList", "items": [crashing("web-1")]}))
    (inside / "file.json").symlink_to(outside / "pods.json")
    (inside / "folder").symlink_to(outside)
    with pytest.raises(BadInputError):
        read_snapshot_folder(inside)


def test_pipe_in_the_folder_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pods.json")
    (tmp_path / "web.yaml").write_text(MANIFEST)
    assert [str(cause.target) for cause in explain_snapshot(tmp_path).causes] == ["ConfigMap/shop/absent"]


def test_right_class_of_the_wrong_object_is_not_right(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(MANIFEST)
    case = ClusterCase(id="a", folder=tmp_path)
    right = ClusterLabel(classes=(F.K8S_MOUNT,), objects=("ConfigMap/shop/absent",), words=("does not exist",))
    assert evaluate_cluster(case, right).right
    assert not evaluate_cluster(case, right.model_copy(update={"objects": ("Deployment/shop/web",)})).right
    assert not evaluate_cluster(case, right.model_copy(update={"words": ("quota",)})).right_of_three
    assert not evaluate_cluster(case, ClusterLabel()).right


def test_folder_outside_the_data_is_no_case(tmp_path: Path) -> None:
    cases, beside = tmp_path / "data" / "cases", tmp_path / "data" / "other"
    for folder in (cases, beside, tmp_path / "elsewhere"):
        folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": "a", "dir": "../other"}, {"id": "b", "dir": "../../elsewhere"}, {"id": "c", "log_text": "x"}]
    (cases / "cases.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert [case.id for case in read_cluster_cases(cases)] == ["a"]


def failed_job() -> list[dict[str, object]]:
    owner = {"kind": "Job", "name": "load", "controller": True}
    ended = {"terminated": {"reason": "Error", "exitCode": 1}}
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    return [
        {
            "kind": "Job",
            "metadata": {"name": "load", "namespace": "shop", "uid": "j"},
            "status": {"conditions": [condition]},
        },
        {
            "kind": "Pod",
            "metadata": {"name": "load-1", "namespace": "shop", "uid": "p", "ownerReferences": [owner]},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "load"}]},
            "status": {"phase": "Failed", "containerStatuses": [{"name": "load", "ready": False, "state": ended}]},
        },
    ]


def test_consequence_of_a_cause_is_quoted_by_it(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": failed_job()}))
    (tmp_path / "logs" / "shop" / "load-1").mkdir(parents=True)
    (tmp_path / "logs" / "shop" / "load-1" / "load.log").write_text("dial tcp db:5432: connection refused\n")
    explained = explain_snapshot(tmp_path)
    (cause,) = explained.causes
    assert (str(cause.target), cause.diagnosis.failure_class) == ("Job/shop/load", F.K8S_CRASH_DEP)
    cited = [line.text for line in explained.evidence.lines if line.id in cause.diagnosis.evidence_ids]
    assert any("BackoffLimitExceeded" in text for text in cited)
    assert any("connection refused" in text for text in cited)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("nginx:does-not-exist", True),
        ("your-registry/cart:1", True),
        ("nginx:1.27-alpine", False),
        ("acme/cart:v2", False),
    ],
)
def test_image_named_to_be_replaced_is_doubted(tmp_path: Path, image: str, found: bool) -> None:
    manifest = MANIFEST.replace("nginx:1.27", image).replace(", envFrom: [{configMapRef: {name: absent}}]", "")
    (tmp_path / "web.yaml").write_text(manifest)
    assert [cause.diagnosis.failure_class for cause in explain_snapshot(tmp_path).causes] == (
        [F.K8S_IMAGE_NOTFOUND] if found else []
    )
