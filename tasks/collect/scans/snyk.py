"""Snyk's JSON: open source projects, one or several, containers, infrastructure as code, the API's answer, errors.

The format is that of `snyk test --json` (https://docs.snyk.io/developer-tools/snyk-cli/commands/test); its exit codes:
1 issues, 2 failure, 3 no supported project.
"""

import re
from collections.abc import Iterator

from tasks.collect.scans.draft import ReportDraft, Row, ecosystem_of, severity_of, version_list
from tasks.collect.scans.fields import Misfit, Node
from tasks.collect.scans.snyk_base import read_base
from tasks.domain.vulnerability import BreachKind, Ecosystem, ScanFault, Scanner, ScanReport

_NO_PROJECT = re.compile(r"Could not detect supported target files|no supported (?:projects|target files|files)", re.I)
_REFUSED = re.compile(r"\b40[13]\b|authenticat|unauthori[sz]ed|not have permission|SNYK-000[35]", re.I)
_PROJECT_FIELDS = frozenset({"vulnerabilities", "infrastructureAsCodeIssues", "applications"})


def is_snyk(document: object) -> bool:
    """Whether this is a report of Snyk, or the object that it prints in place of one."""
    if isinstance(document, list):
        return bool(document) and all(isinstance(item, dict) and _is_project(item) for item in document)
    return isinstance(document, dict) and _is_project(document)


def _is_project(document: dict[str, object]) -> bool:
    if _PROJECT_FIELDS & document.keys() or (document.get("ok") is False and {"error", "errors"} & document.keys()):
        return True
    result = document.get("result")
    return isinstance(result, dict) and bool({"affectedPkgs", "issuesData", "cloudConfigResults"} & result.keys())


def parse_snyk(document: object, *, source: str) -> ScanReport:
    """The report; several projects become one.

    Raises:
        Misfit: it is not built as Snyk builds its reports.
    """
    draft = ReportDraft(scanner=Scanner.SNYK, tool="Snyk", source=source)
    projects = document if isinstance(document, list) else [document]
    found_elsewhere = 0
    for position, value in enumerate(projects):
        path = f"[{position}]" if isinstance(document, list) else ""
        with draft.entry():
            project = Node(value, path)
            found_elsewhere = max(found_elsewhere, project.line("foundProjectCount") or 0)
            _read_project(draft, project)
    if found_elsewhere > len(projects):
        draft.gap(f"Snyk saw {found_elsewhere} projects and tested {len(projects)}: run it with --all-projects")
    return draft.finish()


def _read_project(draft: ReportDraft, project: Node) -> None:
    draft.target = draft.target or project.text("projectName") or project.text("path")
    if project.has("error") or project.has("errors"):
        _read_error(draft, project)
        return
    before = _count(draft)
    if project.has("result"):
        _read_answer(draft, project.node("result"))
    else:
        _read_test(draft, project)
    if project.flag("ok") is False and _count(draft) == before and not draft.gaps:
        draft.gap(f"{_label(project)} is said not to be ok, and the report does not say why")


def _count(draft: ReportDraft) -> int:
    return len(draft.vulnerabilities) + len(draft.breaches)


def _label(project: Node) -> str:
    return project.text("displayTargetFile") or project.text("targetFile") or project.text("projectName") or "a project"


def _read_error(draft: ReportDraft, project: Node) -> None:
    told = _error_text(project)
    fault = ScanFault.NO_PROJECT if _NO_PROJECT.search(told) else ScanFault.TOOL
    if fault is ScanFault.TOOL and _REFUSED.search(f"{project.values.get('code', '')} {told}"):
        fault = ScanFault.REFUSED
    draft.gap(f"Snyk did not test {project.text('path') or 'the project'}: {told or 'it gave no reason'}", fault)


def _error_text(project: Node) -> str:
    """The words of an error, which is a text, or an object with a message, or a list of either."""
    error = project.values.get("error")
    if error is None:
        errors = project.items("errors")
        error = errors[0] if errors else ""
    if isinstance(error, str):
        return error
    node = Node(error, project.name("error"))
    return node.text("message") or node.text("detail") or node.text("title") or node.text("code")


def _read_test(draft: ReportDraft, project: Node) -> None:
    is_code = project.has("infrastructureAsCodeIssues")
    place = _Place(project)
    for path, value in project.each("vulnerabilities"):
        with draft.entry():
            _take(draft, Node(value, path), place)
    for path, value in project.each("infrastructureAsCodeIssues"):
        with draft.entry():
            _take_breach(draft, Node(value, path), place.file)
    for path, value in project.each("applications"):
        with draft.entry():
            _read_project(draft, Node(value, path))
    if draft.base is None:
        draft.base = read_base(project.node("docker"))
    nothing = not (is_code or project.items("vulnerabilities") or project.items("applications"))
    if nothing and project.values.get("dependencyCount", 0) == 0:
        draft.gap(f"{_label(project)} has no dependency that Snyk could test", ScanFault.NO_PROJECT)


