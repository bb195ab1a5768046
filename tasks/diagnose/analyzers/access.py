"""What the job was not allowed to do, or was not given: credentials, permissions, secrets."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="secret.missing",
        failure_class=FailureClass.CI_SECRET_MISSING,
        pattern=r"Input required and not supplied: (?P<name>[\w.-]+)|(?P<name2>[A-Za-z_]\w*): (?:unbound variable|parameter (?:not set|null or not set))"
        r"|KeyError: '(?P<name3>[A-Z][A-Z0-9_]{2,})'|(?i:environment variable) ['\"`]?(?P<name4>[A-Z][A-Z0-9_]{2,})['\"`]?(?: is)? (?i:not set|missing|required|undefined|must be set|is not defined)"
        r"|(?P<name5>[A-Z][A-Z0-9_]{3,}) (?:is not set|must be set|environment variable (?:is )?(?:not set|missing|required)|is required but|not provided)"
        r"|(?i:missing (?:required )?(?:environment variable|env var|secret))s?:? ['\"`]?(?P<name6>[A-Z][A-Z0-9_]{2,})"
        r"|Missing credentials in config|(?i:access key cannot be (?:null|empty))|Error: (?:Parameter|Secret|Variable) (?P<name7>[\w-]+) (?:is )?(?:required|not found)",
        cause="The secret or variable {name} is missing.",
        culprit_kind=CulpritKind.SECRET,
        rank=14,
        confidence=0.9,
    ),
    Signature(
        name="auth.expired",
        failure_class=FailureClass.CI_AUTH_EXPIRED,
        pattern=r"ExpiredToken|(?i:(?:token|credentials?|session)(?: (?:has|have|is))? expired)|Bad credentials"
        r"|HTTP Basic: Access denied|fatal: Authentication failed for|InvalidClientTokenId|could not read Username for"
        r"|could not read Password for|Invalid username or (?:password|token)|Permission denied \(publickey"
        r"|The security token included in the request is (?:expired|invalid)|401 Unauthorized|status(?: code)?:? 401\b"
        r"|npm (?:ERR!|error) code E401|UNAUTHENTICATED: |404 Project Not Found",
        cause="A credential was refused: it has expired or is wrong.",
        rank=15,
        confidence=0.85,
    ),
    Signature(
        name="permission.denied",
        failure_class=FailureClass.CI_PERM,
        pattern=r"Resource not accessible by (?:integration|personal access token)|refusing to allow .{1,80} without [`'\"]?workflows?[`'\"]? (?:scope|permission)"
        r"|not authorized to perform: (?P<name>[\w:*-]+)|\bAccessDenied(?:Exception)?\b|UnauthorizedOperation|403 Forbidden"
        r"|(?i:status(?: code)?|HTTP|error):? 403\b|Permission to .* denied to|remote: Permission .* denied|Required '?(?P<name2>[\w.]+)'? permission"
        r"|PERMISSION_DENIED|npm (?:ERR!|error) code E403|does not have (?:the )?(?:required )?permissions?|is not authorized to"
        r"|protected branch hook declined|The user .* does not have permission",
        cause="The job lacks a permission: {name}.",
        culprit_kind=CulpritKind.PERMISSION,
        rank=17,
        confidence=0.82,
    ),
    Signature(
        name="permission.file",
        failure_class=FailureClass.CI_PERM,
        pattern=r"^(?:\S+: )*(?:line \d+: )?(?P<name>[\w./-]+): Permission denied$|EACCES: permission denied|PermissionError: \[Errno 13\]"
        r"|error: permission denied|fatal: detected dubious ownership|mkdir: cannot create directory .*: Permission denied",
        cause="A file may not be read, written or run: {name}.",
        culprit_kind=CulpritKind.FILE,
        rank=30,
        confidence=0.7,
    ),
)
