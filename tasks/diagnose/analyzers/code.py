"""The change itself: tests, imports, format, types, compilation."""

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
        confidence=0.92,
    ),
    Signature(
        name="collect.import",
        failure_class=FailureClass.CI_TEST_COLLECT,
        pattern=r"ImportError: cannot import name ['\"](?P<name>\w+)|^_+ ERROR collecting (?P<file>\S+)"
        r"|^ImportError while (?:loading conftest|importing test module)|Error: Cannot find module ['\"](?P<name2>[^'\"]+)"
        r"|Module not found: Error: Can't resolve ['\"](?P<name3>[^'\"]+)|Cannot find module '(?P<name4>[^']+)' from",
        cause="A module cannot be imported: {name}.",
        culprit_kind=CulpritKind.MODULE,
        rank=26,
        confidence=0.85,
    ),
    Signature(
        name="flaky.rerun",
        failure_class=FailureClass.CI_TEST_FLAKY,
        pattern=r"^(?P<name>\S+::\S+) RERUN|num_retries_left: ?\d|Tests run:.*Flakes: [1-9]|\[WARNING\] Flakes:"
        r"|\(flaky\)|^FLAKY (?P<name2>\S+)|(?P<name3>\S+) passed on (?:retry|rerun)",
        cause="A test failed and then passed on the same commit: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=45,
        confidence=0.6,
        transient=True,
    ),
    Signature(
        name="test.pytest",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^FAILED (?P<name>(?P<file>[^\s:]+\.py)::\S+)",
        cause="The test {name} fails.",
        culprit_kind=CulpritKind.TEST,
        rank=40,
        confidence=0.93,
    ),
    Signature(
        name="test.go",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^\s*--- FAIL: (?P<name>\S+)|^FAIL\s+\S+\s+[\d.]+s$",
        cause="The test {name} fails.",
        culprit_kind=CulpritKind.TEST,
        rank=40,
        confidence=0.9,
    ),
    Signature(
        name="test.java",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"Tests run: \d+, (?:Failures: [1-9]|Failures: \d+, Errors: [1-9])|<<< (?:FAILURE|ERROR)!"
        r"|There (?:are|were) (?:test failures|failing tests)|^\[ERROR\]\s+(?P<name>[\w.]+(?:Test|IT|Tests)[\w.$]*)[:.]"
        r"|^(?P<name2>\w[\w.]* > [\w()\[\], ]+) FAILED$|\bAssertionFailedError\b",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=41,
        confidence=0.88,
    ),
    Signature(
        name="test.rust",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^test (?P<name>\S+) \.\.\. FAILED|^test result: FAILED|^---- (?P<name2>\S+) stdout ----",
        cause="The test {name} fails.",
        culprit_kind=CulpritKind.TEST,
        rank=40,
        confidence=0.92,
    ),
    Signature(
        name="test.javascript",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^\s*(?:✕|✗|×) (?P<name>.{1,150})|^\s*● (?P<name2>.{1,150} › .{1,150})|^Tests:\s+[1-9]\d* failed"
        r"|^\s*[1-9]\d* failing$|^\s*FAIL\s+(?P<file>\S+\.(?:test|spec)\.[cm]?[jt]sx?)|^not ok \d+ - (?P<name3>.{1,150})",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=41,
        confidence=0.88,
    ),
    Signature(
        name="test.other",
        failure_class=FailureClass.CI_TEST_ASSERT,
        pattern=r"^(?:FAIL|ERROR): (?P<name>test\w+ \([\w.]+\))|^FAILED \((?:failures|errors)=\d+|^=+ .*\b[1-9]\d* failed\b.*=+$"
        r"|^[1-9]\d* failed,? |^(?P<file>\S+\.(?:py|rb|php)):(?P<line>\d+): AssertionError|^E\s+(?:assert |AssertionError)"
        r"|^\s*Failure/Error: |^\d+ examples?, [1-9]\d* failures?|^rspec (?P<name2>\./\S+)|^FAILURES!$|^Tests: \d+, Assertions: \d+, (?:Failures|Errors): [1-9]"
        r"|\[  FAILED  \] (?P<name3>\w\S+)|^The following tests FAILED:|^\s+Failed!?\s+-\s+Failed:\s+[1-9]|\bpanic: .*assert",
        cause="A test fails: {name}.",
        culprit_kind=CulpritKind.TEST,
        rank=44,
        confidence=0.8,
    ),
    Signature(
        name="format.ruff",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^unformatted: File would be reformatted|^Would reformat: (?P<file>\S.*)$",
        follow=r"^\s*--> (?P<file>[^\s:]+):(?P<line>\d+):\d+",
        cause="ruff would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="ruff format",
        rank=38,
        confidence=0.95,
    ),
    Signature(
        name="format.black",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^would reformat (?P<file>\S.*)$|^\d+ files? would be reformatted",
        cause="black would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="black",
        rank=38,
        confidence=0.93,
    ),
    Signature(
        name="format.isort",
        failure_class=FailureClass.CI_LINT,
        pattern=r"ERROR: (?P<file>\S+) Imports are incorrectly sorted",
        cause="isort would sort the imports of {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="isort",
        rank=38,
        confidence=0.95,
    ),
    Signature(
        name="format.prettier",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^\[(?:warn|error)\] (?P<file>\S+\.\w+)$|Code style issues (?:found|fixed)",
        cause="prettier would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="prettier",
        rank=38,
        confidence=0.9,
    ),
    Signature(
        name="format.rust",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^Diff in (?P<file>\S+\.rs)(?::\d+:?| at line \d+)",
        cause="cargo fmt would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="cargo fmt",
        rank=38,
        confidence=0.93,
    ),
    Signature(
        name="lint.python",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^(?P<file>\S+\.pyi?):(?P<line>\d+):\d+: [A-Z]{1,4}\d{2,4}\b|^[A-Z]{1,4}\d{3,4} (?:\[\*\] )?[A-Z`].{5,}"
        r"|Your code has been rated at|^\S+\.py:\d+:\d+: [CRWEF]\d{4}: ",
        follow=r"^\s*--> (?P<file>[^\s:]+):(?P<line>\d+):\d+",
        cause="A linter complains about {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=39,
        confidence=0.85,
    ),
    Signature(
        name="lint.other",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^\s+\d+:\d+\s+error\s+\S.*\s{2,}[@\w/-]+$|✖ [1-9]\d* problems? |You have [1-9]\d* Checkstyle violations"
        r"|^\[ERROR\].*maven-checkstyle-plugin|\bMD\d{3}/[\w-]+|^\S+\.swift:\d+:\d+: (?:warning|error): .*\(\w+\)$|There were errors reported by (?:Checkstyle|PMD|SpotBugs)|\((?:golint|gofmt|govet|errcheck|staticcheck|unused|goimports|revive|gosimple|ineffassign|gocritic)\)$"
        r"|hadolint|^\S+:\d+ DL\d{4} |\bSC\d{4}: |[1-9]\d* offenses? detected|Run 'mvn spotless:apply'|spotlessCheck|error: could not compile .* due to .*clippy"
        r"|The following files had format violations|clang-format.*-Wclang-format-violations|code should be clang-formatted|PHP_CodeSniffer|FOUND [1-9]\d* ERRORS?",
        cause="A linter complains.",
        rank=39,
        confidence=0.82,
    ),
    Signature(
        name="type.error",
        failure_class=FailureClass.CI_TYPE,
        pattern=r"^(?P<file>\S+\.pyi?):(?P<line>\d+):(?:\d+:)? error: .*\[[a-z-]+\]$|error TS\d{4}: |\bTS\d{4}: "
        r"|^\s*(?P<file2>\S+\.py):(?P<line2>\d+):\d+ - error: |^Found \d+ errors? in \d+ files? \(checked|Type error: ",
        cause="The type checker complains about {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=37,
        confidence=0.92,
    ),
    Signature(
        name="compile.java",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^\[ERROR\] (?P<file>\S+\.(?:java|kt|scala|groovy)):\[(?P<line>\d+),\d+\]|COMPILATION ERROR|Compilation failure"
        r"|^(?P<file2>\S+\.(?:java|kt|scala|groovy)):(?P<line2>\d+): error: |^e: (?:file://)?(?P<file3>\S+\.kts?):|error: cannot find symbol"
        r"|Compilation failed; see the compiler",
        cause="The code does not compile: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=35,
        confidence=0.92,
    ),
    Signature(
        name="compile.native",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^(?P<file>[^\s:]+\.(?:c|cc|cpp|cxx|h|hpp|hh|m|mm|cu|swift|cs)):(?P<line>\d+)(?::\d+)?: (?:fatal )?error: "
        r"|undefined reference to|^\S+\.l?hs:\d+:\d+: error:|^FAIL\s+\S+ \[build failed\]|Unable to compile TypeScript|error: Build input file cannot be found|ld: symbol\(s\) not found|collect2: error: ld returned|fatal error: \S+: No such file or directory"
        r"|^(?P<file2>\S+\.go):(?P<line2>\d+):\d+: (?:undefined: |cannot use |syntax error|.* declared and not used|imported and not used|missing return|not enough arguments|too many arguments|invalid operation)"
        r"|^error(?:\[E\d{4}\])?: (?:cannot find|mismatched|could not compile|expected|unresolved|borrow|linking with|aborting due|the trait|no method|type)"
        r"|^\s*Error: .*error CS\d{4}|: error [CM]SB?\d{4}: |: error (?:CS|FS|BC|LNK|C)\d{4}: |ld: library not found|cannot find -l\w+",
        cause="The code does not compile or link: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=35,
        confidence=0.9,
    ),
    Signature(
        name="compile.script",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^\s*(?:SyntaxError|IndentationError|TabError): |PHP Parse error: |^Parse error: syntax error|syntax error, unexpected"
        r"|ERROR in (?P<file>\S+\.[jt]sx?)|Failed to compile\.|Error: Invalid CSS after|Unexpected token .* in JSON|Transform failed with \d+ error|^\[ERROR\].*Failed to execute goal .*compile",
        cause="The code cannot be parsed or built.",
        rank=36,
        confidence=0.8,
    ),
    Signature(
        name="build.config",
        failure_class=FailureClass.CI_CONFIG,
        pattern=r"No (?P<name>Rakefile|Makefile|makefile|gulpfile|Gruntfile) found|Task never defined: (?P<name2>\S+)"
        r"|No rule to make target [`'](?P<name3>[^']+)'|^xcodebuild: error: |Task '(?P<name4>[^']+)' not found in root project",
        cause="The build tool is not configured for what it was asked: {name}.",
        culprit_kind=CulpritKind.COMMAND,
        rank=34,
        confidence=0.75,
    ),
    Signature(
        name="command.notfound",
        failure_class=FailureClass.CI_COMMAND,
        pattern=r"(?:^|: )(?:line )?(?:\d+: )?(?P<name>[\w./+-]{1,80}): (?:command )?not found$|exec: \"(?P<name2>[^\"]+)\": executable file not found"
        r"|^env: ['‘]?(?P<name3>[^'’:]+)['’]?: No such file or directory|^(?:/\S+/)?(?:ba|z|)sh: (?:\d+: |line \d+: )?(?P<name4>[\w./+-]+): (?:not found|No such file or directory)"
        r"|'(?P<name5>[\w.-]+)' is not recognized as an internal or external command|The term '(?P<name6>[^']+)' is not recognized"
        r"|error: no such (?:sub)?command: `?(?P<name7>[\w-]+)|make: (?P<name8>[\w./-]+): (?:Command not found|No such file or directory)"
        r"|npm (?:ERR!|error) Missing script: \"?(?P<name9>[\w:-]+)|The program '(?P<name12>[^']+)' is currently not installed|spawn (?P<name10>\S+) ENOENT|command \"(?P<name11>[^\"]+)\" not found",
        cause="The command {name} does not exist where the job runs.",
        culprit_kind=CulpritKind.COMMAND,
        rank=25,
        confidence=0.92,
    ),
)
