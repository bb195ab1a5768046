"""What a client says of one that does not answer: whom it asked, and whether it was refused at once. Each client has its
own words; what they have in common is a host, a port beside it or apart from it, and the error number of the kernel.
"""

import re
from collections.abc import Sequence

_HOST = r"(?P<host>[A-Za-z0-9][\w.-]*)"
_PORT = r"(?P<port>\d{2,5})"
_HOSTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"tried: (?P<host>[\w.-]+:\d+)",
        r"(?:lookup|resolve host:?|ENOTFOUND|EAI_AGAIN|bad address|UnknownHostException:|can't find|can't resolve|resolve|host name|translate host name)\s+[`'\"(]*(?P<host>[A-Za-z0-9][\w.-]*[\w])",
        # the port apart from the host: urllib3, curl, libpq, Ruby, asyncio, Node
        rf"host=['\"]?{_HOST}['\"]?,\s*port=['\"]?{_PORT}",
        rf"(?:connect|connection|connecting) to (?:server at |host )?[`'\"]?{_HOST}[`'\"]?(?: \([^)\s]+\))?,? port {_PORT}",
        rf"for ['\"]{_HOST}['\"] port {_PORT}",
        rf"[(\[]['\"]{_HOST}['\"], {_PORT}[)\]]",
        rf"address['\"]?: ?['\"]{_HOST}['\"],\s*['\"]?port['\"]?: ?{_PORT}",
        # the name and the address, or the address in brackets: the JVM, GNU and busybox wget, nc
        rf"(?<![\w/.-])(?P<host>[A-Za-z][\w.-]*)/(?:\d{{1,3}}\.){{3}}\d{{1,3}}:{_PORT}",
        rf"\((?P<host>[A-Za-z][\w.-]*)\)\|[\d.]+\|:{_PORT}",
        r"remote host \((?P<host>[\d.]+)\)",
        r"host=['\"]?(?P<host>[A-Za-z0-9][\w.-]+)",
        r"[a-z][a-z0-9+]{2,}://(?:[^\s/@]*@)?(?P<host>[A-Za-z0-9][\w.-]*(?::\d+)?)",
        r"(?:dial tcp|connect to|connecting to|connection to|reach|server (?:at|on)|broker|addr(?:ess)?)[:=]?\s+(?:server at |address |host )?[`'\"\[(/]*(?P<host>[A-Za-z0-9][\w.-]*:\d{2,5})",
        r"(?P<host>\b(?:\d{1,3}\.){3}\d{1,3}:\d{2,5})\b",
        r"(?<![\w:/.-])(?P<host>(?!localhost)[A-Za-z][\w-]*(?:\.[\w-]+)*:\d{2,5})\b(?![:.]\d)",
        r"(?:connect to|connecting to|connection to|reach|server at|lookup|server on|on host)\s+(?:server at |host |the )?[`'\"]*(?!(?:all|any|the|remote|server|upstream|host)\b)(?P<host>[a-z0-9][\w.-]*[\w])",
    )
)  # fmt: skip
_REFUSED = re.compile(
    r"refused|\b(?:errno|error:?|os error) 111\b|\(111[:)]|Connect call failed"
    r"|Failed to connect to \S+ port \d+ after \d{1,3} ms: Could(?:n't| not) connect",
    re.IGNORECASE,
)
"""111 is ECONNREFUSED: https://man7.org/linux/man-pages/man2/connect.2.html. curl since 7.87 no longer says why it could
not connect: within a second only who is refused gives up."""
_TELLS_MORE = re.compile(r"connect|refused|address|\bhost\b|upstream|Caused by|server on", re.IGNORECASE)
_NEAR = (1, 2, 3, -1, -2, -3)


def host_in(line: str) -> str:
    """The other side that a line names, with its port where it stands there too; empty when it names none."""
    for pattern in _HOSTS:
        found = pattern.search(line)
        if found is not None:
            named = found.groupdict()
            host = named["host"].rstrip(".:")
            return f"{host}:{named['port']}" if named.get("port") else host
    return ""


def host_near(lines: Sequence[str], number: int) -> str:
    """The other side that is named by the lines around one, as a client may say it in several."""
    for step in _NEAR:
        if 0 <= number + step < len(lines) and _TELLS_MORE.search(line := lines[number + step][:2000]):
            found = host_in(line)
            if found:
                return found
    return ""


def was_refused(text: str) -> bool:
    """Whether a client says that its connection was refused, so that somebody answered for the address it asked."""
    return _REFUSED.search(text) is not None
