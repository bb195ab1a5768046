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
        r"|Missing credentials in config|(?i:access key cannot be (?:null|empty))|Error: (?:Parameter|Secret|Variable) (?P<name7>[\w-]+) (?:is )?(?:required|not found)"
        r"|Parameter token or opts\.auth is required|set the (?P<name8>G\w+_TOKEN) environment variable|Username and password required"
        r"|Not all values are present|must specify exactly one of \"workload_identity_provider\"|Credentials could not be loaded, please check your action inputs"
        r"|No password supplied|Cannot perform an interactive login from a non TTY device|requires an authenticated account"
        r"|MissingApiTokenError|(?i:(?:please |you must |must )(?:provide|supply|specify) (?:a |an |your )?(?:\w+ )?(?:token|api key|access key))",
        cause="The secret or variable {name} is missing.",
        culprit_kind=CulpritKind.SECRET,
        rank=14,
        reach_lines=300,
    ),
    Signature(
        name="auth.expired",
        failure_class=FailureClass.CI_AUTH_EXPIRED,
        pattern=r"ExpiredToken|(?i:(?:token|credentials?|session)(?: (?:has|have|is))? expired)|Bad credentials"
        r"|HTTP Basic: Access denied|fatal: Authentication failed for|InvalidClientTokenId|could not read Username for"
        r"|could not read Password for|Invalid username or (?:password|token)|Permission denied \(publickey"
        r"|The security token included in the request is (?:expired|invalid)|401 Unauthorized|status(?: code)?:? 401\b"
        r"|npm (?:ERR!|error) code E401|UNAUTHENTICATED: |404 Project Not Found"
        r"|Host key verification failed|Load key .{1,120}: (?:invalid format|error in libcrypto)|Support for password authentication was removed"
        r"|\bAADSTS\d{5,}|\binvalid_grant\b|SignatureDoesNotMatch|InvalidAccessKeyId|UnrecognizedClientException"
        r"|AuthFailure: |Invalid or non-existent authentication information|npm (?:ERR!|error) (?:code )?ENEEDAUTH"
        r"|authentication token .{0,40}(?:invalid|expired)|(?:Requires|requires) authentication \(HTTP 401\)|invalid username/password"
        r"|error: could not authenticate|ERROR: .{0,60}\bAuthentication failed|The provided token .{0,40}(?:invalid|expired)",
        cause="A credential was refused: it has expired or is wrong.",
        rank=15,
        reach_lines=300,
    ),
    Signature(
        name="permission.denied",
        failure_class=FailureClass.CI_PERM,
        pattern=r"Resource not accessible by (?:integration|personal access token)|refusing to allow .{1,80} without [`'\"]?workflows?[`'\"]? (?:scope|permission)"
        r"|not authorized to perform: (?P<name>[\w:*-]+)|\bAccessDenied(?:Exception)?\b|UnauthorizedOperation|403 Forbidden"
        r"|(?i:status(?: code)?|HTTP|error):? 403\b|Permission to .* denied to|remote: Permission .* denied|Required '?(?P<name2>[\w.]+)'? permission"
        r"|PERMISSION_DENIED|npm (?:ERR!|error) code E403|does not have (?:the )?(?:required )?permissions?|is not authorized to"
        r"|protected branch hook declined|The user .* does not have permission"
        r"|Not authorized to perform (?P<name3>sts:\w+)|AuthorizationFailed|does not have authorization to perform action .(?P<name4>[\w./]+)"
        r"|Permission '?(?P<name5>[\w.-]+)'? denied on|IAM_PERMISSION_DENIED|(?:The )?caller does not have permission"
        r"|insufficient authentication scopes|ACTIONS_ID_TOKEN_REQUEST_URL|GitHub Actions is not permitted to create or approve"
        r"|organization SAML enforcement|GH006: Protected branch|Must have admin rights to Repository|has not been used in project .{1,80} before or it is disabled"
        r"|SERVICE_DISABLED",
        cause="The job lacks a permission: {name}.",
        culprit_kind=CulpritKind.PERMISSION,
        rank=17,
        reach_lines=300,
    ),
    Signature(
        name="permission.file",
        failure_class=FailureClass.CI_PERM,
        pattern=r"^(?:\S+: )*(?:line \d+: )?(?P<name>[\w./-]+): Permission denied$|EACCES: permission denied|PermissionError: \[Errno 13\]"
        r"|error: permission denied|mkdir: cannot create directory .*: Permission denied"
        r"|(?:open|mkdir|unlink|stat|chmod|rename) [^\s:]+: permission denied|cannot (?:create|remove|open|touch|stat) .{1,120}: Permission denied"
        r"|dial unix /var/run/docker\.sock: connect: permission denied|java\.nio\.file\.AccessDeniedException|Permission denied @ ",
        cause="A file may not be read, written or run: {name}.",
        culprit_kind=CulpritKind.FILE,
        rank=30,
        reach_lines=200,
    ),
)
