"""Nearness to the failure decides between likely causes; harmless lines yield, and a test's own report does not."""

import io

import pytest

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.diagnose import diagnose, signatures
from tasks.domain.evidence import Evidence

REFUSED = "curl: (7) Failed to connect to localhost port 8080: Connection refused"
THREW = "Caused by: java.io.IOException: https://mirror.example.org/a.git: 503 Service Unavailable"
TEST = "[ERROR] Tests run: 8, Failures: 1, Errors: 0, Skipped: 0 <<< FAILURE!"
MISSING = "./deploy.sh: line 4: helmfile: command not found"
END = "##[error]Process completed with exit code 1."
FILLER = "compiling one more file"


def class_of(*lines: str) -> str:
    scan = scan_log(io.BytesIO("\n".join(lines).encode()), source="log", signatures=signatures())
    return str(diagnose(Evidence(lines=number_evidence([scan])), repository="o/r", workflow="ci").failure_class)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((REFUSED, *[FILLER] * 2_000, END), "unknown"),
        ((f"WARN {REFUSED}", FILLER, MISSING, END), "ci.command"),
        ((REFUSED, *[FILLER] * 120, MISSING, END), "ci.command"),
        (("see: Connection refused", FILLER, TEST, END), "ci.test.assert"),
        ((THREW, *[FILLER] * 10, TEST, *[FILLER] * 900, END), "ci.net.tls/conn"),
        ((THREW, *[FILLER] * 400, TEST, *[FILLER] * 900, END), "ci.test.assert"),
        ((TEST, *[FILLER] * 5_000, END), "ci.test.assert"),
    ],
    ids=["far alone", "only a warning", "farther", "printed by a test", "thrown in its report", "before it", "verdict"],
)
def test_line_counts_by_where_it_stands(lines: tuple[str, ...], expected: str) -> None:
    assert class_of(*lines) == expected
