"""Evaluate: runs the log scan and the diagnosis over labelled cases, exactly as a heal would, and scores them."""

import gzip
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from flows.explain import explain_log
from flows.scenarios import Scenario, are_scenarios, read_scenarios
from tasks.domain.evaluation import Case, CaseResult
from tasks.domain.evidence import EvidenceLine, TestHistory
from tasks.domain.failure_class import FailureClass
from tasks.errors import BadInputError

Labels = Mapping[str, Sequence[FailureClass]]
"""An annotator's label, and the classes that count as right for it; an empty one is outside the catalogue."""


def read_cases(path: Path) -> tuple[Path, list[Case]]:
    """The cases of a `.jsonl` file, of the `cases.jsonl` (else every `.jsonl`) of a folder, or of a folder of
    scenarios, with their folder.

    Raises:
        BadInputError: there is no such file, or a line of it is no case.
    """
    if path.is_dir() and are_scenarios(path):
        return path, [_of_scenario(scenario, path) for scenario in read_scenarios(path)]
    if path.is_dir():
        files = [path / "cases.jsonl"] if (path / "cases.jsonl").is_file() else sorted(path.glob("*.jsonl"))
        folder = path
    else:
        files, folder = [path] if path.is_file() else [], path.parent
    if not files:
        raise BadInputError(f"{path}: no cases here; name a .jsonl file, or a folder with one")
    cases = []
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                cases.append(_case(line, f"{file}:{number}"))
    return folder, cases


def _of_scenario(scenario: Scenario, folder: Path) -> Case:
    expected = scenario.expected
    return Case(
        id=scenario.name,
        ecosystem="scenarios",
        failure_class=expected.failure_class,
        gold_lines=expected.quotes or None,
        full_log=scenario.log.relative_to(folder).as_posix(),
        passed_on_same_commit=expected.passed_on_same_commit,
    )


def _case(line: str, where: str) -> Case:
    try:
        return Case.model_validate(json.loads(line))
    except (ValidationError, ValueError) as error:
        raise BadInputError(f"{where}: this is no case ({str(error).splitlines()[0]})") from error


def evaluate_case(case: Case, folder: Path, labels: Labels) -> CaseResult:
    """Diagnose one case.

    Raises:
        BadInputError: the case has no log that can be read.
    """
    started = time.perf_counter()
    with _log(case, folder) as stream:
        history = TestHistory(passed_on_same_commit=case.passed_on_same_commit)
        explained = explain_log(stream, name="evaluation", history=history)
    seconds = time.perf_counter() - started
    diagnosis, lines = explained.diagnosis, explained.evidence.lines
    found = dict.fromkeys([diagnosis.failure_class, *(other.failure_class for other in diagnosis.other_findings)])
    alarm = None
    if case.passing_log is not None:
        with _open(folder, case.passing_log) as stream:
            alarm = explain_log(stream, name="evaluation").diagnosis.failure_class is not FailureClass.UNKNOWN
    return CaseResult(
        case_id=case.id,
        ecosystem=case.ecosystem,
        label=case.failure_class,
        expected=_expected(case.failure_class, labels),
        found=tuple(found),
        rule=diagnosis.rule,
        has_gold=bool(case.gold_ranges or _gold_texts(case)),
        quoted_hit=_hits(lines, case),
        cause_hit=_hits([line for line in lines if line.id in diagnosis.evidence_ids], case),
        bytes_read=explained.bytes_read,
        seconds=seconds,
        false_alarm=alarm,
    )


def _expected(label: str | None, labels: Labels) -> tuple[FailureClass, ...]:
    if label is None:
        return ()
    if label in labels:
        return tuple(labels[label])
    return (FailureClass(label),) if label in {str(known) for known in FailureClass} else ()


def _gold_texts(case: Case) -> set[str]:
    return {line.strip() for line in case.gold_lines or () if line.strip()}


def _hits(lines: Sequence[EvidenceLine], case: Case) -> bool:
    ranges = case.gold_ranges or () if case.full_log else ()
    texts = _gold_texts(case)
    return any(
        line.text.strip() in texts or any(first <= (line.line_number or 0) <= last for first, last in ranges)
        for line in lines
    )


@contextmanager
def _log(case: Case, folder: Path) -> Iterator[BinaryIO]:
    if case.full_log is not None:
        with _open(folder, case.full_log) as stream:
            yield stream
    elif case.log_text is not None:
        yield io.BytesIO(case.log_text.encode())
    else:
        raise BadInputError("the case has no log")


@contextmanager
def _open(folder: Path, name: str) -> Iterator[BinaryIO]:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadInputError(f"{name} lies outside the folder of the cases")
    if path.is_dir():
        raise BadInputError("captured cluster state, not a log")
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as stream:
                yield io.BufferedReader(stream)
    except OSError as error:
        raise BadInputError(f"{name} cannot be read ({error.strerror or error})") from error
