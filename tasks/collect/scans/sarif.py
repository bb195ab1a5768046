"""SARIF 2.1.0, as Trivy, Snyk and many others write it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/ : results that are `null` mean that the tool did not run, an empty
list that it ran and found nothing.
"""

import re

from tasks.collect.scans.draft import ReportDraft, Row, ecosystem_of, severity_of, version_list
from tasks.collect.scans.fields import Misfit, Node
from tasks.domain.vulnerability import BreachKind, Ecosystem, ScanFault, Scanner, ScanReport, ScanSeverity

MAX_HELP_CHARACTERS = 20_000
_PASSED_KINDS = frozenset({"pass", "notApplicable", "informational"})
_MESSAGE_FIELD = re.compile(
    r"^(Package|Installed Version|Fixed Version|Severity|Vulnerability):?[ \t]+(\S[^\n]*)$", re.M
)
_SPEC = re.compile(r"^(?:.*/)?(@?[^@\s]+(?:/[^@\s]+)?)@(\S+)$")
_UPGRADE_TO = re.compile(
    r"[Uu]pgrade `?(?P<package>[^\s`]+)`?(?: `[^`]+`)? to version `?(?P<versions>[^\s`]+(?:, ?[^\s`]+)*)`?"
)
_FIX_SPEC = re.compile(r"[Uu]pgrade to (?P<package>@?[^\s@]+)@(?P<version>\S+)")
_VULNERABILITY_ID = re.compile(r"^(?:CVE-|GHSA-|GMS-|GO-|PYSEC-|RUSTSEC-|OSV-|SNYK-(?!CC-)|npm:)", re.I)
_SECRET = re.compile(r"secret|gitleaks|trufflehog|credential|password|api.?key", re.I)
_LEVELS = {"error": ScanSeverity.HIGH, "warning": ScanSeverity.MEDIUM, "note": ScanSeverity.LOW}
# The bounds that GitHub gives for `security-severity`:
# https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
_SCORES = ((9.0, ScanSeverity.CRITICAL), (7.0, ScanSeverity.HIGH), (4.0, ScanSeverity.MEDIUM), (0.1, ScanSeverity.LOW))


def is_sarif(document: object) -> bool:
    """Whether this is a SARIF log."""
    if not isinstance(document, dict) or "runs" not in document:
        return False
    return document.get("version") == "2.1.0" or "sarif" in str(document.get("$schema", "")).lower()


def parse_sarif(document: object, *, source: str) -> ScanReport:
    """The report; several runs become one.

    Raises:
        Misfit: it is not built as SARIF says.
    """
    root = Node(document)
    draft = ReportDraft(scanner=Scanner.OTHER, tool="", source=source)
    runs = [Node(value, path) for path, value in root.each("runs")]
    if not runs:
        draft.gap("the report has no run: the tool did not scan", ScanFault.TOOL)
    for run in runs:
        with draft.entry():
            _read_run(draft, run)
    return draft.finish()


def _read_run(draft: ReportDraft, run: Node) -> None:
    driver = run.node("tool").node("driver")
    tool = driver.text("name")
    draft.tool = draft.tool or tool
    if draft.scanner is Scanner.OTHER:
        words = tool.lower()
        draft.scanner = Scanner.SNYK if "snyk" in words else Scanner.TRIVY if "trivy" in words else Scanner.OTHER
    draft.target = draft.target or run.node("properties").text("imageName") or run.node("automationDetails").text("id")
    _note_invocations(draft, run, tool)
    if not run.has("results"):
        draft.gap(f"{tool or 'the tool'} has no results in its report: it did not run to its end", ScanFault.TOOL)
    rules = [Node(value, path) for path, value in driver.each("rules")]
    named = {rule.text("id"): rule for rule in rules}
    for path, value in run.each("results"):
        with draft.entry():
            _read_result(draft, Node(value, path), tool, rules, named)


def _note_invocations(draft: ReportDraft, run: Node, tool: str) -> None:
    for path, value in run.each("invocations"):
        invocation = Node(value, path)
        if invocation.flag("executionSuccessful") is False:
            told = [
                Node(note, note_path).node("message").text("text")
                for note_path, note in invocation.each("toolExecutionNotifications")
            ]
            draft.gap(
                f"{tool or 'the tool'} did not run to its end: {(told or ['it gave no reason'])[0]}", ScanFault.TOOL
            )


def _read_result(draft: ReportDraft, result: Node, tool: str, rules: list[Node], named: dict[str, Node]) -> None:
    if result.text("kind") in _PASSED_KINDS or result.text("baselineState") == "absent" or result.items("suppressions"):
        return
    finding = _Result(result, tool, _rule_of(result, rules, named))
    if finding.is_secret:
        draft.secrets.append(finding.secret())
    elif finding.is_vulnerability:
        draft.vulnerabilities.append(finding.vulnerability())
    else:
        draft.breaches.append(finding.breach())


def _rule_of(result: Node, rules: list[Node], named: dict[str, Node]) -> Node:
    index = result.values.get("ruleIndex")
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules):
        return rules[index]
    return named.get(result.text("ruleId") or result.node("rule").text("id"), Node({}))


