"""One recorded output of a command about a cluster: what it is, by what it says.

Some recorders put a line of JSON before the output that names the tool and what it was asked; without one, the output's
own look decides.
"""

import json
import re
from collections.abc import Sequence

from tasks.clients.kubernetes.described import add_described
from tasks.clients.kubernetes.documents import add_documents
from tasks.clients.kubernetes.gathering import Gathering
from tasks.clients.kubernetes.tables import KINDS, add_events, add_named, add_pods, kind_of
from tasks.domain.base import Noun
from tasks.domain.cluster import mapping_of

_COMMAND = re.compile(r"kubectl\s+(?P<verb>describe|logs|get|events|top)\b(?P<rest>.*)")
_REFUSED = re.compile(
    r"^(?:Error from server|error:|Command `kubectl|No resources found|No events found|Unable to connect)"
)
_POD_HEADING = re.compile(r"^(?:NAMESPACE\s+)?NAME\s+READY\s+STATUS\s+RESTARTS")
_NAMED_HEADING = re.compile(r"^(?:NAMESPACE\s+)?NAME\s")


class Asked(Noun):
    """What the recorder says was asked."""

    tool: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    previous: bool = False


def add_recorded(text: str, source: str, into: Gathering) -> bool:
    """Take a recorded output; `False` when the text does not look like one."""
    asked, lines = _unwrap(text)
    if asked is None and not _looks_recorded(lines):
        return False
    into.recorded = True
    lines = _without_streams(lines)
    asked = asked or Asked()
    if not lines or _REFUSED.match(lines[0]):
        return True
    if "log" in asked.tool and asked.name:
        into.add_log(asked.namespace or "default", asked.name, "", _log_lines(lines), previous=asked.previous)
    elif not _add_shaped(lines, asked, source, into) and not add_documents("\n".join(lines), into):
        into.add_text(source, "\n".join(lines))
    return True


def _unwrap(text: str) -> tuple[Asked | None, list[str]]:
    """The recorder's own lines of JSON, and the output below them."""
    lines = text.splitlines()
    asked: Asked | None = None
    while lines and lines[0].startswith("{") and lines[0].rstrip().endswith("}"):
        try:
            said = json.loads(lines[0])
        except ValueError:
            break
        if not isinstance(said, dict) or not {"tool_name", "schema_version", "toolset_name"} & said.keys():
            break
        asked = _asked(said, asked)
        lines = lines[1:]
    return asked, lines


def _asked(said: dict[str, object], before: Asked | None) -> Asked:
    params = mapping_of(said.get("match_params") or said.get("params"))
    tool = str(said.get("tool_name") or (before.tool if before else ""))
    known = before or Asked()
    return Asked(
        tool=tool,
        kind=kind_of(str(params.get("kind") or params.get("resource_type") or "")) if params else known.kind,
        name=str(params.get("name") or params.get("pod_name") or params.get("resource_name") or known.name),
        namespace=str(params.get("namespace") or known.namespace),
        previous="previous" in tool or known.previous,
    )


def _looks_recorded(lines: Sequence[str]) -> bool:
    first = next((line for line in lines if line.strip()), "")
    described = bool(re.match(r"^Name:\s+\S", first)) and any(line.startswith("Labels:") for line in lines[:40])
    return described or bool(_POD_HEADING.match(first)) or bool(re.match(r"^(?:NAMESPACE\s+)?LAST SEEN\s+TYPE", first))


def _without_streams(lines: list[str]) -> list[str]:
    """Recorders that print `stdout:` and `stderr:` mean the first."""
    if "stdout:" in lines[:3]:
        lines = lines[lines.index("stdout:") + 1 :]
        if "stderr:" in lines:
            lines = lines[: len(lines) - 1 - lines[::-1].index("stderr:")]
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _log_lines(lines: Sequence[str]) -> list[str]:
    """Without the report that a recorder prints around what it found."""
    kept: list[str] = []
    within = True
    for line in lines:
        if line.strip() and set(line.strip()) == {"="}:
            within = not kept and within
            continue
        if line.startswith(("LOG QUERY METADATA", "Query Parameters:", "Total logs found")):
            return kept
        kept.append(line.split("\r")[-1] if "\r" in line else line)
    return kept


def _add_shaped(lines: list[str], asked: Asked, source: str, into: Gathering) -> bool:
    first = lines[0]
    namespace = asked.namespace or "default"
    if re.match(r"^Name:\s", first):
        add_described(lines, asked.kind or "Pod", source, into)
    elif re.match(r"^(?:NAMESPACE\s+)?LAST SEEN\s+TYPE", first):
        add_events(lines, namespace, source, into)
    elif _POD_HEADING.match(first):
        add_pods(lines, namespace, into)
    elif _NAMED_HEADING.match(first) and asked.kind in KINDS.values() and not first.count("├"):
        add_named(lines, asked.kind, namespace, into)
        if "by_kind" in asked.tool:
            into.listed_kinds.add(asked.kind)
    elif asked.kind == "Pod" and "find" in asked.tool:
        add_pods(lines, namespace, into)
    else:
        return False
    return True
