"""Rules of many ecosystems: a line of each mechanism is known, and its harmless neighbour is not."""

import io

import pytest

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.diagnose import diagnose, signatures
from tasks.domain.evidence import Evidence


def class_of(log: str) -> str:
    scan = scan_log(io.BytesIO(log.encode()), source="log", signatures=signatures())
    found = diagnose(Evidence(lines=number_evidence([scan])), repository="o/r", workflow="ci")
    return str(found.failure_class)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Main.hs:12:7: error:", "ci.compile"),
        ("FAIL\texample.com/shop [build failed]", "ci.compile"),
        ("E/launcher - Error: TSError: Unable to compile TypeScript", "ci.compile"),
        ('Error: Invalid CSS after "a{": expected "}"', "ci.compile"),
        ("docs/a.md: 3: MD012/no-multiple-blanks Multiple blank lines", "ci.lint"),
        ("/src/Cart.swift:9:13: warning: Line too long (line_length)", "ci.lint"),
        ("The program 'jq' is currently not installed. To run it install jq", "ci.command"),
        ("app: error while loading shared libraries: libssl.so.1: cannot open", "ci.dep.os"),
        ("dial tcp [2001:db8::1]:443: connect: cannot assign requested address", "ci.net.tls/conn"),
        ("FATAL failed to download the index", "ci.net.tls/conn"),
        ("upload failed: Access key cannot be null.", "ci.secret.missing"),
        ("rake aborted! No Rakefile found (looking for: rakefile)", "ci.config"),
        ("make: *** No rule to make target 'all'.  Stop.", "ci.config"),
        ("Failed to execute goal a:b:jar: cannot write x (No space left on device)", "ci.disk"),
        ("Err:3 http://archive.example.org/ubuntu focal InRelease", "unknown"),
        ("Error 403: the caller may not do this", "ci.perm"),
        ("Error response from daemon: pull access denied for acme/shop", "ci.registry.auth"),
        ('The command "timeout 5m ./build" exited with 124.', "ci.timeout"),
        ("scan error: timeout: context deadline exceeded", "ci.timeout"),
        ("Tests timed out", "ci.timeout"),
        ("Error: Unsupported attribute", "tf.config"),
        ("0/3 nodes are available: 3 Insufficient memory.", "k8s.pending.res"),
        ("0/3 nodes are available: 3 node(s) had untolerated taint {a: b}.", "k8s.pending.taint"),
        ("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", "k8s.pending.pvc"),
        ("Warning  Unhealthy  Liveness probe failed: HTTP 500", "k8s.crash.liveness"),
        ("ok 3 - fails when there is not enough space left in the buffer", "unknown"),
        ("report::rate limited users are counted", "unknown"),
        ("[INFO] --- maven-checkstyle-plugin:3.1.2:checkstyle (default) @ shop ---", "unknown"),
        ("3 nodes are available", "unknown"),
        ("Liveness probe succeeded", "unknown"),
    ],
)
def test_mechanism_is_known_and_its_neighbour_is_not(line: str, expected: str) -> None:
    assert class_of(line + "\n") == expected
