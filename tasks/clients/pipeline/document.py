"""Reads a YAML file into values that know their line: what the workflow parser builds on, so that every refusal names a
place.

Nothing is constructed: tags of other than YAML's core types are refused, keys stay as written (`on` is not a boolean,
as on GitHub), and the size, the depth and the number of values (aliases expanded) are bounded.
"""

import re
from pathlib import Path
from typing import NoReturn

import yaml

from tasks.clients.pipeline.values import Value
from tasks.errors import BadInputError

MAX_BYTES = 524_288  # a larger workflow file is refused; GitHub's own limit is 500 KiB
_MAX_DEPTH = 50
_MAX_VALUES = 100_000

_CORE = "tag:yaml.org,2002:"
_TYPES = {
    f"{_CORE}null": re.compile(r"~|null|Null|NULL|"),
    f"{_CORE}bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    f"{_CORE}int": re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    f"{_CORE}float": re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
}
_KNOWN_TAGS = {*_TYPES, f"{_CORE}str", f"{_CORE}map", f"{_CORE}seq"}


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalar types of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own shape


for _tag, _pattern in _TYPES.items():
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern.pattern})$"), None)


class _Budget:
    """How many values may still be read; aliases make a small file large."""

    def __init__(self) -> None:
        self.left = _MAX_VALUES

    def spend(self, count: int) -> bool:
        self.left -= count
        return self.left >= 0


class Part:
    """One value of the document: where it stands, and what it is once asked for in the right shape."""

    def __init__(self, node: yaml.Node, file: str, path: str, budget: _Budget, depth: int = 0) -> None:
        self._node, self._file, self.path, self._budget, self._depth = node, file, path, budget, depth
        if depth > _MAX_DEPTH:  # an alias may stand inside what it names
            self.fail(f"nested deeper than {_MAX_DEPTH} levels")
        if node.tag not in _KNOWN_TAGS:
            self.fail(f"the tag {node.tag!r} is not allowed here")

    @property
    def line(self) -> int:
        """The line it begins on, from 1."""
        return int(self._node.start_mark.line) + 1

    def fail(self, message: str) -> NoReturn:
        """Refuse the document because of this value.

        Raises:
            BadInputError: always, with file and line.
        """
        where = f" ({self.path})" if self.path else ""
        raise BadInputError(f"{self._file}, line {self.line}: {message}{where}")

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_sequence(self) -> bool:
        """Whether it is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written."""
        return isinstance(self._node, yaml.ScalarNode) and self._node.tag == f"{_CORE}null"

    def mapping(self, known: frozenset[str] | None = None) -> "dict[str, Part]":
        """Its keys in order; keys outside `known` are refused, as GitHub does.

        Raises:
            BadInputError: it is no mapping, or a key is unknown or written twice.
        """
        if not isinstance(self._node, yaml.MappingNode):
            self.fail(f"expected keys with values, found {self._shape()}")
        parts: dict[str, Part] = {}
        for key_node, value_node in self._node.value:
            key = self._child(key_node, self.path)
            name = key.text()
            if name in parts:
                key.fail(f"{name!r} is written twice")
            if known is not None and name not in known:
                key.fail(f"unexpected key {name!r}; known here: {', '.join(sorted(known))}")
            parts[name] = self._child(value_node, f"{self.path}.{name}" if self.path else name)
        return parts

    def sequence(self) -> "list[Part]":
        """Its items.

        Raises:
            BadInputError: it is no list.
        """
        if not isinstance(self._node, yaml.SequenceNode):
            self.fail(f"expected a list, found {self._shape()}")
        return [self._child(node, f"{self.path}[{index}]") for index, node in enumerate(self._node.value)]

    def text(self) -> str:
        """A scalar as it was written.

        Raises:
            BadInputError: it is a list or has keys.
        """
        if not isinstance(self._node, yaml.ScalarNode):
            self.fail(f"expected a text, found {self._shape()}")
        if self._node.tag == f"{_CORE}null":
            return ""
        return str(self._node.value)

    def plain(self, depth: int = 0) -> Value:
        """It and everything below as plain values.

        Raises:
            BadInputError: nested too deeply, or too large once aliases are followed.
        """
        if depth > _MAX_DEPTH:
            self.fail(f"nested deeper than {_MAX_DEPTH} levels")
        if self.is_mapping:
            return {key: part.plain(depth + 1) for key, part in self.mapping().items()}
        if self.is_sequence:
            return [part.plain(depth + 1) for part in self.sequence()]
        return _scalar(self._node.tag, self.text())

    def _child(self, node: yaml.Node, path: str) -> "Part":
        if not self._budget.spend(1):
            self.fail(f"more than {_MAX_VALUES} values once aliases are followed")
        return Part(node, self._file, path, self._budget, self._depth + 1)

    def _shape(self) -> str:
        if self.is_mapping:
            return "keys with values"
        if self.is_sequence:
            return "a list"
        return "nothing" if self.is_empty else f"the text {self.text()[:40]!r}"


def _scalar(tag: str, text: str) -> Value:
    if tag == f"{_CORE}null":
        return None
    if tag == f"{_CORE}bool":
        return text.lower() == "true"
    if tag == f"{_CORE}int":
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text)
    return float(text) if tag == f"{_CORE}float" else text


def read_document(path: Path, file: str) -> Part:
    """Read the YAML file at `path`; `file` is how messages call it.

    Raises:
        BadInputError: there is no such file, it is too large, no UTF-8, or no YAML.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"{file}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise BadInputError(f"{file}: larger than {MAX_BYTES} bytes; no workflow is that large")
    try:
        node = yaml.compose(raw.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadInputError(f"{file}, line {line}: no UTF-8 text, so no workflow") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadInputError(f"{file}, line {line}: no YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise BadInputError(f"{file}, line 1: no YAML: {' '.join(str(error).split())[:200]}") from error
    except RecursionError as error:
        raise BadInputError(f"{file}, line 1: nested too deeply to be a workflow") from error
    if node is None:
        raise BadInputError(f"{file}, line 1: the file is empty")
    return Part(node, file, "", _Budget())
