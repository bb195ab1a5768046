"""Gathers what a parser finds, and makes the report of it: ranked, without doubles, bounded, cleaned."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.collect.scans.fields import MAX_TEXT_CHARACTERS, Misfit, clean
from tasks.domain.vulnerability import (
    MAX_FINDINGS,
    BaseImage,
    BaseUpgrade,
    BreachKind,
    Ecosystem,
    LeakedSecret,
    Misconfiguration,
    ScanFault,
    Scanner,
    ScanReport,
    ScanSeverity,
    Upgrade,
    UpgradeStep,
    Vulnerability,
)

MAX_GAPS = 20
MAX_FIXED = 12
MAX_VERSIONS_CHARACTERS = 1000
_SEVERITIES = {
    "critical": ScanSeverity.CRITICAL,
    "high": ScanSeverity.HIGH,
    "medium": ScanSeverity.MEDIUM,
    "moderate": ScanSeverity.MEDIUM,
    "low": ScanSeverity.LOW,
    "negligible": ScanSeverity.LOW,
}
_ECOSYSTEMS = {
    # Trivy's result types (https://trivy.dev/latest/docs/coverage/language/) and Snyk's package managers, SARIF tags.
    **dict.fromkeys(("pip", "pipenv", "poetry", "uv", "python-pkg", "conda-pkg", "pypi", "python"), Ecosystem.PYPI),
    **dict.fromkeys(("npm", "yarn", "pnpm", "node-pkg", "bun", "js", "javascript", "nodejs"), Ecosystem.NPM),
    **dict.fromkeys(("gomod", "gobinary", "gomodules", "golangdep", "govendor", "golang", "go"), Ecosystem.GO),
    **dict.fromkeys(("pom", "maven", "jar", "gradle", "gradle-lockfile", "sbt-lockfile", "java"), Ecosystem.MAVEN),
    **dict.fromkeys(("apk", "deb", "dpkg", "rpm", "linux", "os-pkgs"), Ecosystem.OS),
}


@dataclass(frozen=True)
class Row:
    """One finding as the parser read it, raw: only what is kept is cleaned."""

    id: str
    severity: ScanSeverity
    package: str = ""
    installed: str = ""
    fixed: tuple[str, ...] = ()
    upgrade: tuple[str, str, str] | None = None
    ecosystem: Ecosystem = Ecosystem.OTHER
    file: str = ""
    line: int | None = None
    image: str = ""
    title: str = ""
    aliases: tuple[str, ...] = ()
    kind: BreachKind = BreachKind.CONFIGURATION
    advice: str = ""


@dataclass
class ReportDraft:
    """The report while it is read."""

    scanner: Scanner
    tool: str
    source: str
    target: str = ""
    vulnerabilities: list[Row] = field(default_factory=list)
    breaches: list[Row] = field(default_factory=list)
    secrets: list[Row] = field(default_factory=list)
    base: tuple[str, tuple[tuple[str, UpgradeStep], ...]] | None = None
    gaps: list[str] = field(default_factory=list)
    fault: ScanFault | None = None

    def gap(self, why: str, fault: ScanFault | None = None) -> None:
        """Note why the report is not complete."""
        self.fault = self.fault or fault
        if len(self.gaps) < MAX_GAPS and (why := clean(why, MAX_TEXT_CHARACTERS)) not in self.gaps:
            self.gaps.append(why)

    @contextmanager
    def entry(self) -> Iterator[None]:
        """One entry of the report: one that cannot be read is a gap, not the end of the others."""
        try:
            yield
        except Misfit as misfit:
            self.gap(f"an entry cannot be read: {misfit}")

    def add_vulnerability(self, row: Row, path: str) -> None:
        """Take one weakness of a package.

        Raises:
            Misfit: it names neither itself nor a package.
        """
        if not (row.id or row.package):
            raise Misfit(f"{path} names neither a vulnerability nor a package")
        self.vulnerabilities.append(row)

    def finish(self) -> ScanReport:
        """The report, the worst and fixable findings first."""
        omitted = 0
        kept: list[list[Row]] = []
        for rows in (self.vulnerabilities, self.breaches, self.secrets):
            ranked = sorted(_without_doubles(rows), key=_worst_first)
            omitted += max(0, len(ranked) - MAX_FINDINGS)
            kept.append(ranked[:MAX_FINDINGS])
        return ScanReport(
            scanner=self.scanner,
            tool=clean(self.tool) or self.scanner,
            source=clean(self.source),
            target=clean(self.target),
            vulnerabilities=_made(kept[0], _vulnerability),
            misconfigurations=_made(kept[1], _breach),
            secrets=_made(kept[2], _secret),
            base=_base(self.base),
            complete=not self.gaps,
            gaps=tuple(self.gaps),
            fault=self.fault,
            omitted=omitted,
        )


def severity_of(word: str) -> ScanSeverity:
    """The severity by any scanner's word for it; one that is not known is not low."""
    return _SEVERITIES.get(word.strip().lower(), ScanSeverity.UNKNOWN)


