"""Programs that manifests carry with them, in a command or in a ConfigMap: a text that is none, a file that is not there, and
variables that Python code asks for and nobody gives.
"""

import ast
import re
import warnings
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.mounts import mounted_source
from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote, words_of
from tasks.diagnose.analyzers.cluster.scripts import lacks
from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, mapping_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_MAX_PROGRAM = 20_000
_PYTHON = re.compile(r"(?:^|/)python[\d.]*$")
_RUNS = re.compile(r"(?:^|/)(?:python[\d.]*|node|ruby|perl|bash|sh|php)$")
_ASKS = re.compile(r"os\.environ\[\s*[\"']([A-Za-z_]\w*)[\"']\s*\](?!\s*=[^=])")


class Program(Noun):
    """A program that a container runs, and where its text stands."""

    text: str
    where: str
    source: ObjectRef


def find_broken_programs(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each container whose program cannot run; of a live cluster its log tells."""
    if not snapshot.desired_only:
        return
    for item in snapshot.templates():
        for container in containers_of(item.pod_spec):
            yield from _lacks_its_file(snapshot, item, container)
            program = _python_of(snapshot, item, container)
            if program is not None:
                yield from _checked(item, container, program)


def _checked(item: KubeObject, container: Json, program: Program) -> Iterator[Clue]:
    error = _syntax_error(program.text)
    name = next((name for name in _ASKS.findall(program.text) if lacks(container, name)), "")
    if error:
        yield _clue(
            item, container, F.K8S_CRASH_APP, f"ends at once: {program.where} has a {error}", error, program.source
        )
    elif name:
        why = f"ends because environment variable {name} is not set, which {program.where} asks for"
        yield _clue(item, container, F.K8S_CRASH_ENV, why, f"os.environ['{name}']", item.ref)


def _python_of(snapshot: ClusterSnapshot, item: KubeObject, container: Json) -> Program | None:
    words = words_of(container)
    if len(words) < 2 or not _PYTHON.search(words[0]):
        return None
    if "-c" in words[:-1]:
        return Program(text=words[words.index("-c") + 1][:_MAX_PROGRAM], where="its program", source=item.ref)
    path = next((word for word in words[1:] if word.endswith(".py")), "")
    text, source = _file(snapshot, item, container, path)
    return Program(text=text[:_MAX_PROGRAM], where=path, source=source) if text and source else None


def _file(
    snapshot: ClusterSnapshot, item: KubeObject, container: Json, path: str
) -> tuple[str | None, ObjectRef | None]:
    """The text of a file out of a ConfigMap: empty where it has none of that name, `None` where nobody can know."""
    pod = KubeObject(raw={"kind": "Pod", "metadata": {"namespace": item.namespace}, "spec": item.pod_spec})
    _, source = mounted_source(pod, str(container.get("name")), path)
    found = snapshot.find("ConfigMap", item.namespace, source.name) if source and source.kind == "ConfigMap" else None
    if found is None:
        return None, None
    return str(mapping_of(found.raw.get("data")).get(path.rsplit("/", 1)[-1]) or ""), found.ref


def _syntax_error(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"syntax error in line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError):
        return ""
    return ""


def _lacks_its_file(snapshot: ClusterSnapshot, item: KubeObject, container: Json) -> Iterator[Clue]:
    words = words_of(container)
    if len(words) < 2 or not _RUNS.search(words[0]) or not words[1].startswith("/"):
        return
    text, source = _file(snapshot, item, container, words[1])
    if text == "" and source is not None and not _has_items(item):
        why = f"cannot start: {words[1]} comes from {source}, which has no such file"
        yield _clue(item, container, F.K8S_CRASH_CMD, why, f"{words[0]} {words[1]}", item.ref)


def _has_items(item: KubeObject) -> bool:
    """Whether files of a ConfigMap may be called otherwise than its keys."""
    return any("items" in mapping_of(row.get("configMap")) for row in item.pod_spec.get("volumes") or ())


def _clue(item: KubeObject, container: Json, kind: F, why: str, said: str, target: ObjectRef) -> Clue:
    return Clue(
        failure_class=kind,
        rule="cluster-program",
        cause=f"{item.ref}: container {container.get('name')} {why}.",
        target=target,
        victims=(item.ref,) if target != item.ref else (),
        quotes=(spec_quote(item, said),),
        confidence=0.8,
        rank=22,
    )
