"""The places in the files of a folder that may say what one field of an object is, the likeliest first.

In a kustomization an overlay says the last word: its patches, its `images` and its `replicas` come before the base.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.domain.cluster import ObjectRef, dig, mappings_of
from tasks.domain.field_change import MISSING, FieldChange, value_of
from tasks.plan.gitops.splice import UnspliceableError, parsed

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MAX_FILES = 500
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class Owner:
    """One document of one file, and the change that would be made in it."""

    file: Path
    number: int
    change: FieldChange


def owners_in_file(file: Path, ref: ObjectRef, change: FieldChange) -> Iterator[Owner]:
    """The documents of a file that describe an object, whole or as a patch of it."""
    for number, document in enumerate(_documents(file)):
        told = dig(document, "metadata", "name")
        if dig(document, "kind") == ref.kind and told and ref.name.endswith(str(told)):
            yield Owner(file, number, change)


def owners_in_kustomization(root: Path, folder: Path, ref: ObjectRef, change: FieldChange) -> list[Owner]:
    """Where the field stands now first, from the outermost overlay inwards; then where it could be added, from the
    base outwards. Nothing outside of the repository is looked at."""
    found: list[Owner] = []
    for file in _files_of(root.resolve(), folder.resolve()):
        found += _transformers(file, ref, change) if file.name in KUSTOMIZATIONS else []
        found += owners_in_file(file, ref, change)
    having = [one for one in found if value_of(_documents(one.file)[one.number], one.change.path) is not MISSING]
    lacking = [one for one in found if one not in having and not change.remove]
    return [*having, *reversed(lacking)]


def _files_of(root: Path, folder: Path, seen: frozenset[Path] = frozenset()) -> list[Path]:
    own = next((folder / name for name in KUSTOMIZATIONS if (folder / name).is_file()), None)
    if own is None or own in seen:
        return []
    found, inner = [own], list[Path]()
    told = next(iter(_documents(own)), None)
    patches = [row.get("path") for row in mappings_of(dig(told, "patches"))]
    named = [*patches, *_listed(told, "patchesStrategicMerge")]
    for name in (*named, *_listed(told, "components"), *_listed(told, "resources"), *_listed(told, "bases")):
        path = (folder / str(name)).resolve() if isinstance(name, str) and "\n" not in name else root.parent
        if not path.is_relative_to(root):
            continue
        if path.is_file():
            found.append(path)
        elif path.is_dir():
            inner += _files_of(root, path, seen | {own, *found})
    return list(dict.fromkeys([*found, *inner]))[:MAX_FILES]


def _listed(document: Any, key: str) -> list[Any]:
    value = dig(document, key)
    return value if isinstance(value, list) else []


def _documents(file: Path) -> list[Any]:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return []
        return parsed(file.read_bytes().decode())[1]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, UnspliceableError):
        return []


def _transformers(file: Path, ref: ObjectRef, change: FieldChange) -> Iterator[Owner]:
    told = next(iter(_documents(file)), None)
    if change.path[-1] == "image" and not change.remove:
        yield from _images(file, told, change)
    if change.path == ("spec", "replicas") and not change.remove:
        for row in mappings_of(dig(told, "replicas")):
            if row.get("name") and ref.name.endswith(str(row["name"])):
                path = ("replicas", f"[name={row['name']}]", "count")
                yield Owner(file, 0, FieldChange(path=path, value=change.value))


def _images(file: Path, told: Any, change: FieldChange) -> Iterator[Owner]:
    name, tag, digest = split_image(str(change.value))
    for number, row in enumerate(mappings_of(dig(told, "images"))):
        if name != (row.get("newName") or row.get("name")):
            continue
        for key, value in (("digest", digest), ("newTag", tag)):
            if key in row and value:
                yield Owner(file, 0, FieldChange(path=("images", f"[#{number}]", key), value=value))


def split_image(image: str) -> tuple[str, str, str]:
    """Name, tag and digest of an image; what it does not have is empty."""
    named, _, digest = image.partition("@")
    head, slash, last = named.rpartition("/")
    short, _, tag = last.partition(":")
    return head + slash + short, tag, digest
