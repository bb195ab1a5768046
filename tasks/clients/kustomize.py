"""Renders a release: a kustomize folder through `kustomize` or `kubectl kustomize`, plain YAML by reading it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tasks.domain.cluster import mapping_of
from tasks.errors import BadInputError, PermanentError, TransientError
from tasks.settings import variables_of_this_machine

RENDER_SECONDS = 60.0
_MARKERS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MAX_MESSAGE = 600
_MAX_FOLDERS = 5
_LOG_PREFIX = re.compile(r'^E\d{4} \S+ +\d+ \S+\] "command failed" err=')
"""How kubectl begins the message of kustomize."""
Manifest = dict[str, Any]


def render(path: Path, *, timeout_seconds: float = RENDER_SECONDS) -> tuple[Manifest, ...]:
    """The objects of a kustomize folder, of a folder of manifests (not of those below it), or of one file.

    Raises:
        BadInputError: there is nothing there, it is no YAML, or something in it is no object.
        PermanentError: it needs kustomize, and neither `kustomize` nor `kubectl` is installed.
        TransientError: rendering took too long.
    """
    if path.is_file():
        found = _read(path)
    elif path.is_dir() and any((path / name).is_file() for name in _MARKERS):
        found = _parse(_kustomize(path, timeout_seconds), str(path))
    elif path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
        found = tuple(item for file in files for item in _read(file))
    else:
        raise BadInputError(f"{path} is neither a folder nor a file of manifests")
    if not found:
        raise BadInputError(f"{path} holds no objects{_below(path)}")
    return found


def _below(path: Path) -> str:
    """Which kustomize folders stand in one that holds nothing itself."""
    found = sorted({file.parent for name in _MARKERS for file in path.glob(f"*/{name}")})
    found += sorted({file.parent for name in _MARKERS for file in path.glob(f"*/*/{name}")})
    told = ", ".join(str(folder.relative_to(path)) for folder in found[:_MAX_FOLDERS])
    return f"; name one of the kustomize folders in it: {told}" if told else ""


def _kustomize(folder: Path, timeout_seconds: float) -> str:
    command = _command(folder)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
            env=variables_of_this_machine(("PATH", "HOME")),
        )
    except subprocess.TimeoutExpired as error:
        raise TransientError(f"{folder} was not rendered within {timeout_seconds:.0f} s") from error
    if done.returncode != 0:
        said = _LOG_PREFIX.sub("", done.stderr.strip())
        raise BadInputError(f"{folder} cannot be rendered: {said[-_MAX_MESSAGE:]}")
    return done.stdout


def _command(folder: Path) -> list[str]:
    kustomize, kubectl = shutil.which("kustomize"), shutil.which("kubectl")
    if kustomize:
        return [kustomize, "build", str(folder)]
    if kubectl:
        return [kubectl, "kustomize", str(folder)]
    raise PermanentError(f"{folder} is a kustomize folder: install kubectl or kustomize, or name a folder of manifests")


def _read(file: Path) -> tuple[Manifest, ...]:
    try:
        return _parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file} cannot be read ({error})") from error


def _parse(text: str, where: str) -> tuple[Manifest, ...]:
    try:
        return tuple(item for document in yaml.safe_load_all(text) for item in _objects(document, where))
    except yaml.YAMLError as error:
        raise BadInputError(f"{where} is no YAML: {' '.join(str(error).split())[:_MAX_MESSAGE]}") from error


def _objects(document: object, where: str) -> Iterator[Manifest]:
    if document is None:
        return
    if not isinstance(document, dict) or not (document.get("apiVersion") and document.get("kind")):
        raise BadInputError(f"{where} holds something without apiVersion and kind, which is no object")
    if str(document["kind"]).endswith("List") and isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _objects(item, where)
        return
    if not mapping_of(document.get("metadata")).get("name"):
        raise BadInputError(f"{where} holds a {document['kind']} without a name")
    yield document
