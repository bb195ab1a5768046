"""A wanted change is made in the one file that owns the field, and only where rendering shows nothing else changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.kustomize import render
from tasks.domain.cluster import Manifest, ObjectRef
from tasks.domain.field_change import FieldChange, field_changes
from tasks.errors import BadInputError
from tasks.plan.case import Unfit
from tasks.plan.gitops.editing import Checkout, change_files

CART = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart  # the cart
spec:
  template:
    spec:
      containers:
        - name: app
          image: shop/cart:1
          env:
            - name: REGION
              value: eu
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {selector: {app: basket}}\n"
REF = ObjectRef(kind="Deployment", namespace="shop", name="cart")
APP = ("spec", "template", "spec", "containers", "[name=app]")
IMAGE = FieldChange(path=(*APP, "image"), value="shop/cart:2", before="shop/cart:1")
REGION = FieldChange(path=(*APP, "env", "[name=REGION]", "value"), value="us", before="eu")
REPLICAS = FieldChange(path=("spec", "replicas"), value=2, before=0)
KUSTOMIZE = pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")), reason="neither kubectl nor kustomize is installed"
)


class Files:
    """A checkout with files, and what became of them."""

    def __init__(self, root: Path, path: str, files: dict[str, str]) -> None:
        self.root, self.before = root, files
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        manifest = Manifest(ref=REF.model_copy(update={"namespace": ""}), commit="a" * 40, path=path)
        self.checkout = Checkout(root=root, manifest=manifest, ref=REF, render=render)

    def change(self, *changes: FieldChange) -> dict[str, str]:
        change_files(self.checkout, changes)
        return self.changed()

    def changed(self) -> dict[str, str]:
        now = {name: (self.root / name).read_text() for name in self.before}
        return {name: text for name, text in now.items() if text != self.before[name]}


def overlay(root: Path, kustomization: str, **more: str) -> Files:
    files = {
        "base/kustomization.yaml": "resources: [cart.yaml, service.yaml]\n",
        "base/cart.yaml": CART,
        "base/service.yaml": SERVICE,
        "prod/kustomization.yaml": f"namespace: shop\nresources: [../base]\n{kustomization}",
    }
    return Files(
        root, "prod/kustomization.yaml", {**files, **{f"prod/{name}.yaml": text for name, text in more.items()}}
    )


# ---- plain manifests


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (IMAGE.model_copy(update={"before": "shop/cart:0"}), "says another"),
        (IMAGE.model_copy(update={"value": "shop/cart:1", "before": "shop/cart:2"}), "has it so already"),
        (FieldChange(path=(*APP, "env", "[name=GONE]"), remove=True), "has it so already"),
        (FieldChange(path=(*APP[:-1], "[name=side]", "image"), value="x"), "does not describe"),
    ],
)
def test_what_git_does_not_say_is_not_changed(tmp_path: Path, change: FieldChange, why: str) -> None:
    files = Files(tmp_path, "cart.yaml", {"cart.yaml": CART})
    with pytest.raises(Unfit, match=why):
        files.change(change)
    assert files.changed() == {}


@pytest.mark.parametrize(
    "text",
    [
        CART.replace("image: shop/cart:1", "image: &it shop/cart:1\n          command: [*it]"),
        CART.replace("shop/cart:1", "{{ .Values.image }}"),
        CART + "---\n" + CART,
        CART.replace("  name: cart", "  name: cart\n  namespace: pay"),
    ],
)
def test_file_in_which_more_would_change_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    files = Files(tmp_path, "cart.yaml", {"cart.yaml": text})
    with pytest.raises((Unfit, BadInputError)):
        files.change(IMAGE)
    assert files.changed() == {}


def test_too_many_changes_are_left_to_a_person(tmp_path: Path) -> None:
    files = Files(tmp_path, "cart.yaml", {"cart.yaml": CART})
    with pytest.raises(Unfit, match="31 fields"):
        files.change(*[FieldChange(path=("spec", f"f{number}"), value=1) for number in range(31)])


def test_comments_and_everything_else_stay(tmp_path: Path) -> None:
    files = Files(tmp_path, "all.yaml", {"all.yaml": f"# first\n{SERVICE}---\n{CART}"})
    changed = files.change(IMAGE, REGION, REPLICAS)
    wanted = f"# first\n{SERVICE}---\n{CART}".replace("cart:1", "cart:2").replace("value: eu", "value: us")
    assert changed == {"all.yaml": wanted + "  replicas: 2\n"}


# ---- kustomizations


@KUSTOMIZE
def test_field_of_the_base_is_changed_in_the_base(tmp_path: Path) -> None:
    assert overlay(tmp_path, "").change(IMAGE) == {"base/cart.yaml": CART.replace("cart:1", "cart:2")}


@KUSTOMIZE
def test_field_of_a_patch_is_changed_in_the_patch(tmp_path: Path) -> None:
    patch = "# prod has more\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec: {replicas: 0}\n"
    files = overlay(tmp_path, "patches: [{path: more.yaml}]\n", more=patch)
    assert files.change(REPLICAS) == {"prod/more.yaml": patch.replace("replicas: 0", "replicas: 2")}


@KUSTOMIZE
@pytest.mark.parametrize(
    ("kustomization", "change", "wanted"),
    [
        ("images: [{name: shop/cart, newTag: '1'}]\n", IMAGE, ("newTag: '1'", "newTag: '2'")),
        ("images:\n- name: shop/cart  # ours\n  newName: shop/cart\n  newTag: \"1\"\n", IMAGE, ('newTag: "1"', 'newTag: "2"')),
        ("replicas:\n  - name: cart\n    count: 0\n", REPLICAS, ("count: 0", "count: 2")),
    ],
)  # fmt: skip
def test_field_of_a_transformer_is_changed_there(
    tmp_path: Path, kustomization: str, change: FieldChange, wanted: tuple[str, str]
) -> None:
    files = overlay(tmp_path, kustomization)
    before = files.before["prod/kustomization.yaml"]
    assert files.change(change) == {"prod/kustomization.yaml": before.replace(*wanted)}


@KUSTOMIZE
def test_new_field_is_added_to_the_base(tmp_path: Path) -> None:
    added = FieldChange(path=(*APP, "env", "[name=MODE]"), value={"name": "MODE", "value": "fast"})
    changed = overlay(tmp_path, "").change(added)
    assert changed == {"base/cart.yaml": CART + "            - name: MODE\n              value: fast\n"}


@KUSTOMIZE
@pytest.mark.parametrize(
    ("kustomization", "change"),
    [
        ("images: [{name: shop/cart, newName: mirror/cart, newTag: '1'}]\n", IMAGE.model_copy(update={"before": "mirror/cart:1"})),
        ("patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: cart}\n    spec: {replicas: 0}\n", REPLICAS),
    ],
)  # fmt: skip
def test_field_that_no_file_owns_alone_is_left_to_a_person(
    tmp_path: Path, kustomization: str, change: FieldChange
) -> None:
    files = overlay(tmp_path, kustomization)
    with pytest.raises(Unfit, match="no file of"):
        files.change(change)
    assert files.changed() == {}


@KUSTOMIZE
def test_base_that_serves_two_objects_is_not_changed_for_one(tmp_path: Path) -> None:
    """The same base comes in twice, under two prefixes: its change would change both."""
    twice = "resources: [one, two]\n"
    one, two = (f"namePrefix: {name}-\nresources: [../../base]\n" for name in ("one", "two"))
    files = Files(
        tmp_path,
        "prod/kustomization.yaml",
        {
            "base/kustomization.yaml": "resources: [cart.yaml]\n",
            "base/cart.yaml": CART,
            "prod/kustomization.yaml": twice,
            "prod/one/kustomization.yaml": one,
            "prod/two/kustomization.yaml": two,
        },
    )
    ref = REF.model_copy(update={"name": "one-cart"})
    checkout = Checkout(root=tmp_path, manifest=files.checkout.manifest, ref=ref, render=render)
    with pytest.raises(Unfit, match="more or something else would change"):
        change_files(checkout, (IMAGE,))
    assert files.changed() == {}


@KUSTOMIZE
def test_resource_outside_of_the_repository_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(CART)
    root = tmp_path / "inside"
    files = overlay(root, "patches: [{path: ../../outside.yaml}]\n")
    with pytest.raises(Exception, match="cannot be rendered"):
        files.change(IMAGE)
    assert (tmp_path / "outside.yaml").read_text() == CART


# ---- what differs


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b = 2"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b gone"]),
        ({"c": [{"name": "x", "v": 1}, {"name": "y"}]}, {"c": [{"name": "y"}, {"name": "x", "v": 2}]}, ["c[name=x].v = 2"]),
        ({"c": [{"name": "x"}]}, {"c": [{"name": "y"}]}, ["c[name=x] gone", "c[name=y] = {'name': 'y'}"]),
        ({"p": [{"port": 1, "to": 2}]}, {"p": [{"port": 1, "to": 3}]}, ["p[#0].to = 3"]),
        ({"args": ["a"]}, {"args": ["a", "b"]}, ["args = ['a', 'b']"]),
    ],
)  # fmt: skip
def test_changes_are_the_smallest(before: Any, after: Any, told: list[str]) -> None:
    found = field_changes(before, after)
    assert [f"{one} gone" if one.remove else f"{one} = {one.value}" for one in found] == told
