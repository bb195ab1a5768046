"""`healflow triage`: why a log or a run failed, as text, JSON, Markdown or SARIF; nothing is changed anywhere."""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from rich.console import Console

from deployments.cli.render import render_diagnosis
from deployments.cli.sarif import sarif_document
from flows.explain import explain_log
from tasks.domain.failure_class import FailureClass
from tasks.domain.markdown import explanation_markdown
from tasks.domain.story import Explanation
from tasks.errors import BadInputError
from tasks.plan.playbooks import ADVICE, PLAYBOOKS


class Style(StrEnum):
    """How an explanation is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"


def triage(source: str, style: Style, *, save: Path | None = None) -> None:
    """Explain the log in a file (plain or gzip), or the one on standard input for `-`.

    Raises:
        BadInputError: the file cannot be read.
    """
    name = "stdin" if source == "-" else Path(source).name
    with _open(source) as stream:
        explanation = explain_log(stream, name=name, source=f"log:{name}")
    print_explanation(explanation, style, sys.stdout)
    if save is not None:
        save_explanation(explanation, save)


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
        raise BadInputError(f"{source} cannot be read ({reason}); name a log file, or - for input") from error


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for style, suffix in ((Style.JSON, "json"), (Style.MARKDOWN, "md"), (Style.SARIF, "sarif")):
            (folder / f"triage.{suffix}").write_text(_document(explanation, style) + "\n", encoding="utf-8")
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
    if explanation.passed:
        return ""
    found = explanation.diagnosis.failure_class
    tries = ", ".join(remedy.value.replace("_", " ") for remedy in PLAYBOOKS.get(found, ()))
    advice = ADVICE.get(found, "" if tries else ADVICE[FailureClass.UNKNOWN])
    return " ".join(part for part in (advice, f"Healflow would try: {tries}." if tries else "") if part)
