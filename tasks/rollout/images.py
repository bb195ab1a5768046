"""The image map: which images of a release are taken from somewhere else, or in another version."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.domain.base import Noun
from tasks.errors import BadInputError

_DEFAULT_REGISTRY = "docker.io/"


class ImageRule(Noun):
    """`source` is a name, the beginning of one up to a slash, or a name with its tag or digest; `replacement` stands
    for it. A tag or digest in the replacement of a whole name replaces the one that was there."""

    source: str
    replacement: str


def parse_image_map(texts: Sequence[str]) -> tuple[ImageRule, ...]:
    """Rules from `FROM=TO`, the most specific first.

    Raises:
        BadInputError: a text is not of that form.
    """
    rules = []
    for text in texts:
        source, _, replacement = (part.strip().rstrip("/") for part in text.partition("="))
        if not source or not replacement or any(character.isspace() for character in source + replacement):
            raise BadInputError(f"an image map is FROM=TO, as in docker.io=mirror.example/hub, not {text[:120]!r}")
        rules.append(ImageRule(source=source, replacement=replacement))
    return tuple(sorted(rules, key=lambda rule: len(rule.source), reverse=True))


def map_images(document: Any, rules: Sequence[ImageRule]) -> Any:
    """A copy of an object in which the images of all its containers, wherever they stand, are mapped."""
    if isinstance(document, Mapping):
        copied = {key: map_images(value, rules) for key, value in document.items()}
        for key in ("containers", "initContainers", "ephemeralContainers"):
            if isinstance(copied.get(key), list):
                copied[key] = [_mapped(row, rules) for row in copied[key]]
        return copied
    return [map_images(item, rules) for item in document] if isinstance(document, list) else document


def _mapped(container: Any, rules: Sequence[ImageRule]) -> Any:
    if isinstance(container, dict) and isinstance(container.get("image"), str):
        return {**container, "image": map_image(container["image"], rules)}
    return container


def map_image(image: str, rules: Sequence[ImageRule]) -> str:
    """The image by the first rule that fits; by none of them it stays."""
    name, version = split_image(image)
    for rule in rules:
        for known in dict.fromkeys((name, _qualified(name))):
            if rule.source == known + version or rule.source == known:
                replaced = split_image(rule.replacement)
                exact = rule.source != known
                return rule.replacement if replaced[1] or exact else rule.replacement + version
            if known.startswith(rule.source + "/"):
                return rule.replacement + known[len(rule.source) :] + version
    return image


def split_image(image: str) -> tuple[str, str]:
    """Name, and `:tag`, `@digest` or both, empty when there is neither; a registry's port is part of the name."""
    bare, at, digest = image.partition("@")
    slash = bare.rfind("/")
    colon = bare.find(":", slash + 1)
    name = bare if colon < 0 else bare[:colon]
    return name, bare[len(name) :] + at + digest


def _qualified(name: str) -> str:
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return _DEFAULT_REGISTRY + (name if slash else f"library/{name}")
