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
        confidence=0.95,
    ),
    Signature(
        name="pip.version",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"Could not find a version that satisfies the requirement (?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]*\])?(?P<version>[^\s(]*)"
        r"|No matching distribution found for (?P<name2>[A-Za-z0-9][\w.-]*)(?P<version2>\S*)",
        cause="pip finds no version of {name} that fits.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=20,
        confidence=0.95,
    ),
    Signature(
        name="pip.conflict",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"ResolutionImpossible|Cannot install .* because these package versions have conflicting dependencies|resolution-too-deep"
        r"|Because .* depends on .*(?:version solving failed|which doesn't match)|SolverProblemError|No solution found when resolving"
        r"|pkg_resources\.(?:ContextualVersionConflict|VersionConflict|DistributionNotFound)|Package .* requires a different Python"
        r"|requires Python '?[<>=!~]",
        cause="The requirements of the Python packages contradict each other.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=21,
        confidence=0.9,
    ),
    Signature(
        name="pip.build",
        failure_class=FailureClass.CI_DEP_PIP,
        pattern=r"Failed building wheel for (?P<name>\S+)|ERROR: Could not build wheels for (?P<name2>[^\s,]+)|Failed to build installable wheels"
        r"|error: subprocess-exited-with-error|metadata-generation-failed|Command \"?python setup\.py egg_info\"? failed",
        cause="A Python package could not be built: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=33,
        confidence=0.85,
    ),
    Signature(
        name="npm.code",
        failure_class=FailureClass.CI_DEP_NPM,
        pattern=r"npm (?:ERR!|error) code (?P<name>E(?:404|RESOLVE|TARGET|INTEGRITY|NOVERSIONS|BADENGINE|USAGE|LOCKVERIFY|UNSUPPORTEDPROTOCOL))"
        r"|npm (?:ERR!|error) 404 .*'(?P<name2>[^']+)'|`npm ci` can only install packages when|ERR_PNPM_\w+|error Couldn't find (?:any versions for )?(?:package )?\"(?P<name3>[^\"]+)"
        r"|Your lockfile needs to be updated|The lockfile would have been modified|error Incorrect integrity|The engine \"node\" is incompatible"
        r"|npm (?:ERR!|error) (?:notsup|peer |Could not resolve dependency)|YN\d{4}: .*(?:couldn't be|not found|would be (?:created|modified))",
        cause="npm cannot install the packages: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
        confidence=0.9,
    ),
    Signature(
        name="go.module",
        failure_class=FailureClass.CI_DEP_GO,
        pattern=r"missing go\.sum entry|verifying (?P<name>\S+): checksum mismatch|: unknown revision |ambiguous import: found package"
        r"|go: updates to go\.(?:mod|sum) needed|no required module provides package (?P<name2>\S+?);?$|cannot find module providing package (?P<name3>\S+)"
        r"|go\.mod requires go >=|cannot find package \"(?P<name4>[^\"]+)\"|invalid go version|module (?P<name5>\S+) found .*, but does not contain package",
        cause="Go cannot load a module: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
        confidence=0.92,
    ),
    Signature(
        name="maven.artifact",
        failure_class=FailureClass.CI_DEP_MAVEN,
        pattern=r"Could not resolve dependencies for project|Could not find artifact (?P<name>\S+)|Blocked mirror for repositories|Could not (?:resolve|find) (?P<name2>[\w.-]+:[\w.-]+:[\w.+-]+)"
        r"|Could not transfer artifact (?P<name3>\S+)|Non-resolvable (?:parent POM|import POM)|Failed to collect dependencies|UNRESOLVED DEPENDENCIES|unresolved dependency: (?P<name5>\S+?);|Failed to read artifact descriptor"
        r"|Plugin (?P<name4>\S+) or one of its dependencies could not be resolved|Could not resolve all (?:files|dependencies|artifacts|task dependencies) for",
        cause="A Java dependency cannot be resolved: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=23,
        confidence=0.9,
    ),
    Signature(
        name="apt.package",
        failure_class=FailureClass.CI_DEP_OS,
        pattern=r"^E: (?:Failed to fetch|Unable to (?:locate package|fetch)|Package '(?P<name>[^']+)' has no installation candidate|Couldn't find any package|Version '|Unable to correct problems|The repository)"
        r"|Unable to locate package (?P<name2>\S+)|Hash Sum mismatch|No package (?P<name3>\S+) available|ERROR: unable to select packages|unsatisfiable constraints"
        r"|Error: No (?:available formula|such keg)|Could not get lock /var/lib/|dpkg: error processing|The following packages have unmet dependencies|error while loading shared libraries: (?P<name4>[^:]+):",
        cause="A package of the operating system cannot be installed: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=21,
        confidence=0.9,
    ),
    Signature(
        name="gradle.task",
        failure_class=FailureClass.CI_DEP_MAVEN,
        pattern=r"^Execution failed for task ':(?P<name>[\w:-]+)'|A problem occurred (?:configuring|evaluating) |Failed to execute goal (?P<name2>\S+)",
        cause="The build step {name} failed.",
        culprit_kind=CulpritKind.COMMAND,
        rank=70,
        confidence=0.4,
    ),
)
