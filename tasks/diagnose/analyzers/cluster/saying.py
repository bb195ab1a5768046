"""What a log says about why a program ended or fails: ordered rules, the cause before the consequence."""

import re
from collections.abc import Iterable
from functools import cache

from tasks.diagnose.analyzers.cluster.answering import host_in, host_near
from tasks.domain.base import Noun
from tasks.domain.cluster_cause import Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.log_digest import ContainerLog

MAX_LINES = 400


class Said(Noun):
    """A line that says why."""

    failure_class: F
    rule: str
    cause: str
    rank: int
    confidence: float
    host: str
    quotes: tuple[Quote, ...]
    repeated: int
    share: float
    """Which part of the log's end says so."""
    recent: bool
    """Whether it stands among the last lines."""


class Rule(Noun):
    """One row: the first group of the pattern, where it has one, is what the sentence names."""

    name: str
    failure_class: F
    pattern: str
    cause: str
    rank: int
    confidence: float = 0.85


_NAME = r"[`'\"]?(?P<name>[A-Z][A-Z0-9_]{2,})[`'\"]?"
RULES: tuple[Rule, ...] = (
    Rule(
        name="partition",
        failure_class=F.K8S_CRASH_DEP,
        rank=8,
        cause="members of the cluster cannot reach each other: it is partitioned",
        pattern=r"network_partitions?_detected\W+true|(?:network )?partition(?:s|ed)? (?:was |were |has been |have been )?detected|partitioned (?:network|from)|split[- ]brain",
    ),
    Rule(
        name="env-missing",
        failure_class=F.K8S_CRASH_ENV,
        rank=10,
        confidence=0.95,
        cause="environment variable {name} is not set",
        pattern=rf"environment variables? {_NAME} (?:is |was |are )?(?:not set|not defined|undefined|missing|required|empty|unset|not found|must be)|(?:missing|required|undefined|unset|must set|need(?:s)? to set|please set|provide)(?: required)?(?: the)?(?: env(?:ironment)?)?(?: var(?:iable)?)?s?:? (?:\$|os\.environ\W+)?{_NAME.replace('name', 'name2')}(?![a-z])|\$?{_NAME.replace('name', 'name3')} (?:environment variable )?(?:is |must be |was )(?:not set|unset|undefined|required|missing|set\b|defined\b)|KeyError: {_NAME.replace('name', 'name4')}|{_NAME.replace('name', 'name5')}: (?:unbound variable|parameter (?:null or )?not set)|required key {_NAME.replace('name', 'name6')} missing value|{_NAME.replace('name', 'name7')} env(?:ironment)? var(?:iable)? (?:not found|is missing|missing)|The {_NAME.replace('name', 'name8')} setting must not be empty",
    ),
    Rule(
        name="out-of-memory",
        failure_class=F.K8S_OOM,
        rank=12,
        cause="it runs out of memory",
        pattern=r"OutOfMemoryError: (?!unable to create)|heap out of memory|Last few GCs|Cannot allocate memory|MemoryError\b|runtime: out of memory|std::bad_alloc",
    ),
    Rule(
        name="disk-full",
        failure_class=F.K8S_NODE_PRESSURE,
        rank=14,
        cause="its disk or volume is full",
        pattern=r"no space left on device|ENOSPC|disk quota exceeded",
    ),
    Rule(
        name="rbac-denied",
        failure_class=F.K8S_RBAC,
        rank=15,
        confidence=0.95,
        cause="{name} may not do what it asks of the cluster",
        pattern=r"is forbidden: User \\?[\"'](?P<name>[^\"'\\]+)\\?[\"'] cannot \w+ resource|forbidden: User \\?[\"'](?P<name2>[^\"'\\]+)\\?[\"'] cannot",
    ),
    Rule(
        name="no-token",
        failure_class=F.K8S_RBAC,
        rank=16,
        confidence=0.9,
        cause="it has no account token to ask the cluster with, or one that is not accepted",
        pattern=r"serviceaccount/token'?:? no such file|unable to load in-cluster config|KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined|the server has asked for the client to provide credentials",
    ),
    Rule(
        name="api-missing",
        failure_class=F.DEP_API,
        rank=17,
        confidence=0.9,
        cause="the cluster does not serve the API that it asks for: {name}",
        pattern=r"no matches for kind \\?\"(?P<name>[^\"\\]+)|no kind is registered for the type (?P<name2>\S+)|the server could not find the requested resource \((?P<name3>[^)]+)\)|failed to get API group resources: unable to retrieve the complete list of server APIs: (?P<name4>\S+):",
    ),
    Rule(
        name="certificate",
        failure_class=F.K8S_CERT,
        rank=18,
        confidence=0.9,
        cause="a certificate has expired or is not trusted",
        pattern=r"certificate (?:has |is )?expired|cert(?:ificate)?\b.{0,60}\bexpired|x509: certificate|CERTIFICATE_VERIFY_FAILED|certificate verify failed|PKIX path|self[- ]signed certificate|ExpiredCert",
    ),
    Rule(
        name="dns",
        failure_class=F.K8S_DNS,
        rank=20,
        confidence=0.9,
        cause="the name {host} cannot be resolved",
        pattern=r"could not resolve host|no such host|name or service not known|temporary failure in name resolution|\bENOTFOUND|EAI_AGAIN|NXDOMAIN|SERVFAIL|nodename nor servname|UnknownHostException|bad address '|can't resolve|failed to resolve|server can't find|Name does not resolve|no servers could be reached|gaierror",
    ),
    Rule(
        name="credentials",
        failure_class=F.K8S_CRASH_CONFIG,
        rank=22,
        cause="it is given credentials that the other side refuses",
        pattern=r"password authentication failed|Access denied for user|WRONGPASS|NOAUTH|authentication failed|invalid (?:credentials|username|password|api key)|SASL authentication|ORA-01017|28P01|AccessDenied\b|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidClientTokenId|ACCESS_REFUSED|login was refused|no pg_hba\.conf entry|role \\?[\"']\S+ does not exist|401 Unauthorized|(?:invalid|expired) (?:api |access )?token|license (?:has )?expired",
    ),
    Rule(
        name="no-command",
        failure_class=F.K8S_CRASH_CMD,
        rank=24,
        confidence=0.9,
        cause="a command it starts does not exist: {name}",
        pattern=r"exec:? \\?[\"'](?P<name>[^\"'\\]+)\\?[\"']:? (?:executable file not found|stat |no such file)|(?:^|: )(?P<name2>[\w./-]+): (?:command )?not found\s*$|exec format error|can't open file '(?P<name3>[^']+)'|Cannot find module '(?P<name4>[^']+)'|Could not find or load main class (?P<name5>\S+)|Unable to access jarfile (?P<name6>\S+)|(?:^|: )exec:? (?P<name7>/\S+): no such file or directory",
    ),
    Rule(
        name="module-missing",
        failure_class=F.K8S_CRASH_APP,
        rank=25,
        cause="the image lacks module {name}",
        pattern=r"(?:ModuleNotFoundError|ImportError): (?:No module named |cannot import name )[\"']?(?P<name>[\w.]+)|ClassNotFoundException: (?P<name2>\S+)|error while loading shared libraries: (?P<name3>[^:]+)",
    ),
    Rule(
        name="bad-option",
        failure_class=F.K8S_CRASH_CMD,
        rank=26,
        cause="it is started with an option it does not know",
        pattern=r"unknown (?:flag|option|command|shorthand flag|argument)|unrecognized (?:option|argument)s?|invalid option|flag provided but not defined|illegal option|invalid argument \S+ for \\?\"-|: line \d+: syntax error",
    ),
    Rule(
        name="configuration",
        failure_class=F.K8S_CRASH_CONFIG,
        rank=28,
        cause="its configuration is missing or not valid",
        pattern=r"(?:invalid|bad|malformed|missing|broken|parse|parsing|load(?:ing)?|read(?:ing)?) (?:the )?config(?:uration)?|config(?:uration)?(?: file)?\b.{0,60}(?:invalid|not found|missing|no such file|error|failed|could not|cannot)|\[emerg\]|unknown directive|could not resolve placeholder|ImproperlyConfigured|validation errors? for \w*(?:Settings|Config)|nonexistent directory|cannot load certificate|yaml: (?:line|unmarshal)|did not find expected|invalid character .{1,12} looking for|JSONDecodeError|toml: |(?:open|stat|FileNotFoundError\S*).{0,60}/(?:etc|config|conf|configs)/\S*.{0,20}no such file|No such file or directory: '?/(?:etc|config)|can't open '?/?(?:etc|config)|address already in use|EADDRINUSE|no such file or directory.{0,80}\.(?:ya?ml|json|conf|properties|toml|ini|env)|\.(?:ya?ml|json|conf|properties|toml|ini)['\"]?: (?:No such file|not found)",
    ),
    Rule(
        name="unlike-tls",
        failure_class=F.K8S_CRASH_CONFIG,
        rank=29,
        cause="one side speaks TLS and the other does not",
        pattern=r"WRONG_VERSION_NUMBER|wrong version number|server gave HTTP response to HTTPS client|plain HTTP request was sent to HTTPS|first record does not look like a TLS handshake",
    ),
    Rule(
        name="permission",
        failure_class=F.K8S_CRASH_PERM,
        rank=30,
        cause="it may not read, write or bind what it needs",
        pattern=r"permission denied|read-only file system|EACCES|EROFS|operation not permitted|must be run as root|must not be run as root",
    ),
    Rule(
        name="handles",
        failure_class=F.K8S_CRASH_APP,
        rank=32,
        cause="it has used up the files or threads that it may have",
        pattern=r"too many open files|\bEMFILE\b|fork: .*Resource temporarily unavailable|failed to create new OS thread|unable to create (?:new )?native thread",
    ),
    Rule(
        name="saturated",
        failure_class=F.K8S_CRASH_DEP,
        rank=39,
        cause="what it asks takes no more from it: {name}",
        pattern=r"(?P<name>too many clients already|too many connections|remaining connection slots are reserved|max number of clients reached|OOM command not allowed|MISCONF Redis|cluster_block_exception|flood[- ]stage|too many requests|rate limit exceeded|no healthy upstream|503 Service Unavailable|503 Server Error)",
    ),
    Rule(
        name="connection",
        failure_class=F.K8S_CRASH_DEP,
        rank=40,
        cause="it cannot reach {host}",
        pattern=r"connection refused|ECONNREFUSED|connection (?:timed out|timeout)|ETIMEDOUT|connect(?:ion)?\b.{0,40}time(?:d )?out|i/o timeout|dial tcp|no route to host|host(?:\(s\))?(?: is)? unreachable|failed to (?:connect|establish)|(?:could not|cannot|can't|unable to|couldn't) (?:connect|reach|establish|acquire connection|get a connection)|communications link failure|no available connection|connection (?:reset|closed)|All host\(s\) tried|NoBrokersAvailable|context deadline exceeded|server selection timed out|Max retries exceeded|upstream (?:connect error|timeout|request timeout)|download timed out|Failed to reach|connection pool|(?:connection|connect) (?:attempts|call) failed|connect\(\) failed|error 111\b|no live upstreams|(?-i:code = Unavailable\b|\bUNAVAILABLE\b)|TLS handshake timeout|connecting to subchannel|:\d+ - no response|Layer4 connection problem|connection to \S+ refused|broker may not be available|Connect(?:ion)?Timeout|TimeoutError|socket\.timeout|operation timed out",
    ),
    Rule(
        name="migration",
        failure_class=F.K8S_CRASH_APP,
        rank=45,
        cause="the database does not hold what the program expects, or holds it locked",
        pattern=r"relation \\?\"[^\"]+\" does not exist|no such table|Table '[^']+' doesn't exist|Unknown (?:column|database)|column \S+ does not exist|syntax error at|could not acquire change ?log lock|deadlock detected|lock wait timeout exceeded",
    ),
    Rule(
        name="exception",
        failure_class=F.K8S_CRASH_APP,
        rank=60,
        confidence=0.6,
        cause="the program fails: {name}",
        pattern=r"^(?P<name>[\w.]*(?:Error|Exception)\b.*)|^(?P<name2>panic: .*)|Exception in thread .*?(?P<name3>[\w.]+(?:Error|Exception)\b.*)|Caused by: (?P<name4>\S.*)|(?P<name5>[Ss]egmentation fault.*)|(?:FATAL|CRITICAL|\bfatal)\b[\]:\s]+(?P<name6>\S.*)|\bERROR\b[\]:\s-]+(?P<name7>\S.*)|^(?:error|Error): (?P<name8>\S.*)|(?P<name9>thread '[^']*' panicked at .*)|Unhandled exception\. (?P<name10>\S.*)|(?P<name11>Uncaught \w*(?:Error|Exception).*)|(?P<name12>leader election lost)",
    ),
)
"""Ordered by rank. The last says only that something went wrong."""

