"""Reads a scanner's report: bounded, told apart by what it holds, and never taken for clean when it is not whole."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from tasks.collect.scans.draft import ReportDraft
from tasks.collect.scans.fields import Misfit, clean
from tasks.collect.scans.sarif import is_sarif, parse_sarif
from tasks.collect.scans.snyk import is_snyk, parse_snyk
from tasks.collect.scans.trivy import is_trivy, parse_trivy
from tasks.domain.vulnerability import ScanFault, Scanner, ScanReport
from tasks.errors import BadInputError

MAX_REPORT_BYTES: Final = 64 << 20
MAX_OBJECTS: Final = 1_000_000
"""Objects and lists, which take up far more memory than text; a report of 50 MB from Trivy has about 100,000."""
HEAD_BYTES: Final = 8192
# What stands near the start of a report and not of a log that happens to be JSON.
_HEAD = re.compile(
    rb'\A\s*(?:\{|\[\s*\{)\s*(?:"ok"\s*:\s*false|"Target"\s*:'
    rb'|(?:".*?)?"(?:(?:ArtifactName|ClusterName)"\s*:\s*"|SchemaVersion"\s*:\s*\d|affectedPkgs"\s*:\s*\{'
    rb'|(?:runs|vulnerabilities|infrastructureAsCodeIssues)"\s*:\s*\[))',
    re.DOTALL,
)
_SMALLER = "write it with fewer findings, such as --severity HIGH,CRITICAL, and without --list-all-pkgs"
# https://docs.snyk.io/developer-tools/snyk-cli/commands/test#exit-codes
_SNYK_FAULTS: Mapping[int, tuple[ScanFault, str]] = {
    2: (ScanFault.TOOL, "Snyk failed (exit code 2): not everything was tested"),
    3: (ScanFault.NO_PROJECT, "Snyk found no project to test (exit code 3)"),
}
_FORMATS: tuple[tuple[Callable[[object], bool], Callable[..., ScanReport]], ...] = (
    (is_sarif, parse_sarif),
    (is_trivy, parse_trivy),
    (is_snyk, parse_snyk),
)


def parse_scan(raw: bytes, *, source: str, exit_code: int | None = None) -> ScanReport:
    """The report of one scan.

    A report of nothing, and an error in place of a report, are reports too: incomplete ones. `source` names the report
    to people, as its file does. `exit_code` is the scanner's, where it is known: Snyk's 2 and 3 are failures to test.

    Raises:
        BadInputError: it is too large, no JSON, nested too deep, or of no known format; the message says what to do.
    """
    name = clean(source, 120) or "the report"
    if len(raw) > MAX_REPORT_BYTES:
        size = len(raw) >> 20
        raise BadInputError(
            f"{name} has {size} MiB, more than the {MAX_REPORT_BYTES >> 20} MiB that are read: {_SMALLER}",
            status_code=413,
        )
    if not raw.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        return _nothing(name, "the report is empty: the scanner wrote nothing, which says nothing about the target")
    if raw.count(b"{") + raw.count(b"[") > MAX_OBJECTS:
        raise BadInputError(f"{name} has over {MAX_OBJECTS:,} entries: {_SMALLER}", status_code=413)
    document = _load(raw, name)
    if document in (None, [], {}):
        return _nothing(name, "the report holds nothing: no target was scanned")
    for is_format, parse in _FORMATS:
        if is_format(document):
            try:
                return _with_exit_code(parse(document, source=name), exit_code)
            except Misfit as misfit:
                raise BadInputError(f"{name} is damaged: {misfit}; write the report again", status_code=422) from misfit
    raise BadInputError(
        f"{name} is JSON, but no report of Trivy (--format json), Snyk (--json) and no SARIF 2.1.0", status_code=422
    )


def looks_like_scan(head: bytes) -> bool:
    """Whether what begins so (`HEAD_BYTES` are enough) is a scanner's report, whole or damaged, and no log."""
    return _HEAD.match(head[:HEAD_BYTES].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")) is not None


def _with_exit_code(report: ScanReport, exit_code: int | None) -> ScanReport:
    if report.scanner is not Scanner.SNYK or exit_code is None or report.fault is not None:
        return report
    if exit_code not in _SNYK_FAULTS:
        return report
    fault, why = _SNYK_FAULTS[exit_code]
    return report.model_copy(update={"complete": False, "gaps": (*report.gaps, why), "fault": fault})


def _nothing(name: str, why: str) -> ScanReport:
    draft = ReportDraft(scanner=Scanner.OTHER, tool="", source=name)
    draft.gap(why, ScanFault.TOOL)
    return draft.finish()


def _load(raw: bytes, name: str) -> object:
    try:
        document: object = json.loads(raw)
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is no UTF-8 text: write the report again", status_code=422) from error
    except RecursionError as error:
        raise BadInputError(f"{name} nests deeper than a scanner does: it is not read", status_code=422) from error
    except ValueError as error:
        raise BadInputError(
            f"{name} is no JSON ({_where(error)}): write the report with --format json or sarif into a file "
            "of its own, without the scanner's messages",
            status_code=422,
        ) from error
    return document


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    return "a number in it has too many digits"
