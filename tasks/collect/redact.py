"""Redaction: secrets leave outside text before anything else sees it. Applying it twice changes nothing more."""

import re

from tasks.domain.evidence import MASK as MASK  # noqa: PLC0414  the mask of this module

# Formats as published by the services (GitHub's and Slack's token prefixes, AWS's access key ids, RFC 7519 for JWT).
_WHOLE = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b|\bglpat-[A-Za-z0-9_-]{16,}\b"
    r"|\bxox[abposr]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"
    r"|\b(?:AKIA|ASIA|AGPA|AROA)[A-Z0-9]{16}\b"
    r"|\bnpm_[A-Za-z0-9]{30,}\b|\bpypi-[A-Za-z0-9_-]{30,}|\bdckr_pat_[A-Za-z0-9_-]{20,}|\bhvs\.[A-Za-z0-9_-]{20,}"
    r"|\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{35}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)
_URL_PASSWORD = re.compile(
    r"(?P<keep>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,100}:)(?P<secret>[^\s/@]{1,300})(?=@)", re.I
)
_AUTHORIZATION = re.compile(
    r"(?P<keep>\b(?:authorization|proxy-authorization)['\"]?\s*[:=]\s*['\"]?(?:basic|bearer|token)?\s*)"
    r"(?P<secret>[^\s'\",;]{6,})",
    re.I,
)
_BEARER = re.compile(r"(?P<keep>\bbearer\s+)(?P<secret>[A-Za-z0-9._~+/=-]{12,})", re.I)
_ASSIGNED = re.compile(
    r"(?P<keep>\b[\w.-]{0,60}(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|token|private[_-]?key"
    r"|credential|client[_-]?secret|connection[_-]?string)s?['\"]?\s*(?:=|:=|:\s|=>)\s*)"
    r"(?P<secret>\"[^\"\s]{4,}\"|'[^'\s]{4,}'|[^\s'\",;)}\]]{4,})",
    re.I,
)
_FLAG = re.compile(r"(?P<keep>--?(?:password|token|secret|api-key|p)[= ])(?P<secret>[^\s'\"-][^\s'\"]{5,})", re.I)
# Scanners for secrets print what they found: gitleaks in aligned columns, trufflehog after `Raw result`.
_FOUND = re.compile(r"(?P<keep>^\s*(?:(?:Finding|Secret|Match): {3,}|Raw result: ))(?P<secret>\S.*)$", re.MULTILINE)
_NO_SECRET = re.compile(
    r"^['\"]?(?:\*+|\[REDACTED.*|<[^>]*>|\$\{?.*|\{\{.*|none|null|nil|true|false|undefined|not|is|was|required|missing|"
    r"invalid|expired|found|empty|unset|error|failed|supplied|string|str|the|for|from|to|in|on|or|and|must|should|"
    r"cannot|could|unexpected|expected|given|specified|provided|set)['\"]?[.:,]?$",
    re.I,
)


def redact(text: str) -> str:
    """The text with every secret replaced by `[REDACTED]`; names, hosts and structure stay readable."""
    text = _WHOLE.sub(MASK, text)
    for pattern in (_URL_PASSWORD, _AUTHORIZATION, _BEARER, _ASSIGNED, _FLAG, _FOUND):
        text = pattern.sub(_mask, text)
    return text


_PROSE = re.compile(r"credentials?['\"]?:\s$", re.I)
"""`validating credentials: retrieving …` goes on in words: what is no secret there is a word of small letters."""


def _mask(match: re.Match[str]) -> str:
    if _PROSE.search(match["keep"]) and match["secret"].isalpha() and match["secret"].islower():
        return match[0]
    if _NO_SECRET.match(match["secret"]) or match["secret"].startswith(MASK[:-1]):
        return match[0]
    return match["keep"] + MASK
