"""`healflow triage`: why a log, a scan or a run failed, as text, JSON, Markdown or SARIF; nothing is changed."""

import gzip
import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from rich.console import Console

from deployments.cli.next_steps import next_steps
from deployments.cli.render import render_diagnosis
from deployments.cli.sarif import sarif_document
from flows.explain import explain_github_run, explain_log, explain_scan, failed_runs_of_pull_request
from tasks.collect.scans import HEAD_BYTES, looks_like_scan
from tasks.domain.markdown import explanation_markdown
from tasks.domain.story import Explanation
from tasks.errors import BadInputError
from tasks.settings import Settings


class Style(StrEnum):
    """How an explanation is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"


_RUN = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)#(?P<run>\d+)(?:/(?P<attempt>\d+))?")
_RUN_PAGE = re.compile(
    r"https?://[^/\s]+/(?P<repository>[\w.-]+/[\w.-]+)/actions/runs/(?P<run>\d+)(?:/attempts/(?P<attempt>\d+))?(?:[/?#].*)?"
)
_REMOTE = re.compile(r"(?:[a-z+]+://[^/]+/|[^@/\s]+@[^:/\s]+:)(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


def triage(source: str, style: Style, *, save: Path | None = None) -> None:
    """Explain a log or a scanner's report (a file, plain or gzip, or `-` for standard input) or a run on GitHub
    (`OWNER/NAME#RUN` or the address of its page).

    Raises:
        BadInputError: the file cannot be read.
        HealflowError: the run cannot be read.
    """
    named = _RUN_PAGE.fullmatch(source) or (None if Path(source).exists() else _RUN.fullmatch(source))
    if named is not None:
        explanation = explain_github_run(
            Settings(), named["repository"], named["run"], attempt=int(named["attempt"]) if named["attempt"] else None
        )
    else:
        name = "stdin" if source == "-" else Path(source).name
        with _open(source) as stream:
            explanation = _explain(stream, name)
    print_explanation(explanation, style, sys.stdout)
    if save is not None:
        save_explanation(explanation, save)


def _explain(stream: BinaryIO, name: str) -> Explanation:
    if looks_like_scan(cast("io.BufferedReader", stream).peek(HEAD_BYTES)):
        return explain_scan(stream, name=name)
    return explain_log(stream, name=name, source=f"log:{name}")


def run_of_pull_request(number: int, repository: str) -> str:
    """The newest failed run of a pull request, as `OWNER/NAME#RUN`; its other failed workflows are named on standard
    error. Without a repository, that of the remote `origin` here.

    Raises:
        HealflowError: there is none, or it cannot be read.
    """
    repository = repository or _origin()
    first, *others = failed_runs_of_pull_request(Settings(), repository, number)
    for other in others:
        told = f"also failed: {other.workflow}, see 'healflow triage {repository}#{other.run_id}'"
        Console(stderr=True).print(told, style="dim", markup=False, highlight=False)
    return f"{repository}#{first.run_id}"


def _origin() -> str:
    done = subprocess.run(
        ["git", "config", "--get", "remote.origin.url"], capture_output=True, text=True, check=False, timeout=10
    )
    found = _REMOTE.fullmatch(done.stdout.strip())
    if found is None:
        raise BadInputError("there is no git remote 'origin' on a code host here: say --repository OWNER/NAME")
    return found["repository"]


@contextmanager
def _open(source: str) -> Iterator[BinaryIO]:
    try:
        if source == "-":
            yield _unpacked(sys.stdin.buffer)
            return
        with Path(source).open("rb") as raw:
            yield _unpacked(raw)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInputError(
            f"{source} cannot be read ({reason}); name a log file, - for input, or a run as OWNER/NAME#RUN"
        ) from error


def _unpacked(raw: BinaryIO) -> BinaryIO:
    buffered = io.BufferedReader(cast("io.RawIOBase", raw))
    return cast("BinaryIO", gzip.GzipFile(fileobj=buffered)) if buffered.peek(2)[:2] == b"\x1f\x8b" else buffered


def print_explanation(explanation: Explanation, style: Style, out: TextIO) -> None:
    """Print it in the style asked for."""
    if style is Style.TEXT:
        _print_text(explanation, Console(file=out, highlight=False))
    else:
        out.write(_document(explanation, style) + "\n")


def save_explanation(explanation: Explanation, folder: Path) -> None:
    """Write `triage.json`, `triage.md` and `triage.sarif` into a folder, which is made when it is absent.

    Raises:
        BadInputError: the folder cannot be written.
    """
    save_documents(lambda style: _document(explanation, style), folder)


def save_documents(document: Callable[[Style], str], folder: Path) -> None:
    """Write what `document` gives for each style into a folder.

    Raises:
        BadInputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for style, suffix in ((Style.JSON, "json"), (Style.MARKDOWN, "md"), (Style.SARIF, "sarif")):
            (folder / f"triage.{suffix}").write_text(document(style) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{folder} cannot be written ({error.strerror}); name another folder") from error


def _document(explanation: Explanation, style: Style) -> str:
    if style is Style.JSON:
        return explanation.model_dump_json(indent=2)
    if style is Style.SARIF:
        return sarif_document(explanation)
    return explanation_markdown(explanation, what_next=what_next(explanation))


def _print_text(explanation: Explanation, console: Console) -> None:
    if explanation.passed:
        console.print("[green]No failure:[/] it ends by saying that all went well.")
        return
    render_diagnosis(explanation.diagnosis, explanation.evidence, console)
    for other in explanation.diagnosis.other_findings:
        console.print(f"also: {other.failure_class}: {other.cause}", style="dim", markup=False)
    if said := what_next(explanation):
        console.print(f"[bold]next:[/] {said}")


def what_next(explanation: Explanation) -> str:
    """What a person can do, and what Healflow would try; empty when nothing failed."""
    return "" if explanation.passed else next_steps(explanation.diagnosis.failure_class)