def ecosystem_of(*words: str) -> Ecosystem:
    """The ecosystem by the first word that names one, such as a package manager or a result's class."""
    named = (_ECOSYSTEMS.get(word.lower().partition(":")[0]) for word in words)
    return next((one for one in named if one is not None), Ecosystem.OTHER)


def version_list(texts: Iterable[str]) -> tuple[str, ...]:
    """Versions out of lists such as `1.2.5, >= 2.0.2`; bounds from above name no fixed version."""
    versions = (one.strip() for text in texts for one in re.split(r",|\|\|", text[:MAX_VERSIONS_CHARACTERS]))
    named = (
        re.sub(r"^(?:>=|~>|\^|==?)\s*", "", one) for one in versions if (one and one[0] not in "<!>") or one[:2] == ">="
    )
    return tuple(dict.fromkeys(one for one in named if one))[:MAX_FIXED]


def _without_doubles(rows: list[Row]) -> list[Row]:
    """One row for each weakness of a package in a place: scanners list every path that leads to it."""
    known: dict[tuple[object, ...], Row] = {}
    for row in rows:
        key = (row.id, row.package, row.installed, row.file, row.image, row.line if not row.package else None)
        other = known.setdefault(key, row)
        if other is not row and other.upgrade is None and row.upgrade is not None:
            known[key] = replace(other, upgrade=row.upgrade)
    return list(known.values())


def _worst_first(row: Row) -> tuple[int, bool, str, str, str, int]:
    return (row.severity.rank, not (row.fixed or row.upgrade), row.package, row.id, row.file, row.line or 0)


def _made(rows: list[Row], make: Callable[[Row], Any]) -> tuple[Any, ...]:
    return tuple(make(row) for row in rows)


def _vulnerability(row: Row) -> Vulnerability:
    upgrade = None
    if row.upgrade is not None:
        package, installed, to = row.upgrade
        upgrade = Upgrade(package=clean(package), installed=clean(installed), to=clean(to))
    return Vulnerability(
        id=clean(row.id, 100),
        aliases=tuple(clean(alias, 100) for alias in row.aliases[:5]),
        severity=row.severity,
        package=clean(row.package),
        installed=clean(row.installed, 100),
        fixed=tuple(clean(version, 100) for version in row.fixed),
        upgrade=upgrade,
        ecosystem=row.ecosystem,
        file=clean(row.file) or None,
        line=row.line,
        image=clean(row.image) or None,
        title=clean(row.title, MAX_TEXT_CHARACTERS),
    )


def _breach(row: Row) -> Misconfiguration:
    return Misconfiguration(
        rule=clean(row.id, 100),
        kind=row.kind,
        severity=row.severity,
        title=clean(row.title, MAX_TEXT_CHARACTERS) or clean(row.id, 100),
        file=clean(row.file) or None,
        line=row.line,
        advice=clean(row.advice, MAX_TEXT_CHARACTERS),
    )


def _secret(row: Row) -> LeakedSecret:
    return LeakedSecret(
        rule=clean(row.id, 100),
        severity=row.severity,
        title=clean(row.title, 100) or "a secret",
        file=clean(row.file) or None,
        line=row.line,
    )


def _base(base: tuple[str, tuple[tuple[str, UpgradeStep], ...]] | None) -> BaseImage | None:
    if base is None or not base[0]:
        return None
    upgrades = tuple(BaseUpgrade(image=clean(image), step=step) for image, step in base[1])
    return BaseImage(image=clean(base[0]), upgrades=upgrades)