class _Place:
    """Where a project's findings stand, and what its report proposes."""

    def __init__(self, project: Node) -> None:
        manager = project.text("packageManager")
        docker = project.has("docker")
        self.ecosystem = Ecosystem.OS if docker and ecosystem_of(manager) is Ecosystem.OTHER else ecosystem_of(manager)
        self.file = project.text("displayTargetFile") or project.text("targetFile")
        self.image = project.text("path") if docker else ""
        if docker and self.ecosystem is Ecosystem.OS:
            self.file = ""  # for an image Snyk names its Dockerfile here, which lists no packages
        self.upgrades = dict(_proposals(project.node("remediation")))


def _proposals(remediation: Node) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """For each vulnerability the direct dependency to upgrade (`upgrade`), or the package to pin (`pin`)."""
    for way in ("upgrade", "pin"):
        proposals = remediation.node(way)
        for present in proposals.values:
            proposal = proposals.node(present)
            package, installed = _split(present)
            to = _split(proposal.text("upgradeTo"))
            if package and to[0] == package and to[1]:
                for vulnerability in proposal.texts("vulns"):
                    yield vulnerability, (package, installed, to[1])


def _split(spec: str) -> tuple[str, str]:
    """`name@version`; the name of an npm package may begin with an @ of its own."""
    name, at, version = spec.rpartition("@")
    return (name, version) if at and name else (spec, "")


def _take(draft: ReportDraft, entry: Node, place: _Place) -> None:
    if entry.flag("isIgnored"):
        return
    identifiers = entry.node("identifiers")
    package = entry.text("name") or entry.text("packageName") or entry.text("moduleName")
    row = Row(
        id=entry.text("id"),
        severity=severity_of(entry.text("severityWithCritical") or entry.text("severity")),
        package=package,
        installed=entry.text("version"),
        fixed=_fixed(entry),
        upgrade=place.upgrades.get(entry.text("id")) or _upgrade_path(entry),
        ecosystem=place.ecosystem if place.ecosystem is not Ecosystem.OTHER else _ecosystem(entry),
        file=place.file,
        image=place.image,
        title=entry.text("title"),
        aliases=tuple(identifiers.texts("CVE")),
    )
    if entry.text("type") == "license" or row.id.startswith("snyk:lic:"):
        title = f"{package} {row.installed}: {row.title}"
        draft.breaches.append(
            Row(id=row.id, severity=row.severity, kind=BreachKind.LICENSE, file=row.file, title=title)
        )
    else:
        draft.add_vulnerability(row, entry.path)


def _ecosystem(entry: Node) -> Ecosystem:
    return ecosystem_of(entry.text("packageManager"), entry.text("language"))


def _fixed(entry: Node) -> tuple[str, ...]:
    nearest = entry.text("nearestFixedInVersion")
    return version_list([*entry.texts("fixedIn"), *([nearest] if nearest else [])])


def _upgrade_path(entry: Node) -> tuple[str, str, str] | None:
    """The direct dependency of `from` and what `upgradePath` makes of it: `[false, "debug@2.6.9", "ms@2.0.0"]`."""
    chain, path = entry.items("from"), entry.items("upgradePath")
    if len(chain) < 2 or len(path) < 2 or not isinstance(chain[1], str) or not isinstance(path[1], str):
        return None
    present, wanted = _split(chain[1]), _split(path[1])
    if present[0] != wanted[0] or not wanted[1] or present[1] == wanted[1]:
        return None
    return present[0], present[1], wanted[1]


def _take_breach(draft: ReportDraft, entry: Node, file: str) -> None:
    if entry.flag("isIgnored"):
        return
    draft.breaches.append(
        Row(
            id=entry.text("publicId") or entry.text("id"),
            severity=severity_of(entry.text("severity")),
            file=file,
            line=entry.line("lineNumber"),
            title=entry.text("title") or entry.text("issue"),
            advice=entry.text("resolve") or entry.node("iacDescription").text("resolve"),
        )
    )


def _read_answer(draft: ReportDraft, result: Node) -> None:
    """The answer of the test API: packages that are affected, with the issues told apart from them."""
    for path, value in result.each("cloudConfigResults"):
        with draft.entry():
            _take_breach(draft, Node(value, path), "")
    issues = result.node("issuesData")
    upgrades = dict(_proposals(result.node("remediation")))
    affected = result.node("affectedPkgs")
    for spec in affected.values:
        with draft.entry():
            package = affected.node(spec)
            for name in package.node("issues").values:
                if not issues.has(name):
                    raise Misfit(f"{issues.path} does not tell what {name[:80]} is")
                issue, named = issues.node(name), package.node("pkg")
                draft.vulnerabilities.append(
                    Row(
                        id=issue.text("id") or name,
                        severity=severity_of(issue.text("severityWithCritical") or issue.text("severity")),
                        package=named.text("name") or _split(spec)[0],
                        installed=named.text("version") or _split(spec)[1],
                        fixed=_fixed(issue),
                        upgrade=upgrades.get(name),
                        ecosystem=_ecosystem(issue),
                        title=issue.text("title"),
                        aliases=tuple(issue.node("identifiers").texts("CVE")),
                    )
                )
