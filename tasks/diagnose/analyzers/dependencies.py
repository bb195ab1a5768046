"""Packages: what cannot be found, resolved, verified or built."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="pip.hash",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"THESE PACKAGES DO NOT MATCH THE HASHES|Hashes are required in --require-hashes mode|Hash mismatch for (?P<name>\S+)",
        cause="A Python package does not match its recorded hash; that may be tampering and is for a security review.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=11,
    ),
    Signature(
        name="pip.version",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"Could not find a version that satisfies the requirement (?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]*\])?(?P<version>[^\s(]*)"
        r"|No matching distribution found for (?P<name2>[A-Za-z0-9][\w.-]*)(?P<version2>\S*)"
        r"|Could not find a version that matches (?P<name3>[\w.-]+)|because (?P<name4>[\w.-]+) was not found in the package registry"
        r"|(?P<name5>\S+\.whl) is not a supported wheel on this platform",
        cause="pip finds no version of {name} that fits.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=20,
    ),
    Signature(
        name="pip.conflict",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"ResolutionImpossible|Cannot install .* because these package versions have conflicting dependencies|resolution-too-deep"
        r"|Because .* depends on .*(?:version solving failed|which doesn't match)|SolverProblemError|No solution found when resolving"
        r"|pkg_resources\.(?:ContextualVersionConflict|VersionConflict|DistributionNotFound)|Package .* requires a different Python"
        r"|(?:ERROR|error).{0,80}requires Python '?[<>=!~]"
        r"|poetry\.lock (?:is not up to date|was last generated)|pyproject\.toml changed significantly since poetry\.lock"
        r"|Your Pipfile\.lock .{0,40}out of date|ResolutionFailure|The lockfile at `uv\.lock` needs to be updated"
        r"|PackagesNotFoundError|ResolvePackageNotFound|UnsatisfiableError|packages are not available from current channels"
        r"|nothing provides (?:requested )?\S+ needed|externally-managed-environment|ERROR: Invalid requirement: ",
        cause="The requirements of the Python packages contradict each other.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=21,
    ),
    Signature(
        name="pip.build",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"Failed building wheel for (?P<name>\S+)|ERROR: Could not build wheels for (?P<name2>[^\s,]+)|Failed to build installable wheels"
        r"|error: subprocess-exited-with-error|metadata-generation-failed|Command \"?python setup\.py egg_info\"? failed"
        r"|Failed to (?:download and )?build .(?P<name3>[\w.-]+==)|error: invalid command 'bdist_wheel'",
        cause="A Python package could not be built: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=33,
    ),
    Signature(
        name="npm.code",
        failure_class=FailureClass.CI_DEP_NPM,
        pattern=r"npm (?:ERR!|error) code (?P<name>E(?:404|RESOLVE|TARGET|INTEGRITY|NOVERSIONS|BADENGINE|USAGE|LOCKVERIFY|UNSUPPORTEDPROTOCOL))"
        r"|npm (?:ERR!|error) 404 .*'(?P<name2>[^']+)'|`npm ci` can only install packages when|ERR_PNPM_\w+|error Couldn't find (?:any versions for )?(?:package )?\"(?P<name3>[^\"]+)"
        r"|Your lockfile needs to be updated|The lockfile would have been modified|error Incorrect integrity|The engine \"node\" is incompatible"
        r"|npm (?:ERR!|error) (?:notsup|peer |Could not resolve dependency)|YN\d{4}: .*(?:couldn't be|not found|would be (?:created|modified))"
        r"|npm (?:ERR!|error) notarget No matching version found for (?P<name4>\S+?)\.?$|npm (?:ERR!|error) (?:Missing|Invalid): (?P<name5>\S+)"
        r"|gyp ERR! (?:build|configure) error|No version matching \"(?P<name6>[^\"]+)|lockfile had changes, but lockfile is frozen",
        cause="npm cannot install the packages: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="go.module",
        failure_class=FailureClass.CI_DEP_GO,
        pattern=r"missing go\.sum entry|verifying (?P<name>\S+): checksum mismatch|: unknown revision |ambiguous import: found package"
        r"|go: updates to go\.(?:mod|sum) needed|no required module provides package (?P<name2>[^\s;]+)|cannot find module providing package (?P<name3>\S+)"
        r"|go\.mod requires go >=|cannot find package \"(?P<name4>[^\"]+)\"|invalid go version|module (?P<name5>\S+) found .*, but does not contain package"
        r"|requires go >= ?\d|go\.mod file not found|cannot find main module|inconsistent vendoring|marked as explicit in vendor/modules\.txt"
        r"|^verifying module: |unrecognized import path \"(?P<name6>[^\"]+)|malformed module path|package (?P<name7>\S+) is not in (?:GOROOT|std)"
        r"|reading \S+: (?:404|410) |Gopkg\.lock is out of sync",
        cause="Go cannot load a module: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="maven.artifact",
        failure_class=FailureClass.CI_DEP_MAVEN,
        pattern=r"Could not resolve dependencies for project|Could not find artifact (?P<name>\S+)|Blocked mirror for repositories|Could not (?:resolve|find) (?P<name2>[\w.-]+:[\w.-]+:[\w.+-]+)"
        r"|Could not transfer artifact (?P<name3>\S+)|Non-resolvable (?:parent POM|import POM)|Failed to collect dependencies|UNRESOLVED DEPENDENCIES|unresolved dependency: (?P<name5>\S+?);|Failed to read artifact descriptor"
        r"|Plugin (?P<name4>\S+) or one of its dependencies could not be resolved|Could not resolve all (?:files|dependencies|artifacts|task dependencies) for"
        r"|Plugin \[id: '(?P<name6>[^']+)'.{0,60}was not found|Plugin with id '(?P<name7>[^']+)' not found|ResolveException"
        r"|Error downloading (?P<name8>[\w.-]+:[\w.:-]+)|Dependency verification failed for configuration|Dependency convergence error"
        r"|Could not determine the dependencies of task|incompatible because this component declares",
        cause="A Java dependency cannot be resolved: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=23,
    ),
    Signature(
        name="apt.package",
        failure_class=FailureClass.CI_DEP_OS,
        pattern=r"^E: (?:Failed to fetch (?P<name16>\S+)|Unable to locate package (?P<name17>\S+)|Unable to fetch|Package '(?P<name>[^']+)' has no installation candidate|Couldn't find any package|Version '|Unable to correct problems|The repository)"
        r"|Unable to locate package (?P<name2>\S+)|Hash Sum mismatch|No package (?P<name3>\S+) available|ERROR: unable to select packages|unsatisfiable constraints"
        r"|Error: No (?:available formula|such keg)|Could not get lock /var/lib/|dpkg: error processing|The following packages have unmet dependencies|error while loading shared libraries: (?P<name4>[^:]+):"
        r"|^E: (?:Release |Version |Some index files|The method driver|Sub-process)|Unable to find a match: (?P<name5>\S+)"
        r"|No match for argument: (?P<name6>\S+)|(?P<name7>\S+) \(no such package\)|error: target not found: (?P<name8>\S+)"
        r"|No provider of '(?P<name9>[^']+)' found|Host system is missing dependencies to run browsers|version .GLIBC_[\d.]+' not found"
        r"|No package '(?P<name10>[^']+)' found|Package (?P<name11>\S+) was not found in the pkg-config search path"
        r"|Could NOT find (?P<name12>\w+) \(missing: |provided by \"(?P<name13>[^\"]+)\" with any of the following names"
        r"|^configure: error: |error: snap \"(?P<name14>[^\"]+)\" not found|No available formula (?:or cask )?with the name \"(?P<name15>[^\"]+)"
        r"|not installed\. The package was not found|Failed to download metadata for repo",
        cause="A package of the operating system cannot be installed: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=21,
        reach_lines=400,
    ),
    Signature(
        name="gradle.task",
        failure_class=FailureClass.CI_DEP_MAVEN,
        pattern=r"^Execution failed for task ':(?P<name>[\w:-]+)'|A problem occurred (?:configuring|evaluating) |Failed to execute goal (?P<name2>\S+)",
        cause="The build step {name} failed.",
        culprit_kind=CulpritKind.COMMAND,
        rank=70,
    ),
)
