"""Diagnosis by rules: near misses and unknowns first, then each class that the main job promises."""

import io

import pytest

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.diagnose import diagnose, signatures
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence, TestHistory, UnreadableSource
from tasks.domain.failure_class import FailureClass


def evidence(log: str, **more: object) -> Evidence:
    scan = scan_log(io.BytesIO(log.encode()), source="log:test", signatures=signatures())
    return Evidence.model_validate({"lines": number_evidence([scan]), "truncated": scan.truncated, **more})


def explain(log: str, **more: object) -> Diagnosis:
    return diagnose(evidence(log, **more), repository="local/shop", workflow="CI")


@pytest.mark.parametrize(
    "log",
    [
        "",
        "the moon is not full\n##[error]Process completed with exit code 3.\n",
        "3 passed, 0 failed\nuploading coverage\n##[error]Process completed with exit code 1.\n",
        "removing old-killed-jobs.txt\nsomething odd\n##[error]Process completed with exit code 9.\n",
        "see docs/no-space.md for disk hints\nbye\n##[error]Process completed with exit code 4.\n",
        "retrying after timeoutless wait\n\x00\x01\x02\n##[error]Process completed with exit code 2.\n",
    ],
)
def test_failure_that_no_rule_knows_is_unknown(log: str) -> None:
    found = explain(log)
    assert found.failure_class is FailureClass.UNKNOWN
    assert found.evidence_ids == ()


@pytest.mark.parametrize(
    ("log", "failure_class", "culprit"),
    [
        (
            "FAILED tests/test_cart.py::test_sum - assert 2 == 3",
            FailureClass.CI_TEST_ASSERT,
            "tests/test_cart.py::test_sum",
        ),
        ("--- FAIL: TestCart (0.00s)", FailureClass.CI_TEST_ASSERT, "TestCart"),
        ("E   ModuleNotFoundError: No module named 'yaml'", FailureClass.CI_TEST_COLLECT, "yaml"),
        (
            "ERROR: Could not find a version that satisfies the requirement flask==99.1 (from versions: 2.0, 3.0)",
            FailureClass.CI_DEP_PIP,
            "flask",
        ),
        ("ERROR: ResolutionImpossible: for help visit the documentation", FailureClass.CI_DEP_PIP, None),
        ("would reformat shop/cart.py", FailureClass.CI_LINT, "black"),
        ("Would reformat: shop/cart.py", FailureClass.CI_LINT, "ruff format"),
        ("unformatted: File would be reformatted\n --> shop/cart.py:6:18", FailureClass.CI_LINT, "ruff format"),
        ("shop/cart.py:3:1: F401 'os' imported but unused", FailureClass.CI_LINT, "shop/cart.py"),
        (
            'shop/cart.py:8: error: Incompatible return value type (got "int")  [return-value]',
            FailureClass.CI_TYPE,
            "shop/cart.py",
        ),
        ("src/a.ts(3,7): error TS2322: Type 'string' is not assignable", FailureClass.CI_TYPE, None),
        ("src/main.c:12:5: error: expected ';' before 'return'", FailureClass.CI_COMPILE, "src/main.c"),
        ("./main.go:10:2: undefined: frobnicate", FailureClass.CI_COMPILE, "./main.go"),
        ("run.sh: line 3: terrafrom: command not found", FailureClass.CI_COMMAND, "terrafrom"),
        ("curl: (6) Could not resolve host: api.example.org", FailureClass.CI_NET_DNS, "api.example.org"),
        ("npm error network request failed, reason: connect ECONNREFUSED 10.0.0.1:443", FailureClass.CI_NET_CONN, None),
        ("toomanyrequests: You have reached your pull rate limit.", FailureClass.CI_RATE, None),
        ("tar: write error: No space left on device", FailureClass.CI_DISK, "disk"),
        ("##[error]Process completed with exit code 137.", FailureClass.CI_OOM, "memory"),
        ("java.lang.OutOfMemoryError: Java heap space", FailureClass.CI_OOM, "memory"),
        ("##[error]The action 'Run the tests' has timed out after 5 minutes.", FailureClass.CI_TIMEOUT, "time limit"),
        ("Error: Input required and not supplied: token", FailureClass.CI_SECRET_MISSING, "token"),
        ("deploy.sh: line 2: DEPLOY_KEY: unbound variable", FailureClass.CI_SECRET_MISSING, "DEPLOY_KEY"),
    ],
)
def test_class_and_culprit_are_named(log: str, failure_class: FailureClass, culprit: str | None) -> None:
    found = explain(f"{log}\n")
    assert found.failure_class is failure_class
    assert found.evidence_ids
    if culprit is not None:
        assert found.culprit is not None
        assert found.culprit.name == culprit


def test_cause_comes_before_its_consequence() -> None:
    log = "OSError: [Errno 28] No space left on device\nFAILED tests/test_a.py::test_b - OSError\n1 failed in 3s\n"
    found = explain(log)
    assert found.failure_class is FailureClass.CI_DISK
    assert FailureClass.CI_TEST_ASSERT in {other.failure_class for other in found.other_findings}


def test_flaky_needs_a_pass_on_the_same_commit() -> None:
    log = "FAILED tests/test_a.py::test_b - assert 1\n"
    assert explain(log).failure_class is FailureClass.CI_TEST_ASSERT
    proven = explain(log, history=TestHistory(passed_on_same_commit=1))
    assert (proven.failure_class, proven.transient) == (FailureClass.CI_TEST_FLAKY, True)


def test_unread_source_lowers_confidence() -> None:
    log = "FAILED tests/test_a.py::test_b - assert 1\n"
    gap = (UnreadableSource(source="log:other", reason="gone"),)
    assert explain(log, unreadable=gap).confidence < explain(log).confidence


def test_fingerprint_is_equal_for_the_same_failure_on_another_commit_only() -> None:
    first = explain("FAILED tests/test_a.py::test_b - assert 3f2a9c1d == 12\n")
    again = explain("some other line\nFAILED tests/test_a.py::test_b - assert 77aa01bc == 99\n")
    other = explain("FAILED tests/test_a.py::test_c - assert 1 == 2\n")
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
