"""Commands in manifests that are plainly misspelt, as far as a manifest can show it."""

import difflib
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_COMMON = tuple(
    [
        "awk",
        "bash",
        "busybox",
        "cat",
        "chmod",
        "chown",
        "cp",
        "curl",
        "cut",
        "date",
        "dig",
        "echo",
        "env",
        "find",
        "git",
        "go",
        "grep",
        "gunzip",
        "head",
        "httpd",
        "java",
        "jq",
        "kubectl",
        "ls",
        "make",
        "mkdir",
        "mongod",
        "mv",
        "mysqld",
        "nginx",
        "node",
        "npm",
        "nslookup",
        "perl",
        "ping",
        "php",
        "postgres",
        "printf",
        "python",
        "python3",
        "redis-server",
        "ruby",
        "sed",
        "sh",
        "sleep",
        "sort",
        "ssh",
        "stress",
        "supervisord",
        "tail",
        "tar",
        "tee",
        "touch",
        "uvicorn",
        "gunicorn",
        "wget",
        "xargs",
        "yarn",
    ]
)
_MIN_LENGTH = 3


def find_misspelt_commands(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each first word that is one slip away from a common command, and no command itself."""
    if not snapshot.desired_only:
        return
    for item in snapshot.templates():
        for container in containers_of(item.pod_spec):
            command = container.get("command")
            word = str(command[0]) if isinstance(command, list) and command else ""
            near = slip_of(word.rsplit("/", 1)[-1])
            if near:
                yield Clue(
                    failure_class=F.K8S_CRASH_CMD,
                    rule="cluster-command",
                    cause=f"{item.ref}: container {container.get('name')} cannot start: its command {word!r} is not found in usual images (a typo for {near!r}?).",
                    target=item.ref,
                    quotes=(spec_quote(item, f"container {container.get('name')} command: {command}"),),
                    confidence=0.7,
                    rank=22,
                )


def slip_of(word: str) -> str:
    """The common command that a word misspells by one letter more, less, other or swapped; empty when it does not."""
    if len(word) < _MIN_LENGTH or word in _COMMON:
        return ""
    return next(
        (known for known in difflib.get_close_matches(word, _COMMON, n=3, cutoff=0.75) if _one_slip(word, known)), ""
    )


def _one_slip(word: str, known: str) -> bool:
    if sorted(word) == sorted(known):
        return True
    if len(known) == len(word):
        return len(word) > _MIN_LENGTH and sum(a != b for a, b in zip(word, known, strict=True)) == 1
    short, long = sorted((word, known), key=len)
    return len(long) - len(short) == 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