_MAYBE = re.compile("|".join(re.sub(r"\?P<\w+>", "?:", rule.pattern) for rule in RULES), re.IGNORECASE)
_NO_ANSWER = re.compile(r"connection (?:timed out|timeout|refused)|ECONNREFUSED|ETIMEDOUT|i/o timeout", re.IGNORECASE)
_LOUD = re.compile(
    r"\b(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC|error|fatal|panic|Exception|Traceback|failed|FAILED|Failed)\b|Error\b|Exception\b"
)


@cache
def _compiled(rule: Rule) -> re.Pattern[str]:
    exact = rule.name in ("env-missing", "exception")
    return re.compile(rule.pattern, 0 if exact else re.IGNORECASE)


def listen(logs: Iterable[ContainerLog]) -> Said | None:
    """The line that says best why, `None` when none does. What ended before counts as much as what runs now."""
    best: Said | None = None
    for log in logs:
        found = _listen_to(log)
        if found is not None and (best is None or found.rank < best.rank):
            best = found
    return best


def _listen_to(log: ContainerLog) -> Said | None:
    first = max(0, len(log.lines) - MAX_LINES)
    ending = log.lines[first:]
    hits: dict[str, list[int]] = {}
    for number, line in enumerate(ending):
        rule = rule_of(line)
        if rule is not None:
            hits.setdefault(rule.name, []).append(number)
    for rule in RULES:
        if rule.name in hits:
            return _said(rule, hits[rule.name], ending, log, first)
    return None


