"""Security scanners as they show in a job's log: what they found, and apart from it, why they could not look.

The class named after Trivy is that of every scanner of packages and images but Snyk. `npm install` counts
vulnerabilities in passing, so that such a count alone explains nothing.
"""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="scan.secret",
        failure_class=FailureClass.SEC_SECRET,
        pattern=r"\bleaks found: [1-9]|^RuleID:\s+(?P<name>[\w-]+)|^\S+ \(secrets\)$|Potential secrets about to be committed"
        r"|(?i:push declined due to a detected secret|GITHUB PUSH PROTECTION|push cannot contain secrets|GH009: secrets detected)"
        r"|(?i:\b[1-9]\d* (?:new |verified )?secrets? (?:were |was )?(?:detected|found)|^(?:##\[error\]|error:? |fail\w*:? )?secrets? detected)"
        r"|Found (?:un)?verified result|^Secret Type: +(?P<name2>\S.*)",
        follow=r"^(?:File|Location):\s+(?P<file>[^\s:]+)(?::(?P<line>\d+))?",
        cause="A secret was committed: {name}.",
        culprit_kind=CulpritKind.SECRET,
        culprit_name="a committed secret",
        rank=12,
    ),
    Signature(
        name="scan.snyk.login",
        failure_class=FailureClass.CI_AUTH_EXPIRED,
        pattern=r"Authentication failed\. Please check the API token on https://snyk|Authentication error \(SNYK-0005\)"
        r"|`?snyk`? requires an authenticated account|MissingApiTokenError",
        cause="Snyk refused the login: its token is missing, wrong or expired.",
        culprit_kind=CulpritKind.SECRET,
        culprit_name="SNYK_TOKEN",
        rank=13,
    ),
    Signature(
        name="scan.database",
        failure_class=FailureClass.CI_NET_CONN,
        pattern=r"failed to download (?:the )?(?:vulnerability|Java) DB|database download error|\[(?:vulndb|javadb)\] Failed to download artifact"
        r"|(?:unable|failed) to update (?:grype|vulnerability) (?:database|db)|failed to load vulnerability db|couldn't fetch advisory database"
        r"|audit endpoint returned an error|Failed to (?:fetch|update) (?:the )?(?:NVD|advisory|vulnerability) data",
        cause="The scanner could not download what it knows of vulnerabilities: nothing was scanned.",
        culprit_kind=CulpritKind.HOST,
        rank=21,
        transient=True,
    ),
    Signature(
        name="scan.trivy.cache",
        failure_class=FailureClass.SEC_TRIVY,
        pattern=r"cache may be in use by another process|unable to (?:initialize|open) (?:fs |the )?cache: .*(?:timeout|lock)",
        cause="Trivy did not scan: another process holds its cache.",
        culprit_kind=CulpritKind.RESOURCE,
        culprit_name="Trivy's cache",
        rank=22,
        transient=True,
    ),
    Signature(
        name="scan.snyk.project",
        failure_class=FailureClass.SEC_SNYK,
        pattern=r"Could not detect supported target files in (?P<name>\S+)|\(SNYK-CLI-0008\)|(?i:snyk.*\bexit(?:ed with)?(?: code)?:? 3\b)",
        cause="Snyk found no project that it can test, which does not mean that there is nothing: {name}.",
        culprit_kind=CulpritKind.FILE,
        rank=23,
    ),
    Signature(
        name="scan.snyk.fault",
        failure_class=FailureClass.SEC_SNYK,
        pattern=r"\(SNYK-(?:CLI|OS-?\w*|OPENAPI|TS|PR|CONTAINER)?-?\d{4}\)|Failed to get vulns\b|(?i:snyk.*\bexit(?:ed with)?(?: code)?:? 2\b)"
        r"|ERROR +Unspecified Error \(SNYK|snyk.*Failed to test .* project|Invalid response from Snyk",
        cause="Snyk did not test: it failed itself.",
        culprit_kind=CulpritKind.COMMAND,
        culprit_name="snyk",
        rank=24,
        transient=True,
    ),
    Signature(
        name="scan.trivy",
        failure_class=FailureClass.SEC_TRIVY,
        pattern=r"^Total: [1-9]\d* \((?:[A-Z]+: \d+, )*(?:CRITICAL|HIGH|MEDIUM|LOW|UNKNOWN): [1-9]"
        r"|^(?:│|\|) *(?P<name>[\w@./:+-]+)(?: \([^)]*\))? *(?:│|\|) *(?:CVE|GHSA|GMS|DLA|DSA|RHSA|ALAS|TEMP|GO|PYSEC)-[\w-]+ *(?:│|\|) *(?:CRITICAL|HIGH|MEDIUM|LOW|UNKNOWN) *(?:(?:│|\|) *[a-z_]+ *)?(?:│|\|) *(?P<version>[\w.:+~-]+)",
        cause="Trivy found vulnerable packages: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=30,
    ),
    Signature(
        name="scan.snyk",
        failure_class=FailureClass.SEC_SNYK,
        pattern=r"Tested (?:\d+ dependencies|\S+) for known (?:issues|vulnerabilities), found [1-9]\d* (?:issues?|vulnerabilit)"
        r"|✗ (?:Low|Medium|High|Critical) severity vulnerability found in (?P<name>\S+)|✗ .*\[(?:Low|Medium|High|Critical) Severity\].* in (?P<name2>[^\s@]+|@[^\s@]+)@(?P<version>\S+)"
        r"|^ *(?:Upgrade|Pin) (?P<name3>[^\s@]+|@[^\s@]+)@(?P<version2>\S+) to \S+@\S+ to fix|\bSNYK-(?:[A-Z]+|[A-Z]+\d+)-[A-Z0-9]+(?:-\d{4,})",
        cause="Snyk found vulnerable packages: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=30,
    ),
    Signature(
        name="scan.packages",
        failure_class=FailureClass.SEC_TRIVY,
        pattern=r"discovered vulnerabilities at or above the severity threshold|^(?P<name>[\w@./:+-]+) +(?P<version>\d\S*) +(?:\S.* )?(?:CVE-\d{4}|GHSA-\w{4})-[\w-]+ +(?:Critical|High|Medium|Low)\b"  # grype
        r"|^Found [1-9]\d* known vulnerabilit|^(?P<name2>[A-Za-z][\w.-]*) +(?P<version2>\d[\w.!+]*) +(?:PYSEC|GHSA|CVE)-[\w-]+(?: |$)"  # pip-audit
        r"|-> Vulnerability found in (?P<name3>\S+) version (?P<version3>\S+)|^# npm audit report$|=== npm audit security report ===|^[1-9]\d* vulnerabilities found(?: - Packages audited|$)"  # safety, npm, yarn, pnpm
        r"|^Vulnerability #\d+: GO-\d{4}-\d+|^Your code is affected by [1-9]\d* vulnerabilit"  # govulncheck
        r"|^(?:##\[error\])?error: [1-9]\d* vulnerabilit(?:y|ies) found!|^ID: +RUSTSEC-\d{4}-\d+|^error\[vulnerability\]: "  # cargo audit, cargo deny
        r"|https://osv\.dev/(?:list/)?(?:GHSA|CVE|PYSEC|GO|RUSTSEC|OSV|MAL)-\S+ +(?:│|\|)|packages? affected by [1-9]\d* known vulnerabilit"  # osv-scanner
        r"|One or more dependencies were identified with (?:known )?vulnerabilities|^Vulnerabilities found!$|^Found [1-9]\d* security vulnerability advisor|Dependency review detected vulnerable packages",  # dependency-check, bundler-audit, composer
        follow=r"Found in: (?P<name>[^\s@]+)@(?P<version>\S+)|^(?P<name2>[@\w./-]+)  [<>=]",
        cause="A scanner found vulnerable packages: {name}.",
        culprit_kind=CulpritKind.PACKAGE,
        rank=30,
    ),
    Signature(
        name="scan.policy",
        failure_class=FailureClass.SEC_POLICY,
        pattern=r"^FAIL - (?P<file>\S+) - (?P<name>.{3,200})|^[1-9]\d* tests?, .*\b[1-9]\d* failures?, .*exception"  # conftest
        r"|^Tests: \d+ \(SUCCESSES: \d+, FAILURES: [1-9]|Failed checks: [1-9]\d*|^Check: (?P<name2>CKV\w*_\w+): "  # trivy config, checkov
        r"|^error\[(?:rejected|banned|unlicensed)\]: (?P<name3>.{3,200})|Dependency review detected incompatible licenses",
        cause="A policy is violated: {name}.",
        culprit_kind=CulpritKind.RULE,
        rank=31,
    ),
)
