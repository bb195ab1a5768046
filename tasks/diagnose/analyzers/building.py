"""Compilers, linkers, bundlers and build tools: code that does not build, and builds that are asked for what is not there."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="compile.java",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^\[ERROR\] (?P<file>\S+\.(?:java|kt|scala|groovy)):\[(?P<line>\d+),\d+\]|COMPILATION ERROR"
        r"|Compilation failure|^(?P<file2>\S+\.(?:java|kt|scala|groovy)):(?P<line2>\d+): error: "
        r"|^e: (?:file://)?(?P<file3>\S+?\.kts?)[:(]|error: cannot find symbol|Compilation failed; see the compiler"
        r"|^\[error\] (?:-- .*Error: )?(?P<file4>\S+\.(?:scala|java)):(?P<line4>\d+)"
        r"|[Cc]ompileIncremental\) Compilation failed|^error: package \S+ does not exist|Fatal error compiling"
        r"|^startup failed:|error: (?:invalid target release|release version \d+ not supported)|AAPT: error: ",
        cause="The code does not compile: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=35,
    ),
    Signature(
        name="compile.rust",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^error\[E\d{4}\]: "
        r"|^error: (?:could not compile|aborting due to|linking with|expected|mismatched|cannot find|unresolved|the trait|no method)",
        follow=r"^\s*--> (?P<file>[^\s:]+):(?P<line>\d+):\d+",
        cause="The code does not compile: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=35,
    ),
    Signature(
        name="compile.native",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^(?P<file>[^\s:]+\.(?:c|cc|cpp|cxx|h|hpp|hh|m|mm|cu|swift|cs|zig|dart|proto)):(?P<line>\d+)(?::\d+)?: (?:fatal )?(?:error|Error): "
        r"|undefined reference to|Undefined symbols for architecture|duplicate symbol|^\S+\.l?hs:\d+:\d+: error:"
        r"|^FAIL\s+\S+ \[build failed\]|Unable to compile TypeScript|ld: symbol\(s\) not found"
        r"|collect2: error: ld returned|fatal error: \S+: No such file or directory"
        r"|^(?:vet: )?(?P<file2>\S+\.go):(?P<line2>\d+):\d+: (?:undefined: |cannot use |syntax error|.* declared and not used|declared and not used|.*imported and not used|missing return|not enough arguments|too many|invalid operation|assignment mismatch|.* redeclared|.* undefined \(|expected |no new variables|cannot infer|could not import|undeclared name|.*is not in std|unknown field|invalid argument|.*already declared|.*does not implement|mismatched types|non-boolean|non-name|missing return)"
        r"|: error (?:CS|FS|BC|LNK|C)\d{4}: |error MSB[36]\d{3}: |ld: library not found|cannot find -l\w+"
        r"|^File \"(?P<file3>[^\"]+\.mli?)\", line (?P<line3>\d+), characters"
        r"|^== Compilation error in file (?P<file4>\S+) =="
        r"|^\*\* \((?:CompileError|SyntaxError|TokenMissingError)\) (?P<file5>[^:\s]+):(?P<line5>\d+)"
        r"|could not compile dependency :(?P<name>\w+)|^===> Compiling \S+ failed|^\S+\.erl:\d+(?::\d+)?: [^W]"
        r"|^-- [A-Z ]+ -{10,} (?P<file6>\S+\.elm)|^nvcc fatal|CMake Error at (?P<file7>[^\s:]+):(?P<line7>\d+)"
        r"|\.F90:\d+:\d+:$|^! (?:LaTeX Error|Undefined control sequence|Emergency stop)",
        cause="The code does not compile or link: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=35,
    ),
    Signature(
        name="compile.script",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^\s*(?:SyntaxError|IndentationError|TabError): |PHP Parse error: |^Parse error: syntax error"
        r"|syntax error, unexpected|ERROR in (?P<file>\S+\.[jt]sx?)|Failed to compile\.|Module parse failed"
        r"|Error: Invalid CSS after|Transform failed with \d+ error|Build failed with \d+ errors?:|✘ \[ERROR\] "
        r"|RollupError|^error during build:|SassError|^\[ERROR\].*Failed to execute goal .*compile"
        r"|syntax error near unexpected token|syntax error: unexpected (?:end of file|EOF)"
        r"|unexpected EOF while looking for matching|Liquid Exception:|Warning, treated as error:|^Sphinx error:"
        r"|Error: Error building site|Build failed because of webpack errors|Aborted with \d+ warnings",
        cause="The code cannot be parsed or built: {file}.",
        culprit_kind=CulpritKind.FILE,
        rank=36,
    ),
    Signature(
        name="compile.summary",
        failure_class=FailureClass.CI_COMPILE,
        pattern=r"^\*\* (?:BUILD|ARCHIVE) FAILED \*\*"
        r"|Command (?:SwiftCompile|CompileSwift|CompileC|Ld|PhaseScriptExecution) failed with a nonzero exit code"
        r"|The following build commands failed:|^--  While building package (?P<name>\S+)"
        r"|^cabal: Failed to build (?P<name2>\S+)|Build FAILED\.$|^ninja: build stopped: subcommand failed"
        r"|Target kernel_snapshot failed",
        cause="The build failed: {name}.",
        culprit_kind=CulpritKind.COMMAND,
        rank=47,
    ),
    Signature(
        name="build.config",
        failure_class=FailureClass.CI_CONFIG,
        pattern=r"No (?P<name>Rakefile|Makefile|makefile|gulpfile|Gruntfile) found|Task never defined: (?P<name2>\S+)"
        r"|No rule to make target [`'](?P<name3>[^']+)'|^xcodebuild: error: "
        r"|(?:Task|Project) '(?P<name4>[^']+)' not found in (?:root )?project|Unknown lifecycle phase"
        r"|The goal you specified requires a project to execute|No targets specified and no makefile found"
        r"|does not appear to contain CMakeLists|Don't know how to build task '(?P<name5>[^']+)'"
        r"|^ERROR: no such (?:package|target) '(?P<name6>[^']+)'|ERROR: unknown environment '(?P<name7>[^']+)'"
        r"|ESLint couldn't find (?:a|an) |Error: Failed to load (?:config|plugin) ['\"]?(?P<name8>[^'\"\s]+)"
        r"|Could not find or load main class (?P<name9>\S+)|Could not find method (?P<name10>\w+)\(\)"
        r"|Could not find tool or toolchain|No tool named (?P<name11>\S+) found",
        cause="The build tool is not configured for what it was asked: {name}.",
        culprit_kind=CulpritKind.COMMAND,
        rank=34,
    ),
    Signature(
        name="build.usage",
        failure_class=FailureClass.CI_CONFIG,
        pattern=r"^(?:[\w./-]+: )?(?:error|Error|ERROR)?:? ?(?:unknown (?:flag|shorthand flag|option)|unrecognized (?:arguments|option)|unexpected argument|no such option|No such option)s?:? ['\"`]?(?P<name>[^\s'\"`]+)"
        r"|Found argument '(?P<name2>[^']+)' which wasn't expected"
        r"|^\S+: (?:unrecognized|invalid|illegal|unknown) option (?:-- )?['\"]?(?P<name3>[^\s'\"]+)"
        r"|flag provided but not defined: (?P<name4>\S+)|error: unrecognized arguments: (?P<name5>\S+)"
        r"|Error: unknown command \"?(?P<name6>[\w-]+)|error: unexpected argument '(?P<name7>[^']+)' found",
        cause="A command was called with an option or value that it does not know: {name}.",
        culprit_kind=CulpritKind.COMMAND,
        rank=33,
        reach_lines=80,
    ),
)