def rule_of(line: str) -> Rule | None:
    """The first rule that knows the line."""
    if not _MAYBE.search(line[:2000]):
        return None
    text = line.strip()[:2000]
    found = next((rule for rule in RULES if _compiled(rule).search(text)), None)
    if found is not None and found.name == "credentials" and _NO_ANSWER.search(text):
        return next(rule for rule in RULES if rule.name == "connection")  # nobody refused anything
    return found


def _said(rule: Rule, hits: list[int], ending: tuple[str, ...], log: ContainerLog, first: int) -> Said:
    last = hits[-1]
    line = ending[last]
    host = host_in(line) or (host_near(ending, last) if rule.failure_class is F.K8S_CRASH_DEP else "")
    quotes = [
        Quote(source=log.source, text=ending[number].strip()[:900], line_number=log.first_line_number + first + number)
        for number in dict.fromkeys((last, hits[0]))
    ]
    written = sum(1 for text in ending if text.strip())
    return Said(
        failure_class=rule.failure_class,
        rule=rule.name,
        cause=rule.cause.format(name=_name(rule, line), host=host or "the other side"),
        rank=rule.rank,
        confidence=rule.confidence,
        host=host if rule.failure_class in (F.K8S_DNS, F.K8S_CRASH_DEP) else "",
        quotes=tuple(quotes),
        repeated=len(hits),
        share=len(hits) / max(1, written),
        recent=len(ending) - last <= 15,
    )


def _name(rule: Rule, line: str) -> str:
    found = _compiled(rule).search(line.strip()[:2000])
    named = next((value for value in found.groupdict().values() if value), "") if found else ""
    return " ".join(named.split())[:160] or "see the quoted line"


def is_loud(line: str) -> bool:
    """Whether a line itself says that something went wrong."""
    return _LOUD.search(line) is not None
