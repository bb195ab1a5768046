"""The words of many clients for one thing: nobody listens there. Whom they asked, and that they were refused."""

import pytest

from tasks.diagnose.analyzers.cluster.answering import host_in, host_near, was_refused
from tasks.diagnose.analyzers.cluster.saying import rule_of

REFUSED = (
    ('Go over HTTP', 'Get "http://web:80/": dial tcp 10.43.0.9:80: connect: connection refused', 'web:80'),
    ('Go', 'dial tcp 10.43.0.9:80: connect: connection refused', '10.43.0.9:80'),
    ('gRPC in Go', 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.43.0.9:3550: connect: connection refused"', '10.43.0.9:3550'),
    ('gRPC in Python', 'failed to connect to all addresses; last error: UNKNOWN: ipv4:10.43.0.9:7070: Failed to connect to remote host: Connection refused', '10.43.0.9:7070'),
    ('gRPC in Node', 'Error: 14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.43.0.9:7070', '10.43.0.9:7070'),
    ('netty', 'io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: cart/10.43.0.9:7070', 'cart:7070'),
    ('Apache HttpClient', 'org.apache.http.conn.HttpHostConnectException: Connect to web:80 [web/10.43.0.9] failed: Connection refused (Connection refused)', 'web:80'),
    ('JDBC for PostgreSQL', 'org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.', 'db:5432'),
    ('Spring', 'I/O error on GET request for "http://web/api": Connection refused', 'web'),
    ('Node', 'Error: connect ECONNREFUSED 10.43.0.9:80', '10.43.0.9:80'),
    ('an error object of Node', "{ errno: -111, code: 'ECONNREFUSED', syscall: 'connect', address: '10.43.0.9', port: 80 }", '10.43.0.9:80'),
    ('requests', "requests.exceptions.ConnectionError: HTTPConnectionPool(host='web', port=80): Max retries exceeded with url: / (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f2c>: Failed to establish a new connection: [Errno 111] Connection refused'))", 'web:80'),
    ('psycopg', 'psycopg.OperationalError: connection failed: connection to server at "10.43.0.9", port 5432 failed: Connection refused', '10.43.0.9:5432'),
    ('libpq', 'connection to server at "db" (10.43.0.9), port 5432 failed: Connection refused', 'db:5432'),
    ('redis-py', 'redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.', 'redis:6379'),
    ('PyMySQL', 'pymysql.err.OperationalError: (2003, "Can\'t connect to MySQL server on \'db\' ([Errno 111] Connection refused)")', 'db'),
    ('mysql', "ERROR 2003 (HY000): Can't connect to MySQL server on 'db:3306' (111)", 'db:3306'),
    ('PyMongo', 'pymongo.errors.ServerSelectionTimeoutError: mongo:27017: [Errno 111] Connection refused', 'mongo:27017'),
    ('aiohttp', "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host web:80 ssl:default [Connect call failed ('10.43.0.9', 80)]", '10.43.0.9:80'),
    ('asyncpg', "ConnectionRefusedError: [Errno 111] Connect call failed ('10.43.0.9', 5432)", '10.43.0.9:5432'),
    ('nginx', '2026/06/01 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.42.0.4, server: , request: "GET / HTTP/1.1", upstream: "http://10.43.0.9:80/", host: "front"', '10.43.0.9:80'),
    ('wget of busybox', "wget: can't connect to remote host (10.43.0.9): Connection refused", '10.43.0.9'),
    ('GNU wget', 'Connecting to web (web)|10.43.0.9|:80... failed: Connection refused.', 'web:80'),
    ('curl 7.87', "curl: (7) Failed to connect to web port 80 after 2 ms: Couldn't connect to server", 'web:80'),
    ('curl 8.10', 'curl: (7) Failed to connect to web.shop.svc port 80 after 2 ms: Could not connect to server', 'web.shop.svc:80'),
    ('curl -v', '* connect to 10.43.0.9 port 80 failed: Connection refused', '10.43.0.9:80'),
    ('.NET', 'System.Net.Http.HttpRequestException: Connection refused (web:80)', 'web:80'),
    ('Ruby', 'Failed to open TCP connection to web:80 (Connection refused - connect(2) for "web" port 80)', 'web:80'),
    ('PHP', 'stream_socket_client(): unable to connect to tcp://redis:6379 (Connection refused)', 'redis:6379'),
    ('Rust', 'error sending request for url (http://web/): error trying to connect: tcp connect error: Connection refused (os error 111)', 'web'),
    ('nc of OpenBSD', 'nc: connect to web (10.43.0.9) port 80 (tcp) failed: Connection refused', 'web:80'),
    ('nc of busybox', 'nc: web (10.43.0.9:80): Connection refused', '10.43.0.9:80'),
    ('redis-cli', 'Could not connect to Redis at redis:6379: Connection refused', 'redis:6379'),
    ('Envoy', 'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: 111', ''),
    ('Elixir', '** (Mint.TransportError) connection refused', ''),
)  # fmt: skip


@pytest.mark.parametrize(("client", "line", "host"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refusal_names_whom_the_client_asked(client: str, line: str, host: str) -> None:
    rule = rule_of(line)
    assert rule is not None
    assert (rule.name, host_in(line), was_refused(line)) == ("connection", host, True), client


@pytest.mark.parametrize(
    "line",
    [
        "curl: (28) Failed to connect to web port 80 after 5001 ms: Timeout was reached",
        "curl: (7) Failed to connect to web port 80 after 3067 ms: Could not connect to server",
        "dial tcp 10.43.0.9:80: i/o timeout",
        "pymysql.err.OperationalError: (1045, Access denied for user 'shop'@'10.42.0.111')",
        "HTTP 111 bytes read, error in line 111",
    ],
)
def test_who_waited_or_was_answered_was_not_refused(line: str) -> None:
    assert not was_refused(line)


@pytest.mark.parametrize(
    "line", ["failed to connect to all addresses", "cannot connect to remote host", "connecting to the server failed"]
)
def test_word_that_stands_for_any_host_is_none(line: str) -> None:
    assert host_in(line) == ""


def test_host_may_stand_a_few_lines_from_the_refusal() -> None:
    lines = [
        "psycopg2.OperationalError: could not connect to server: Connection refused",
        '\tIs the server running on host "db" (10.43.0.9) and accepting',
        "\tTCP/IP connections on port 5432?",
    ]
    assert host_near(lines, 0) == "db"


def test_host_of_lines_that_speak_of_something_else_is_not_taken() -> None:
    lines = ["GET http://stock:8080/items 200", "httpx.ConnectError: All connection attempts failed", "retrying"]
    assert host_near(lines, 1) == ""
