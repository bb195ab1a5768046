"""Manifests whose own scripts tell what they will come to: what a container prints and ends with, variables that it lacks,
more written than its volume holds, and hosts that no service has. Of a live cluster its logs tell that better.
"""

import difflib
import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.answering import host_in
from tasks.diagnose.analyzers.cluster.calling import said_by
from tasks.diagnose.analyzers.cluster.commands import slip_of
from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote, variables_of, words_of
from tasks.diagnose.analyzers.cluster.saying import listen
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.log_digest import ContainerLog
from tasks.domain.quantity import amount

_MAX_SCRIPT = 20_000
_PRINTS = re.compile(r"\b(?:echo|printf)\s+(?:-\w+\s+)*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)')")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_BRANCHES = re.compile(r"\|\||&&|\bif\b|\bcase\b|\bwhile\b|\bfor\b|\buntil\b|\btrap\b|\bwait\b")
_ENDS = re.compile(r"(?:^|[;\n])\s*(?:exit ([1-9]\d*)|false)\s*;?\s*$")
_WANTS = re.compile(r"\$\{([A-Z][A-Z0-9_]+):?\?|-z \"?\$\{?([A-Z][A-Z0-9_]+)\}?\"?")
_LACKING = r"(?:is |are )?(?:undefined|not set|not defined|missing|required|unset|empty|must be)"
_SHELL = re.compile(r"(?:^|/)(?:ba|da|a|z|k)?sh$")
_STATEMENT = re.compile(r"(?:^|[;\n|&]|\b(?:then|do|else)\s)\s*([a-z][a-z0-9_-]+)(?=\s|$|;)")
_OF_SHELLS = frozenset(
    [
        "set",
        "cd",
        "test",
        "read",
        "exec",
        "export",
        "eval",
        "wait",
        "trap",
        "true",
        "false",
        "then",
        "done",
        "else",
        "elif",
        "fi",
        "esac",
        "unset",
        "shift",
        "return",
        "local",
        "umask",
        "ulimit",
        "source",
        "kill",
        "do",
        "if",
        "for",
        "in",
        "case",
        "while",
        "until",
        "time",
        "type",
        "alias",
        "hash",
        "jobs",
        "let",
        "break",
        "continue",
        "command",
        "dd",
        "nc",
        "ps",
        "rm",
        "tr",
        "wc",
        "id",
        "du",
        "df",
        "ln",
        "od",
        "yes",
        "seq",
        "stat",
        "sync",
        "tty",
        "uname",
        "nice",
        "nohup",
        "pwd",
        "expr",
        "diff",
        "apk",
        "apt",
        "apt-get",
        "yum",
        "pip",
        "pip3",
        "npx",
        "psql",
        "mysql",
        "ip",
        "arp",
        "top",
        "free",
        "watch",
        "zip",
        "bc",
        "node",
        "npm",
        "go",
        "java",
        "ruby",
        "perl",
        "php",
        "host",
        "dig",
        "ping",
        "mount",
    ]
)
_QUICK = re.compile(
    r"^(?:echo|printf|date|true|env|ls|pwd|id|whoami|hostname|uname|mkdir|touch|exit 0)\b|^sleep [1-9]\d?$"
)
_ALWAYS = ("Deployment", "StatefulSet", "DaemonSet")
"""What starts a container again, however it ended."""
_DD = re.compile(r"\bdd\b[^;&|\n]*\bof=(?P<path>/\S+)[^;&|\n]*")
_BLOCKS = re.compile(r"\b(bs|count)=(\d+[kKMG]?)\b")
_ALLOCATED = re.compile(r"\bfallocate -l (?P<size>\d+[kKMG]?)\S* (?P<path>/\S+)")
_OF_CLUSTER = re.compile(
    r"(?<![\w.-])(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.(?P<space>[a-z0-9-]+)\.svc(?:\.[a-z.]+)?(?![\w-])"
)
_HOST_NAMES = re.compile(r"(?:HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVER|SERVICE|BROKERS?)$")
_BARE = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^\s/@]*@)?(?P<name>[a-z](?:[a-z0-9-]*[a-z0-9])?)(?::\d{2,5})?(?:/\S*)?$"
)
_UNITS = {"k": 1024, "K": 1024, "M": 1024**2, "G": 1024**3, "": 1}