class _Result:
    """One result together with its rule."""

    def __init__(self, result: Node, tool: str, rule: Node) -> None:
        self.result, self.rule, self.tool = result, rule, tool
        self.id = result.text("ruleId") or rule.text("id") or result.node("rule").text("id")
        self.message = result.node("message").text("text")
        self.told = dict(_MESSAGE_FIELD.findall(self.message[:4000]))
        self.tags = [tag for tag in rule.node("properties").items("tags") if isinstance(tag, str)]
        locations = list(result.each("locations"))
        self.location = Node(locations[0][1], locations[0][0]) if locations else Node({})
        physical = self.location.node("physicalLocation")
        self.file = physical.node("artifactLocation").text("uri")
        self.line = physical.node("region").line("startLine")
        self.title = rule.node("shortDescription").text("text") or rule.text("name")

    @property
    def is_secret(self) -> bool:
        """Whether it is about a leaked secret: by Trivy's name of the rule, a tag, or a tool that seeks only such."""
        return self.rule.text("name") == "Secret" or "secret" in self.tags or bool(_SECRET.search(self.tool))

    @property
    def is_vulnerability(self) -> bool:
        """Whether it is about a version of a package."""
        name = self.rule.text("name")
        return (
            name.endswith("PackageVulnerability")
            or "vulnerability" in self.tags
            or bool(_VULNERABILITY_ID.match(self.id))
        )

    @property
    def severity(self) -> ScanSeverity:
        """The first that is said: in the message, in a tag, by the problem, in words, as a score, as a level."""
        problem = self.rule.node("properties").node("problem").text("severity")
        words = [self.told.get("Severity", ""), *self.tags, problem, self.title.partition(" severity")[0]]
        said = next((one for word in words if (one := severity_of(word)) is not ScanSeverity.UNKNOWN), None)
        return said or self._scored() or _LEVELS.get(self._level(), ScanSeverity.UNKNOWN)

    def _level(self) -> str:
        return self.result.text("level") or self.rule.node("defaultConfiguration").text("level")

    def _scored(self) -> ScanSeverity | None:
        score = self.rule.node("properties").values.get("security-severity")
        if not isinstance(score, str | int | float) or isinstance(score, bool):
            return None
        try:
            value = float(score)
        except (ValueError, OverflowError):
            return None
        return next((severity for bound, severity in _SCORES if value >= bound), None)

    def secret(self) -> Row:
        """The place and the kind; the message may quote the line and is not read."""
        title = self.title if self.title and "match" not in self.title.lower() else self.id
        return Row(id=self.id, severity=self.severity, file=self.file, line=self.line, title=title)

    def vulnerability(self) -> Row:
        """The package and its versions, from the message (Trivy) or the logical location and the help (Snyk)."""
        package, installed = self.told.get("Package", ""), self.told.get("Installed Version", "")
        if not package:
            package, installed = self._spec()
        if not package:
            raise Misfit(f"{self.result.path} does not say which package is vulnerable")
        system = "OsPackage" in self.rule.text("name")
        ecosystem = Ecosystem.OS if system else ecosystem_of(*self.tags, _manager(self.file))
        in_image = ecosystem is Ecosystem.OS
        return Row(
            id=self.id,
            severity=self.severity,
            package=package,
            installed=installed,
            fixed=self._fixed(package),
            upgrade=self._fix(),
            ecosystem=ecosystem,
            file="" if in_image else self.file,
            line=None if in_image else self.line,
            image=self.file if in_image else "",
            title=self.title,
        )

    def _spec(self) -> tuple[str, str]:
        """`name@version` of the logical location, or of the rule's description."""
        names = [Node(value, path).text("fullyQualifiedName") for path, value in self.location.each("logicalLocations")]
        described = self.rule.node("fullDescription").text("text").split()[-1:]
        texts = [*names, *described, *self.message.split()[:40]]
        for text in texts:
            if match := _SPEC.match(text.strip("`'\".,()")):
                return match[1], match[2]
        return (names[0], "") if names and names[0] else ("", "")

    def _fixed(self, package: str) -> tuple[str, ...]:
        if self.told.get("Fixed Version"):
            return version_list([self.told["Fixed Version"]])
        help_text = self.rule.node("help").text("markdown") or self.rule.node("help").text("text")
        named = _UPGRADE_TO.search(help_text[:MAX_HELP_CHARACTERS])
        wanted = package.rpartition("/")[2]
        if named and wanted in named[0]:
            return version_list([named["versions"].rstrip(".")])
        return ()

    def _fix(self) -> tuple[str, str, str] | None:
        """Snyk's proposed fix, `Upgrade to express@4.17.1`."""
        for path, value in self.result.each("fixes"):
            match = _FIX_SPEC.search(Node(value, path).node("description").text("text")[:MAX_HELP_CHARACTERS])
            if match:
                return match["package"], "", match["version"].rstrip(".")
        return None

    def breach(self) -> Row:
        """A rule that a file breaks."""
        license_ = self.rule.text("name") == "License" or "license" in self.tags
        configured = "misconfiguration" in self.tags or self.rule.text("name") == "Misconfiguration"
        infrastructure = "iac" in self.tool.lower() or self.id.startswith("SNYK-CC-")
        kind = BreachKind.LICENSE if license_ else BreachKind.CODE
        if (configured or infrastructure) and not license_:
            kind = BreachKind.CONFIGURATION
        advice = self.rule.node("help").text("text")
        return Row(
            id=self.id,
            severity=self.severity,
            kind=kind,
            file=self.file,
            line=self.line,
            title=self.title or self.message,
            advice="" if advice.startswith("#") else advice,
        )


def _manager(file: str) -> str:
    """The package manager by the file that the finding stands in."""
    name = file.rpartition("/")[2]
    known = {"package.json": "npm", "package-lock.json": "npm", "yarn.lock": "npm", "go.mod": "go", "go.sum": "go"}
    known |= {"pom.xml": "maven", "build.gradle": "maven", "pyproject.toml": "pypi", "Pipfile.lock": "pypi"}
    return known.get(name, "pypi" if name.startswith("requirements") and name.endswith(".txt") else "")
