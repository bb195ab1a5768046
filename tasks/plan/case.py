"""What a drafter is given, and what it answers when its remedy does not fit."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident
from tasks.domain.pipeline import JobOutcome

_OPERATORS = frozenset({"&&", "||", ";", "|", "&", "(", ")", ">", "<", ">>", "2>", ";;"})
_RUNNERS = (("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("hatch", "run"), ("pdm", "run"), ("npx",), ("sudo",))


class Unfit(Exception):  # noqa: N818  an answer that ends a draft early, not an error
    """The remedy does not fit this case; the message says why, in the operator's words."""


@dataclass(frozen=True)
class Case:
    """One diagnosed incident with a scratch checkout of its commit."""

    incident: Incident
    evidence: Evidence
    diagnosis: Diagnosis
    checkout: Path
    reruns_so_far: int = 0
    tool_paths: tuple[Path, ...] = ()
    """Folders searched for formatters before PATH: where the job's own tools are."""
    remembered: Mapping[str, str] = field(default_factory=dict)
    """The parameters that healed an incident of the same fingerprint, empty when none did."""

    @property
    def failed_jobs(self) -> tuple[JobOutcome, ...]:
        """The jobs to heal."""
        return tuple(job for job in self.evidence.jobs if job.conclusion.failed)

    @property
    def quoted_texts(self) -> tuple[str, ...]:
        """The lines that the diagnosis quotes, before all others."""
        cited = [line.text for line in self.evidence.lines if line.id in self.diagnosis.evidence_ids]
        return tuple(cited + [line.text for line in self.evidence.lines if line.id not in self.diagnosis.evidence_ids])

    def file_inside(self, name: str) -> Path | None:
        """A regular file of the checkout by its path from the root, `None` when it is absent or leads elsewhere."""
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\0" in name or ".git" in pure.parts:
            return None
        path = self.checkout / pure
        inside = path.resolve().is_relative_to(self.checkout.resolve())
        return path if inside and path.is_file() and not path.is_symlink() else None


def invocations(script: str) -> Iterator[list[str]]:
    """The commands of a shell script as argument lists, without launchers such as `uv run` and `python -m`.

    Only read, never run: what the shell would expand stays as it is written.
    """
    substituted = re.findall(r"\$\(([^()]*)\)", script)
    for line in (*script.replace("\\\n", " ").splitlines(), *substituted):
        words: list[str] = []
        for word in (*_words(line), ";"):
            if word not in _OPERATORS:
                words.append(word)
            elif words:
                yield _without_launcher(words)
                words = []


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # a quote that another line closes
        return []


def _without_launcher(words: list[str]) -> list[str]:
    while words and "=" in words[0] and not words[0].startswith(("-", "=")):
        words = words[1:]  # NAME=value before the command
    for runner in _RUNNERS:
        if tuple(words[: len(runner)]) == runner:
            return _without_launcher(words[len(runner) :])
    if len(words) > 2 and PurePosixPath(words[0]).name.rstrip("0123456789.") == "python" and words[1] == "-m":
        return words[2:]
    return [PurePosixPath(words[0]).name, *words[1:]] if words else words