def find_told_failures(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each container whose script cannot do what it should."""
    if not snapshot.desired_only:
        return
    for item in snapshot.templates():
        for container in containers_of(item.pod_spec):
            script = "\n".join(words_of(container))[:_MAX_SCRIPT]
            yield from _ends_badly(item, container, script)
            yield from _fails_after_start(item, container)
            yield from _overflows(item, container, script)
        yield from _asks_nobody(snapshot, item)


def _ends_badly(item: KubeObject, container: Json, script: str) -> Iterator[Clue]:
    """What is printed before an end that nothing can keep off is the log that there will be."""
    lines = [double or single for double, single in _PRINTS.findall(script)]
    for name in _wanted(script):
        if lacks(container, name) and f"{name}=" not in script:
            why = f"ends because environment variable {name} is not set"
            yield _clue(item, container, F.K8S_CRASH_ENV, why, f"wants {name}", 0.75)
            return
    slip = _slip_in(script) if words_of(container)[:1] and _SHELL.search(words_of(container)[0]) else ""
    if slip:
        why = f"fails: its script runs {slip!r}, which is not found in usual images (a typo for {slip_of(slip)!r}?)"
        yield _clue(item, container, F.K8S_CRASH_CMD, why, slip, 0.7)
        return
    plain = _QUOTED.sub("''", script)
    end = _ENDS.search(plain)
    if end is None and item.kind in _ALWAYS and _is_soon_done(container):
        why = "ends by itself (exit code 0) as soon as its script is through, and is started again and again"
        yield _clue(item, container, F.K8S_CRASH_APP, why, script[-300:], 0.6)
    if end is None or _BRANCHES.search(plain):
        return
    log = ContainerLog(
        namespace=item.namespace, pod=item.name, container=str(container.get("name")), lines=tuple(lines)
    )
    said = listen([log])
    code = f"with exit code {end[1] or 1}"
    if said is not None and said.rule != "exception":
        yield _clue(item, container, said.failure_class, f"ends {code} because {said.cause}", said.quotes[0].text, 0.7)
        return
    last = f", after it has said: {lines[-1][:200]}" if lines else ""
    yield _clue(item, container, F.K8S_CRASH_APP, f"always ends {code}{last}", end[0].strip(), 0.7)


def _wanted(script: str) -> Iterator[str]:
    """The variables without which the script ends, or says that they are missing."""
    for found in _WANTS.finditer(script):
        name = found[1] or found[2]
        if found[1] or re.search(r"\bexit [1-9]", script) or re.search(rf"\b{name}\b[^;\n]*{_LACKING}", script):
            yield name


def lacks(container: Json, name: str) -> bool:
    """Whether a container is surely not given a variable."""
    return name not in variables_of(container) and not container.get("envFrom")


def _slip_in(script: str) -> str:
    """The first word of a statement that is one slip away from a common command, and is no word of the shell."""
    plain = _QUOTED.sub("''", script)
    words = (found[1] for found in _STATEMENT.finditer(plain))
    return next((word for word in words if word not in _OF_SHELLS and slip_of(word)), "")


def _is_soon_done(container: Json) -> bool:
    words = words_of(container)
    if len(words) < 3 or not _SHELL.search(words[0]) or words[1] != "-c" or container.get("image") is None:
        return False
    statements = [one.strip() for one in re.split(r"[;\n]|&&", _QUOTED.sub("''", words[2])) if one.strip()]
    return bool(statements) and all(_QUICK.match(one) for one in statements)


def _fails_after_start(item: KubeObject, container: Json) -> Iterator[Clue]:
    """A hook that always fails has its container killed as soon as it has started."""
    hook = "\n".join(words_of(mapping_of(dig(container, "lifecycle", "postStart", "exec"))))
    plain = _QUOTED.sub("''", hook)
    end = _ENDS.search(plain)
    if end is not None and not _BRANCHES.search(plain):
        why = "is killed because the hook after its start (postStart) always fails"
        yield _clue(item, container, F.K8S_CRASH_CMD, why, f"postStart: {hook[-200:]}", 0.75)


def _overflows(item: KubeObject, container: Json, script: str) -> Iterator[Clue]:
    """A file that is written larger than the volume or the disk that the container may use."""
    written = [(found["path"], _size(found[0])) for found in _DD.finditer(script)]
    written += [(found["path"], _bytes(found["size"])) for found in _ALLOCATED.finditer(script)]
    for path, size in written:
        limit, what = _room(item, container, path)
        if limit and size > limit:
            why = f"writes {size // 1024**2} MiB to {path}, more than {what} allows, and is evicted for it"
            yield _clue(item, container, F.K8S_NODE_PRESSURE, why, f"{what}; {path}", 0.75)
            return


def _size(command: str) -> int:
    sizes = {key: _bytes(value) for key, value in _BLOCKS.findall(command)}
    return sizes.get("bs", 512) * sizes.get("count", 0)


def _bytes(text: str) -> int:
    unit = text[-1] if text[-1:].isalpha() else ""
    return int(text.removesuffix(unit)) * _UNITS[unit]


def _room(item: KubeObject, container: Json, path: str) -> tuple[float, str]:
    volumes = {row.get("name"): row for row in mappings_of(item.pod_spec.get("volumes"))}
    for mount in mappings_of(container.get("volumeMounts")):
        place = str(mount.get("mountPath") or "").rstrip("/")
        limit = dig(volumes.get(mount.get("name")), "emptyDir", "sizeLimit")
        if place and path.startswith(f"{place}/"):
            return (amount(str(limit)) or 0.0, f"the sizeLimit {limit} of its emptyDir") if limit else (0.0, "")
    limit = dig(container, "resources", "limits", "ephemeral-storage")
    return (amount(str(limit)) or 0.0, f"its limit of ephemeral storage {limit}") if limit else (0.0, "")


def _asks_nobody(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    """A host of this cluster that no service here has: one that was meant for another that is here, or never made."""
    for text in said_by(snapshot, item):
        for found in _OF_CLUSTER.finditer(text):
            name, space = found["name"], found["space"]
            known = space in {other.namespace for other in snapshot.of_kind("Service")}
            if known and snapshot.find("Service", space, name) is None:
                yield _misses(snapshot, item, name, space, text)
                return
    for container in containers_of(item.pod_spec):
        for key, row in variables_of(container).items():
            bare = _BARE.match(str(row.get("value") or "")) if _HOST_NAMES.search(key) else None
            here = [other.name for other in snapshot.of_kind("Service", item.namespace)]
            elsewhere = [o.namespace for o in snapshot.of_kind("Service") if bare and o.name == bare["name"]]
            if elsewhere and item.namespace not in elsewhere and bare:
                yield _is_elsewhere(item, bare["name"], elsewhere[0], f"{key}={row['value']}")
                return
            if bare and bare["name"] not in here and difflib.get_close_matches(bare["name"], here, 1, 0.75):
                yield _misses(snapshot, item, bare["name"], item.namespace, f"{key}={row['value']}")
                return


def _is_elsewhere(item: KubeObject, name: str, space: str, said: str) -> Clue:
    return Clue(
        failure_class=F.K8S_CRASH_CONFIG,
        rule="cluster-told-host",
        cause=f"{item.ref} asks for the service {name}, which is not in its namespace (it is in {space}).",
        target=item.ref,
        quotes=(spec_quote(item, said[:300]),),
        confidence=0.65,
        rank=26,
    )


def _misses(snapshot: ClusterSnapshot, item: KubeObject, name: str, space: str, said: str) -> Clue:
    here = [other.name for other in snapshot.of_kind("Service", space)]
    near = difflib.get_close_matches(name, here, 1, 0.6)
    cause = f"{item.ref} asks for the service {name}, which does not exist in {space}"
    target = item.ref if near else ObjectRef(kind="Service", namespace=space, name=name)
    return Clue(
        failure_class=F.K8S_CRASH_CONFIG if near else F.K8S_CRASH_DEP,
        rule="cluster-told-host",
        cause=f"{cause} (there is {near[0]})." if near else f"{cause}.",
        target=target,
        victims=(item.ref,) if target != item.ref else (),
        quotes=(spec_quote(item, said[:300]),),
        confidence=0.7,
        rank=26,
    )


def _clue(item: KubeObject, container: Json, kind: F, why: str, said: str, confidence: float) -> Clue:
    who = "init container" if container in mappings_of(item.pod_spec.get("initContainers")) else "container"
    return Clue(
        failure_class=kind,
        rule="cluster-told",
        cause=f"{item.ref}: {who} {container.get('name')} {why}.",
        target=item.ref,
        quotes=(spec_quote(item, said),),
        confidence=confidence,
        rank=23,
        host=host_in(said) if kind is F.K8S_CRASH_DEP else "",
    )
