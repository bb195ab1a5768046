"""Rendering and the image map: what is refused first, then what becomes of an image."""

from pathlib import Path

import pytest

from tasks.clients.kustomize import render
from tasks.errors import BadInputError, PermanentError
from tasks.rollout.images import map_image, map_images, parse_image_map, split_image

DIGEST = "@sha256:" + "a" * 64


def test_kustomize_folder_without_a_binary_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(PermanentError, match="install kubectl or kustomize"):
        render(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "is no YAML"),
        ("just words", "is no object"),
        ("kind: Pod\napiVersion: v1\nmetadata: {}", "without a name"),
        ("# nothing\n", "holds no objects"),
    ],
)
def test_what_is_no_object_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(BadInputError, match=told):
        render(tmp_path)


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="neither a folder nor a file"):
        render(tmp_path / "none")


def test_folder_of_folders_names_those_that_can_be_rendered(tmp_path: Path) -> None:
    for name in ("base", "overlays/quiet"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "kustomization.yaml").write_text("resources: []\n")
    with pytest.raises(BadInputError, match=r"holds no objects; name one of .*: base, overlays/quiet$"):
        render(tmp_path)


def test_plain_manifests_need_no_binary_and_lists_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    row = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}"
    (tmp_path / "a.yaml").write_text(f"{row % 'one'}\n---\napiVersion: v1\nkind: List\nitems: [{row % 'two'}]\n")
    (tmp_path / "notes.txt").write_text("not one of them")
    assert [item["metadata"]["name"] for item in render(tmp_path)] == ["one", "two"]


@pytest.mark.parametrize("text", ["busybox", "=x", "x=", "a b=c"])
def test_image_map_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="FROM=TO"):
        parse_image_map([text])


@pytest.mark.parametrize(
    ("rule", "image", "becomes"),
    [
        ("busybox=other", "busyboxes:1", "busyboxes:1"),
        ("gcr.io/shop=m", "gcr.io/shopping/cart:1", "gcr.io/shopping/cart:1"),
        ("busybox:1.37=x:1", "busybox:1.38", "busybox:1.38"),
        ("busybox=busybox:1.38.0", "busybox:1.38.0" + DIGEST, "busybox:1.38.0"),
        ("gcr.io/shop=mirror:5000/s", "gcr.io/shop/cart:v1", "mirror:5000/s/cart:v1"),
        ("docker.io=mirror.local/hub", "redis:7" + DIGEST, "mirror.local/hub/library/redis:7" + DIGEST),
        ("mirror:5000/cart=cart", "mirror:5000/cart:v1", "cart:v1"),
        ("cart:v1=cart" + DIGEST, "cart:v1", "cart" + DIGEST),
    ],
)
def test_image_is_mapped_only_where_the_whole_name_or_a_whole_part_of_it_fits(
    rule: str, image: str, becomes: str
) -> None:
    assert map_image(image, parse_image_map([rule])) == becomes


def test_most_specific_rule_wins_whatever_the_order() -> None:
    rules = parse_image_map(["gcr.io=a", "gcr.io/shop/cart=b:2", "gcr.io/shop=c"])
    assert map_image("gcr.io/shop/cart:1", rules) == "b:2"


def test_init_containers_are_mapped_and_the_given_object_stays_as_it_was() -> None:
    given = {"spec": {"template": {"spec": {"initContainers": [{"image": "a:1"}], "containers": [{"image": "b:1"}]}}}}
    mapped = map_images(given, parse_image_map(["a=c", "b=d"]))
    assert mapped["spec"]["template"]["spec"] == {
        "initContainers": [{"image": "c:1"}],
        "containers": [{"image": "d:1"}],
    }
    assert given["spec"]["template"]["spec"]["containers"] == [{"image": "b:1"}]


def test_port_of_a_registry_is_no_tag() -> None:
    assert split_image("mirror:5000/cart") == ("mirror:5000/cart", "")
