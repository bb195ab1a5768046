"""The network between the job and others: names, connections, limits."""

from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="rate.limit",
        failure_class=FailureClass.CI_RATE,
        pattern=r"(?i)toomanyrequests|pull rate limit|API rate limit exceeded|secondary rate limit|\b429 Too Many Requests"
        r"|(?:status|code|error|HTTP/\d\.\d)[ :=\"]{1,4}429\b|RequestLimitExceeded|rate ?limit(?: has been)? (?:exceeded|reached)|you have been rate ?limited"
        r"|ThrottlingException|Throttling: Rate exceeded|\brate exceeded\b|TooManyRequestsException"
        r"|\brateLimitExceeded\b|exceeded retry limit, last status: 429|quota exceeded for quota metric .{1,80} per minute"
        r"|too many requests\b.{0,40}(?:retry|try again|limit)|you have exceeded a secondary",
        cause="The other side limits how often it may be asked.",
        culprit_kind=CulpritKind.HOST,
        rank=9,
        transient=True,
        reach_lines=400,
    ),
    Signature(
        name="net.dns",
        failure_class=FailureClass.CI_NET_DNS,
        pattern=r"(?:Could not resolve host(?:name)?:? '?(?P<name>[\w.-]+)?"
        r"|Temporary failure (?:in name resolution|resolving '(?P<host2>[^']+)')"
        r"|getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ?(?P<host3>[\w.-]+)?|lookup (?P<host4>[\w.-]+)(?: on [\d.:]+)?: (?:no such host|server misbehaving|i/o timeout)"
        r"|no such host|Name or service not known|nodename nor servname provided|UnknownHostException: ?(?P<host5>[\w.-]+)?"
        r"|Failed to resolve '(?P<host6>[^']+)'|\[Errno -[235]\] |NameResolutionError|Could not resolve proxy"
        r"|unable to resolve host address"
        r"|Could not resolve '(?P<host7>[\w.-]+)'|bad address '(?P<host8>[\w.-]+)'|Name does not resolve|Could not resolve: (?P<host9>[\w.-]+)"
        r"|dial tcp: lookup (?P<host10>[\w.-]+)|DNS resolution failed)",
        cause="A host name could not be resolved: {name}.",
        culprit_kind=CulpritKind.HOST,
        rank=10,
        transient=True,
        reach_lines=200,
    ),
    Signature(
        name="net.tls",
        failure_class=FailureClass.CI_NET_CONN,
        pattern=r"(?i)TLS handshake timeout|SSL(?:Error|: CERTIFICATE_VERIFY_FAILED)|certificate verify failed"
        r"|x509: certificate|SSL certificate problem|unable to get local issuer certificate|PKIX path building failed"
        r"|SSLHandshakeException|certificate has expired|gnutls_handshake\(\) failed|tls: failed to verify certificate"
        r"|self[- ]signed certificate|received handshake warning|server certificate verification failed"
        r"|SSL routines:|alert handshake failure|schannel: |certificate signed by unknown authority|unable to verify the first certificate"
        r"|CERT_HAS_EXPIRED|OpenSSL::SSL::SSLError|SSL_ERROR_SYSCALL|SSL connect error",
        cause="The encrypted connection to another host could not be made.",
        culprit_kind=CulpritKind.HOST,
        rank=12,
        reach_lines=200,
    ),
    Signature(
        name="git.remote_5xx",
        failure_class=FailureClass.CI_NET_CONN,
        pattern=r"The requested URL returned error: 5\d\d|RPC failed; (?:HTTP 5\d\d|curl (?:18|28|52|55|56|92))"
        r"|fatal: unable to access '[^']*': (?:Failed to connect|Recv failure|GnuTLS recv error|OpenSSL SSL_|Operation timed out|Empty reply|The requested URL returned error: 5)"
        r"|fatal: the remote end hung up unexpectedly|early EOF|kex_exchange_identification: "
        r"|fatal: unable to access .{1,200}(?:Could not connect|Connection (?:timed out|reset)|HTTP/2 stream|Couldn.t connect)",
        cause="The git server did not answer as it should.",
        culprit_kind=CulpritKind.HOST,
        rank=14,
        transient=True,
        reach_lines=200,
    ),
    Signature(
        name="net.http_5xx",
        failure_class=FailureClass.CI_NET_CONN,
        pattern=r"\b50[0234] (?:Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out|Internal Server Error)"
        r"|(?i:(?:status(?: code)?|HTTP(?: error)?|code|response|ERROR)[ :=]{1,3}50[0234]\b)|status code 50[234]"
        r"|Received status code 5\d\d from server|HTTP Error 50\d|curl: \(22\) .* error: 5\d\d\b|upstream connect error"
        r"|googleapi: Error 50\d|Error code 1[34], message: |StatusCode: 50\d|code = Unavailable\b|npm (?:ERR!|error) (?:code )?E50\d"
        r"|error NU1301|Remote server returned .{0,20}50\d",
        cause="Another server failed to answer (HTTP 5xx).",
        culprit_kind=CulpritKind.HOST,
        rank=16,
        transient=True,
        reach_lines=200,
    ),
    Signature(
        name="net.connection",
        failure_class=FailureClass.CI_NET_CONN,
        pattern=r"(?i)connection (?:was )?(?:reset|timed out|aborted)|connection refused|\bECONNRESET\b|\bETIMEDOUT\b"
        r"|\bECONNREFUSED\b|read timed out|connect timed out|ReadTimeoutError|ConnectTimeout(?:Error)?|i/o timeout"
        r"|Failed to open TCP connection|network is unreachable|no route to host|socket hang up|network timeout at"
        r"|SocketTimeoutException|ConnectException|context deadline exceeded|IncompleteRead|RemoteDisconnected"
        r"|curl: \((?:6|7|18|28|35|52|56)\)|unexpected EOF while reading|Couldn't establish HTTP connection|Connect(?:ion)? timeout|cannot assign requested address|Operation timed out|SocketException"
        r"|Could not connect to .{1,120}, connection|Failed to connect to .{1,80} port \d+|error trying to connect:"
        r"|net/http: request canceled|ERR_SOCKET_TIMEOUT|UND_ERR_CONNECT_TIMEOUT|Connection broken|Empty reply from server",
        cause="The connection to another host failed.",
        culprit_kind=CulpritKind.HOST,
        rank=34,
        transient=True,
        reach_lines=150,
    ),
    Signature(
        name="net.download",
        failure_class=FailureClass.CI_NET_CONN,
        pattern=r"curl: \(22\)|The requested URL returned error: 4(?:04|10)|Failed to download|(?i:(?:error|fatal)\b.{0,80}failed to download)|\b404 Not Found|Could not (?:GET|HEAD) '"
        r"|ERROR 404: Not Found|error: failed to download|download failed|Unable to download"
        r"|unable to download|Failed to fetch .{1,200}: 404|Download(?:ing)? .{1,200} failed",
        cause="A download failed.",
        culprit_kind=CulpritKind.HOST,
        rank=50,
        reach_lines=100,
    ),
)
