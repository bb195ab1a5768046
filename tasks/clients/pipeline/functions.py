"""The functions of GitHub's expression language; the status functions come from whoever knows the status."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tasks.clients.pipeline.values import ExpressionError, Unavailable, Value, equal, to_text

_MAX_HASHED_FILES = 100_000
_MAX_JSON_CHARACTERS = 1_048_576


def _contains(where: Value, what: Value) -> Value:
    if isinstance(where, Sequence) and not isinstance(where, str):
        return any(equal(item, what) for item in where)
    return to_text(what).lower() in to_text(where).lower()


def _starts_with(text: Value, start: Value) -> Value:
    return to_text(text).lower().startswith(to_text(start).lower())


def _ends_with(text: Value, end: Value) -> Value:
    return to_text(text).lower().endswith(to_text(end).lower())


_HOLE = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


def _format(pattern: Value, *arguments: Value) -> Value:
    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None or int(match[1]) >= len(arguments):
            raise ExpressionError(f"format() cannot fill {match[0]!r} in {to_text(pattern)[:100]!r}")
        return to_text(arguments[int(match[1])])

    return _HOLE.sub(fill, to_text(pattern))


def _join(items: Value, separator: Value = ",") -> Value:
    if isinstance(items, Sequence) and not isinstance(items, str):
        return to_text(separator).join(to_text(item) for item in items)
    return to_text(items)


def _available(value: Value) -> object:
    """The value for JSON, without what this machine does not know."""
    if isinstance(value, Mapping):
        return {key: _available(item) for key, item in value.items() if not isinstance(item, Unavailable)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_available(item) for item in value]
    return value


def _to_json(value: Value) -> Value:
    return json.dumps(_available(value), indent=2, ensure_ascii=False)


def _from_json(text: Value) -> Value:
    source = to_text(text)
    if len(source) > _MAX_JSON_CHARACTERS:
        raise ExpressionError(f"fromJSON() was given more than {_MAX_JSON_CHARACTERS} characters")
    try:
        value: Value = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"fromJSON() was given no JSON: {source[:60]!r}") from error
    return value


def hash_files(workspace: Path, *patterns: Value) -> Value:
    """SHA-256 over the SHA-256 of every matching file below `workspace`, in path order; empty when none matches.

    Raises:
        ExpressionError: a pattern leaves the workspace, or matches too many files.
    """
    found: dict[Path, None] = {}
    for line in "\n".join(to_text(pattern) for pattern in patterns).splitlines():
        pattern = line.strip()
        if not pattern:
            continue
        excluded = pattern.startswith("!")
        for path in _matching(workspace, pattern.removeprefix("!")):
            if excluded:
                found.pop(path, None)
            else:
                found[path] = None
        if len(found) > _MAX_HASHED_FILES:
            raise ExpressionError(f"hashFiles() matches more than {_MAX_HASHED_FILES} files")
    if not found:
        return ""
    total = hashlib.sha256()
    for path in sorted(found):
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _matching(workspace: Path, pattern: str) -> list[Path]:
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise ExpressionError(f"hashFiles() does not read outside the workspace: {pattern!r}")
    try:
        return [path for path in workspace.glob(pattern) if path.is_file() and path.resolve().is_relative_to(workspace)]
    except (ValueError, OSError) as error:
        raise ExpressionError(f"hashFiles() cannot match {pattern!r}: {error}") from error


def plain_functions(workspace: Path | None = None) -> dict[str, Callable[..., Value]]:
    """The functions by lower-case name; `hashFiles` only where there is a workspace."""
    functions: dict[str, Callable[..., Value]] = {
        "contains": _contains,
        "startswith": _starts_with,
        "endswith": _ends_with,
        "format": _format,
        "join": _join,
        "tojson": _to_json,
        "fromjson": _from_json,
    }
    if workspace is not None:
        root = workspace.resolve()
        functions["hashfiles"] = lambda *patterns: hash_files(root, *patterns)
    return functions
