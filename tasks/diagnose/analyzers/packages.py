"""Packages of the ecosystems without a class of their own: crates, gems, Composer, NuGet, pods, R, Dart, Hex, Haskell."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="cargo.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"no matching package (?:named )?.(?P<name>[\w-]+). found"
        r"|failed to select a version for(?: the requirement)? .(?P<name2>[\w-]+)"
        r"|failed to get .(?P<name3>[\w-]+). as a dependency|error\[E0463\]: can't find crate for .(?P<name4>\w+)"
        r"|needs to be updated but --locked was passed"
        r"|package .(?P<name5>[\w-]+) v\S+ cannot be built because it requires rustc"
        r"|failed to load source for dependency .(?P<name6>[\w-]+)|failed to parse lock file"
        r"|feature .edition\d+. is required|failed to run custom build command for .(?P<name7>[\w-]+)",
        cause="Cargo cannot resolve a crate: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="gem.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"Could not find gem '(?P<name>[^' ]+)"
        r"|Could not find (?P<name2>[\w-]+-\d[\w.]*) in (?:any of the sources|locally installed gems|rubygems|cached gems)"
        r"|Bundler could not find compatible versions for gem \"(?P<name3>[^\"]+)"
        r"|Bundler::(?:GemNotFound|VersionConflict|InstallError|SolveFailure)"
        r"|An error occurred while installing (?P<name4>[\w-]+)|Gem::Ext::BuildError"
        r"|Failed to build gem native extension|Your Ruby version is \S+, but your Gemfile specified"
        r"|Could not find a valid gem '(?P<name5>[^']+)'"
        r"|Gem::(?:MissingSpecError|MissingSpecVersionError|ConflictError|DependencyError)"
        r"|Error installing (?P<name6>[\w-]+):|requires Ruby version|The gemspec .* is not valid"
        r"|The dependencies in your gemfile changed|Could not find compatible versions$"
        r"|which cannot be found in any of the sources|frozen mode|deployment mode after changing",
        cause="Bundler cannot install a gem: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="composer.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"Your requirements could not be resolved to an installable set of packages"
        r"|Root composer\.json requires (?P<name>[\w./-]+)|Could not find package (?P<name2>[\w.-]+/[\w.-]+)"
        r"|Required package \"(?P<name3>[^\"]+)\" is not present in the lock file"
        r"|lock file is not up to date with the latest changes in composer\.json"
        r"|Your lock file does not contain a compatible set of packages"
        r"|^\s+- (?P<name4>[\w.-]+/[\w.-]+) .* (?:requires|conflicts with) ",
        cause="Composer cannot resolve the packages: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="nuget.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"(?:error|warning as error:?) NU1[014567]\d\d: .{0,60}?(?:package|downgrade:|for|project) (?P<name>[\w.]+\.[\w.]+|\w+)"
        r"|error NU1[014567]\d\d|Unable to find package (?P<name2>[\w.]+)"
        r"|Unable to resolve dependency '(?P<name3>[^']+)'|error NETSDK1\d{3}: ",
        cause="NuGet cannot restore a package: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="apple.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"None of your spec sources contain a spec satisfying(?: the dependency: .(?P<name>[\w/-]+))?"
        r"|CocoaPods could not find compatible versions for pod \"(?P<name2>[^\"]+)"
        r"|Unable to find a specification for .(?P<name3>[\w/-]+)|Unable to find a pod with name"
        r"|The sandbox is not in sync with the Podfile\.lock|Could not resolve package dependencies"
        r"|error: Dependencies could not be resolved|no versions of '(?P<name4>[^']+)' match"
        r"|error: product '(?P<name5>[^']+)' .* not found|Dependency \"(?P<name6>[^\"]+)\" has no tagged versions"
        r"|No tagged versions found that satisfy|error: package '?(?P<name7>[\w-]+)'? is using Swift tools version",
        cause="A package of an Apple project cannot be resolved: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="r.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"^Packages? required but not available: ?.*?(?P<name>[A-Za-z][\w.]+)"
        r"|^Packages? required and available but unsuitable version"
        r"|there is no package called .{1,3}?(?P<name2>[A-Za-z][\w.]+)"
        r"|ERROR: dependenc(?:y|ies) .* (?:is|are) not available for package"
        r"|package .{1,3}?(?P<name3>[A-Za-z][\w.]+).{1,3} is not available (?:for|\()"
        r"|installation of package .{1,3}?(?P<name4>[A-Za-z][\w.]+).{1,3} had non-zero exit status"
        r"|namespace .{1,60} is (?:already|being) loaded, but >= .* is required"
        r"|Unsatisfiable requirements detected for package (?P<name5>\w+)"
        r"|ArgumentError: Package (?P<name6>\w+) not found in current path|installed Julia doesn't have",
        cause="A package of R is missing: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
    Signature(
        name="other.package",
        failure_class=FailureClass.CI_DEP_OTHER,
        pattern=r"Because .*\b(?P<name>\w+) (?:[\^>=<]|any )[^()]*, version solving failed"
        r"|Could not find package (?P<name2>\w+) (?:at|in) |The current (?:Dart|Flutter) SDK version is"
        r"|^pub (?:get|upgrade) failed|Failed to use \"(?P<name3>\w+)\" \(version|No package with name (?P<name4>\w+)"
        r"|Hex dependency resolution failed|Unchecked dependencies for environment"
        r"|the dependency is not available, run .mix deps\.get"
        r"|the dependency is out of date|lock mismatch: the dependency is out of date"
        r"|^cabal: Could not resolve dependencies|While constructing the build plan|rejecting: (?P<name5>\S+) \("
        r"|Couldn't find module or a distribution (?P<name6>\S+)|! Installing the dependencies failed"
        r"|found in Chart\.yaml, but missing in charts/|ERROR: Missing (?:prebuilt package|binary)"
        r"|Unable to find '(?P<name7>[^']+)' in remotes|Error: No results matching query were found"
        r"|No package named (?P<name8>\S+)|bower +(?:ENOTFOUND|ECONFLICT|EINVRES)"
        r"|Unable to satisfy the following requirements",
        cause="A package cannot be resolved: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=22,
    ),
)
