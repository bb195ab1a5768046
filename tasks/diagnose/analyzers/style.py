"""Format, lint and types: tools that judge the code without running it."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="format.ruff",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^unformatted: File would be reformatted|^Would reformat: (?P<file>\S.*)$",
        follow=r"^\s*--> (?P<file>[^\s:]+):(?P<line>\d+):\d+",
        cause="ruff would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="ruff format",
        rank=38,
    ),
    Signature(
        name="format.black",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^would reformat (?P<file>\S.*)$|^\d+ files? would be reformatted",
        cause="black would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="black",
        rank=38,
    ),
    Signature(
        name="format.isort",
        failure_class=FailureClass.CI_LINT,
        pattern=r"ERROR: (?P<file>\S+) Imports are incorrectly sorted",
        cause="isort would sort the imports of {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="isort",
        rank=38,
    ),
    Signature(
        name="format.prettier",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^\[(?:warn|error)\] (?P<file>\S+\.\w+)$|Code style issues (?:found|fixed)",
        cause="prettier would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="prettier",
        rank=38,
    ),
    Signature(
        name="format.rust",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^Diff in (?P<file>\S+\.rs)(?::\d+:?| at line \d+)",
        cause="cargo fmt would format {file} otherwise.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="cargo fmt",
        rank=38,
    ),
    Signature(
        name="format.other",
        failure_class=FailureClass.CI_LINT,
        pattern=r"The following files had format violations|Run 'mvn spotless:apply'|spotlessCheck'"
        r"|clang-format.*-Wclang-format-violations|code should be clang-formatted|mix format failed"
        r"|^Changed (?P<file>\S+\.dart)|error (?:WHITESPACE|IMPORTS|FINALNEWLINE|CHARSET|ENDOFLINE): "
        r"|isn't formatted properly|^\[error\] .*scalafmt|^diff (?:-u )?(?P<file2>\S+\.go)\.orig "
        r"|^(?P<file3>\S+\.go): (?:File is not|needs to be) `?(?:gofmt|goimports)"
        r"|Found \d+ of \d+ files that can be fixed|^\[(?:error|warn)\] (?P<file4>\S+\.scala) isn't formatted"
        r"|\d+ files? (?:is|are) not (?:properly )?formatted|File is not `?(?:gofmt|gofumpt|gci|goimports)",
        cause="A formatter would write the code otherwise: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=33,
    ),
    Signature(
        name="lint.clippy",
        failure_class=FailureClass.CI_LINT,
        pattern=r"requested on the command line with .-D (?P<name>clippy::\w+|warnings)"
        r"|.-D (?P<name2>clippy::[\w-]+). implied by|#\[deny\((?P<name3>clippy::\w+)\)\]"
        r"|error: could not compile .* due to .*clippy",
        cause="clippy forbids {name}.",
        culprit_kind=CulpritKind.RULE,
        rank=34,
    ),
    Signature(
        name="lint.static",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^(?P<file>\S+):(?P<line>\d+):\d+: (?:error|warning): .*\[(?:[a-z]+-)+[\w.-]+(?:,-warnings-as-errors)\]$"
        r"|\.swift:\d+:\d+: (?:warning|error): .*\(\w+\)$|error (?:SA|CA|IDE|S|RCS|SX)\d{4}: "
        r"|^(?P<file2>\S+\.go):(?P<line2>\d+):\d+: (?:\S+ (?:format|call|arg list)|.* composite literal uses unkeyed|unreachable code|struct field tag|.*copies lock|possible misuse|result of .* not used)"
        r"|\((?:SA|ST|S|QF|U)\d{4}\)$|^\[(?:ERROR|WARN)\] \S+\.java:\d+(?::\d+)?: .*\[\w+\]$",
        cause="A static check complains about {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=34,
    ),
    Signature(
        name="lint.python",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^(?P<file>\S+\.pyi?):(?P<line>\d+):\d+: [A-Z]{1,4}\d{2,4}\b|^[A-Z]{1,4}\d{3,4} (?:\[\*\] )?[A-Z`].{5,}"
        r"|^Your code has been rated at (?:\d\.|-)|^>> Issue: \[B\d{3}",
        follow=r"^\s*--> (?P<file>[^\s:]+):(?P<line>\d+):\d+",
        cause="A linter complains about {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=39,
    ),
    Signature(
        name="lint.other",
        failure_class=FailureClass.CI_LINT,
        pattern=r"^\s+\d+:\d+\s+error\s+\S.*\s{2,}[@\w/-]+$|^\s+\d+:\d+\s+error\s+.*\([\w-]+\)$"
        r"|✖\s+(?:found )?[1-9]\d* problems?|You have [1-9]\d* (?:Checkstyle|PMD) violations"
        r"|^\[ERROR\].*maven-(?:checkstyle|pmd)-plugin|spotbugs-maven-plugin.*check|\bMD\d{3}/[\w-]+"
        r"|There were errors reported by (?:Checkstyle|PMD|SpotBugs)"
        r"|\((?:golint|gofmt|gofumpt|govet|errcheck|staticcheck|unused|goimports|revive|gosimple|ineffassign|gocritic|gosec|misspell|unparam|typecheck|lll|dupl|goconst|gocyclo|deadcode|structcheck|depguard|stylecheck|unconvert|whitespace|nolintlint|bodyclose|noctx|prealloc|exhaustive)\)$"
        r"|hadolint|^\S+:\d+ DL\d{4} |^\S*:?\d*.*\bSC\d{4}(?: \(\w+\))?: |\b[1-9]\d* offenses? detected"
        r"|^\S+\.rb:\d+:\d+: [CWEF]: |PHP_CodeSniffer|FOUND [1-9]\d* ERRORS?"
        r"|^\S+\.kts?:\d+:\d+:? .*\((?:standard:)?[\w-]+\)$|KtLint found code style violations"
        r"|Analysis failed with \d+ (?:weighted )?issues|\.{3,}Failed$|^- hook id: (?P<name>\S+)|^\S+:\d+: \S+ ==> \S+"
        r"|Unknown word \(|lint/\w+/\w+ ━|ESLint found too many warnings"
        r"|\d+ chart\(s\) linted, [1-9]\d* chart\(s\) failed|^Failed(?: after)?: \d+ failure\(s\)"
        r"|\d+ issue\(s\) found:$|: line \d+, col \d+, (?:Error|Warning)|^ERROR: (?:\(\S+\) )?\S+\.tsx?[:\[]\d+"
        r"|standard: Use JavaScript Standard Style|^credo found \d+|analysis found [1-9]\d* (?:mods/funs|issues)"
        r"|^\s*(?:error|warning|info) [•-] .{1,300} [•-] \S+:\d+:\d+ [•-] \w+$|^[1-9]\d* issues found\."
        r"|^[1-9]\d* issues:$",
        cause="A linter complains: {name}.",
        culprit_kind=CulpritKind.RULE,
        rank=39,
    ),
    Signature(
        name="type.error",
        failure_class=FailureClass.CI_TYPE,
        pattern=r"^(?P<file>\S+\.pyi?):(?P<line>\d+):(?:\d+:)? error: |error TS\d{4,5}: |\bTS\d{4,5}: "
        r"|^\s*(?P<file2>\S+\.py):(?P<line2>\d+):\d+ - error: |^Found \d+ errors? in \d+ files? \(checked|Type error: "
        r"|^Error -{5,} (?P<file3>\S+)|https://srb\.help/\d{4}|^\s*\[ERROR\] Found [1-9]\d* errors?$"
        r"|svelte-check found [1-9]\d* error|^ERROR: \w+ - (?P<file4>\S+\.php):(?P<line4>\d+)"
        r"|^File \"(?P<file5>[^\"]+\.py)\", line \d+, in .* \[[a-z-]+\]$|^done \(warnings were emitted\)",
        cause="The type checker complains about {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=37,
    ),
)
