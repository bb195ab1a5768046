"""The tests themselves: what cannot be collected, what fails, and what failed and then passed."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="collect.module",
        failure_class=FailureClass.CI_TEST_COLLECT,
        pattern=r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?(?P<name>[\w.]+)",
        cause="The module {name} is imported and not installed.",
        culprit_kind=CulpritKind.MODULE,
        rank=24,
    ),
    Signature(
        name="collect.import",
        failure_class=FailureClass.CI_TEST_COLLECT,
        pattern=r"ImportError: cannot import name ['\"](?P<name>\w+)|^_+ ERROR collecting (?P<file>\S+)"
        r"|^ImportError while (?:loading conftest|importing test module)"
        r"|Error: Cannot find module ['\"](?P<name2>[^'\"]+)"
        r"|Module not found: (?:Error: )?Can't resolve ['\"](?P<name3>[^'\"]+)"
        r"|Cannot find module '(?P<name4>[^']+)' from"
        r"|\[ERR_MODULE_NOT_FOUND\]: Cannot find (?:module|package) '(?P<name5>[^']+)'"
        r"|Failed to resolve import \"(?P<name6>[^\"]+)\" from|cannot load such file -- (?P<name7>[\w./-]+)"
        r"|module '(?P<name8>[^']+)' not found:|Can't locate (?P<name9>[\w/]+\.pm) in @INC"
        r"|^ERROR: (?:Failed to import test module|test suite failed to import): (?P<name10>\S+)",
        cause="A module cannot be imported: {name}.",
        culprit_kind=CulpritKind.MODULE,
        rank=26,
    ),
    Signature(
        name="flaky.rerun",
        failure_class=FailureClass.CI_TEST_FLAKY,
        pattern=r"^(?P<name>\S+::\S+) RERUN|num_retries_left: ?\d|Tests run:.*Flakes: [1-9]|\[WARNING\] Flakes:"
        r"|\(flaky\)|^FLAKY (?P<name2>\S+)|(?P<name3>\S+) passed on (?:retry|rerun)",
        cause="A test failed and then passed on the same commit: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=45,
        transient=True,
    ),
    Signature(
        name="test.pytest",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^(?:FAILED|ERROR) (?P<name>(?P<file>[^\s:]+\.py)::\S+)",
        cause="The test {name} fails.",
        culprit_kind=CulpritKind.TEST,
        rank=40,
    ),
    Signature(
        name="test.go",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^\s*(?:=== )?(?:--- )?FAIL: (?:\S+\.)?(?P<name>(?:Test|Fuzz|Example|Benchmark)\S*)|^FAIL\s+\S+\s+[\d.]+s$"
        r"|race detected during execution of test|^\[FAIL\] (?P<name2>.{1,150})|^\s*\[Fail\] (?P<name3>.{1,150})"
        r"|^Summarizing \d+ Failures?:",
        cause="The test {name} fails.",
        culprit_kind=CulpritKind.TEST,
        rank=40,
    ),
    Signature(
        name="test.java",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"Tests run: \d+, (?:Failures: [1-9]|Failures: \d+, Errors: [1-9])|<<< (?:FAILURE|ERROR)!"
        r"|There (?:are|were) (?:test failures|failing tests)"
        r"|^\[ERROR\]\s+(?P<name>[\w.]+(?:Test|IT|Tests)[\w.$]*)[:.]|^(?P<name2>\w[\w.$]* > .{1,150}) FAILED$"
        r"|\bAssertionFailedError\b|\*\*\* FAILED \*\*\*|^\[error\] Failed tests:|^\[error\] Failed: Total \d+"
        r"|sbt\.TestsFailedException|^(?:FAIL|ERROR) in \((?P<name3>\S+)\)|^(?P<name4>//\S+)\s+FAILED in \d",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=41,
    ),
    Signature(
        name="test.rust",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^test (?P<name>\S+) \.\.\. FAILED|^test result: FAILED|^---- (?P<name2>\S+) stdout ----"
        r"|^\s+FAIL \[\s*[\d.]+s\] (?P<name3>.{1,150})",
        cause="The test {name} fails.",
        culprit_kind=CulpritKind.TEST,
        rank=40,
    ),
    Signature(
        name="test.javascript",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^\s*(?:✕|✗|×) (?P<name>.{1,150})|^\s*● (?P<name2>.{1,150} › .{1,150})|^Tests:\s+[1-9]\d* failed"
        r"|^\s*[1-9]\d* failing$|^\s*(?:❯ )?FAIL\s+(?:.{1,40} )?(?P<file>\S+\.(?:test|spec|e2e|cy)\.[cm]?[jt]sx?)"
        r"|^not ok \d+ - (?P<name3>.{1,150})|^\s*(?:Test Files|Tests)\s+[1-9]\d* failed"
        r"|Executed \d+ of \d+ .*\([1-9]\d* FAILED\)|^\s*[1-9]\d* tests? failed|^\s+[1-9]\d* failed$"
        r"|^\s*\d+\) \[\w+\] › (?P<name4>.{1,150})|\d+ specs?, [1-9]\d* failures?|[1-9]\d* of \d+ failed \(\d+%\)",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=41,
    ),
    Signature(
        name="test.ruby",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^\s*Failure/Error: |^\d+ examples?, [1-9]\d* failures?|^rspec (?P<name2>\./\S+)"
        r"|\d+ (?:runs|tests), \d+ assertions, (?:[1-9]\d* failures|\d+ failures, [1-9]\d* errors)"
        r"|^\d+ (?:scenarios?|steps?) \(.*\b[1-9]\d* failed|^Failing Scenarios:|^cucumber (?P<name3>\S+:\d+)",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=42,
    ),
    Signature(
        name="test.dotnet",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^\s+Failed (?P<name>[\w.]+\S*) \[|(?:^|\s)Failed!\s+-\s+Failed:\s+[1-9]"
        r"|^\s*(?P<name2>[\w.]+\S*) \[FAIL\]\s*$|^Test Run Failed\.|^Tests Passed: \d+, Failed: [1-9]"
        r"|^\s+\[-\] (?P<name3>.{1,150}) \d+(?:\.\d+)?m?s|^\s*\[xUnit\.net [\d:.]+\]\s+(?P<name4>\S+) \[FAIL\]"
        r"|^Failed\s+(?P<name5>[\w.]+\.[\w.]+)$",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=42,
    ),
    Signature(
        name="test.apple",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"error: -\[(?P<name>\S+ \S+)\] : |Test Case '(?P<name2>[^']+)' failed \("
        r"|Executed \d+ tests?, with [1-9]\d* failures?|: error: (?P<name3>\w+\.test\w+) : "
        r"|^✘ Test (?P<name4>.{1,150}) (?:failed|recorded an issue)|^Failing tests:$",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=34,
    ),
    Signature(
        name="test.native",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"\[  FAILED  \] (?P<name3>\w\S+)|^The following tests FAILED:"
        r"|\d+% tests passed, [1-9]\d* tests? failed out of|\*\*\*Failed\b|^test cases: .*\| +[1-9]\d* failed"
        r"|^FAIL: (?P<name>\S+)$|^# FAIL: +[1-9]|^\s*\d+/\d+ .{1,120} FAIL\b|^Fail: +[1-9]"
        r"|^# +Failed test (?P<name2>.{1,150})|^Result: FAIL$|Failed \d+/\d+ (?:sub)?tests"
        r"|Dubious, test returned [1-9]|Assertion .{1,200} failed\.$",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=43,
    ),
    Signature(
        name="test.other",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^(?:FAIL|ERROR): (?P<name>test\w+ \([\w.]+\))|^FAILED \((?:failures|errors)=\d+"
        r"|^=+ .*\b[1-9]\d* (?:failed|errors?)\b.*=+$|^[1-9]\d* failed,? "
        r"|^(?P<file>\S+\.(?:py|rb|php)):(?P<line>\d+): AssertionError|^E\s+(?:assert |AssertionError)"
        r"|^(?:FAILURES|ERRORS)!$|^Tests: \d+, Assertions: \d+, .*(?:Failures|Errors): [1-9]|\bpanic: .*assert"
        r"|^\d+ (?:tests?|doctests?, \d+ tests?|properties, \d+ tests?), (?:.*, )?[1-9]\d* failures?"
        r"|^\s+\d+\) (?P<name4>(?:test|property) .{1,120} \(\S+\))$|^\d+ scenarios? \(.*[1-9]\d* failed"
        r"|\d+ out of \d+ tests failed|^Test suite \S+: FAIL|\d+ successes? / [1-9]\d* failures?"
        r"|^\s*[1-9]\d* (?:FAILED TESTS?|errors?, listed below:)|── (?:Failure|Error) \((?P<name5>[^)]+)\)"
        r"|^Error: Test failures|\[ FAIL [1-9]\d* \||^\s*Running .{1,60}\.R.{0,3} .*ERROR$"
        r"|checking (?:tests|examples) \.\.\..* ERROR$|^Some tests failed\.|^Test Failed at \S+|^FAILED \| "
        r"|^Failed: [1-9]\d*\.|^Success/Total: | tests? failed, \d+ passed|^Some tests did not pass",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=44,
    ),
    Signature(
        name="test.summary",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"\*\* TEST FAILED \*\*",
        cause="The tests did not pass, or were not built.",
        rank=48,
    ),
)
