"""One value changes in the text of a manifest, and nothing else of it does; what cannot be done so is refused."""

import difflib
from typing import Any

import pytest
import yaml

from tasks.domain.field_change import FieldChange, value_of
from tasks.plan.gitops.splice import UnspliceableError, spliced

TEXT = """\
# the cart
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, labels: {app: cart}}   # flow
spec:
  replicas: 2  # two are enough

  template:
    spec:
      containers:
        # the program
        - name: app   # its name
          image: "cart:1"    # pinned
          command: [sh, -c, 'run']
          args:
            - --port
            - "80"
          env:
          - name: A
            value: 'one'
          # between
          - {name: B, value: two}
          resources:
            limits:
              memory: 64Mi
        - image: side:1
          name: side
          script: |
            a
            b
      volumes:
---
kind: Other
a: 1
"""
APP = ("spec", "template", "spec", "containers", "[name=app]")
SIDE = (*APP[:-1], "[name=side]")


def changed(path: tuple[str, ...], value: Any = None, *, remove: bool = False, text: str = TEXT) -> list[str]:
    made = spliced(text, 0, FieldChange(path=path, value=value, remove=remove))
    if not remove:
        assert value_of(next(iter(yaml.safe_load_all(made))), path) == value
    return [line for line in difflib.ndiff(text.splitlines(), made.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        ((*APP, "image"), "cart:2", ['-           image: "cart:1"    # pinned', '+           image: "cart:2"    # pinned']),
        (("spec", "replicas"), 3, ["-   replicas: 2  # two are enough", "+   replicas: 3  # two are enough"]),
        ((*APP, "env", "[name=A]", "value"), "it's", ["-             value: 'one'", "+             value: 'it''s'"]),
        ((*APP, "env", "[name=B]", "value"), "on", ["-           - {name: B, value: two}", "+           - {name: B, value: 'on'}"]),
        ((*APP, "command"), ["run", "now"], ["-           command: [sh, -c, 'run']", "+           command: [run, now]"]),
        ((*APP, "args"), ["--port", "81"], ['-             - "80"', "+             - '81'"]),
        ((*APP, "args", "[#1]"), "81", ['-             - "80"', '+             - "81"']),
        ((*APP, "resources", "limits", "cpu"), "100m", ["+               cpu: 100m"]),
        ((*APP, "resources", "requests", "memory"), "32Mi", ["+             requests:", "+               memory: 32Mi"]),
        ((*APP, "tty"), True, ["+           tty: true"]),
        ((*SIDE, "tty"), True, ["+           tty: true"]),
        ((*APP, "env", "[name=C]"), {"name": "C", "value": "3"}, ["+           - name: C", "+             value: '3'"]),
        (("metadata", "labels", "tier"), "shop", ["- metadata: {name: cart, labels: {app: cart}}   # flow", "+ metadata: {name: cart, labels: {app: cart, tier: shop}}   # flow"]),
        (("status",), "x", ["+ status: x"]),
    ],
)  # fmt: skip
def test_only_that_place_changes(path: tuple[str, ...], value: Any, lines: list[str]) -> None:
    told = [line.rstrip() for line in changed(path, value)]
    assert told == lines


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (("spec", "replicas"), ["-   replicas: 2  # two are enough"]),
        ((*APP, "resources"), ["-           resources:", "-             limits:", "-               memory: 64Mi"]),
        ((*APP, "env", "[name=A]"), ["-           - name: A", "-             value: 'one'"]),
        ((*APP, "env", "[name=B]"), ["-           - {name: B, value: two}"]),
        ((*APP, "args", "[#1]"), ['-             - "80"']),
        ((*SIDE, "image"), ["-         - image: side:1", "-           name: side", "+         - name: side"]),
        ((*SIDE, "script"), ["-           script: |", "-             a", "-             b"]),
        (("metadata", "labels"), ["- metadata: {name: cart, labels: {app: cart}}   # flow", "+ metadata: {name: cart}   # flow"]),
    ],
)  # fmt: skip
def test_only_that_place_goes(path: tuple[str, ...], lines: list[str]) -> None:
    assert changed(path, remove=True) == lines


@pytest.mark.parametrize(
    ("path", "value", "remove"),
    [
        ((*SIDE, "script"), "c", False),
        ((*APP, "resources", "limits", "memory"), None, True),
        ((*APP, "resources"), "none", False),
        ((*APP, "ports", "[#0]", "containerPort"), 80, False),
        ((*APP, "image", "tag"), "x", False),
        ((*APP, "gone"), None, True),
        ((*APP[:-2], "volumes", "[name=v]"), {"name": "v"}, False),
        ((*APP[:-1], "[name=gone]", "image"), "x", False),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(path: tuple[str, ...], value: Any, remove: bool) -> None:
    with pytest.raises(UnspliceableError):
        changed(path, value, remove=remove)


def test_anchor_that_is_used_elsewhere_is_refused() -> None:
    text = "a: &it {v: 1}\nb: *it\n"
    with pytest.raises(UnspliceableError, match="more than"):
        changed(("a", "v"), 2, text=text)


def test_template_is_refused() -> None:
    with pytest.raises(UnspliceableError, match="no plain YAML"):
        changed(("a",), 2, text="a: {{ .Values.a }}\n")


def test_other_document_stays_and_line_ends_are_kept() -> None:
    made = spliced("a: 1\r\nb: 2\r\n---\r\na: 1\r\n", 1, FieldChange(path=("c",), value=3))
    assert made == "a: 1\r\nb: 2\r\n---\r\na: 1\r\nc: 3\r\n"


def test_end_without_a_newline_is_fine() -> None:
    assert spliced("a: 1", 0, FieldChange(path=("b",), value=2)) == "a: 1\nb: 2"
