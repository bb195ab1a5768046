"""How fast a log is read end to end, and in how much memory, beside `grep -Ec` over the same file.

The log is made here, in GitHub's raw format: times, colours, groups, warnings that look like errors, one failure.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES_MEGABYTES = (100, 1000)
GREP = "FAILED|[Ee]rror|ERROR|fatal|[Ee]xception|Killed|timed out"
WORDS = [
    "building",
    "module",
    "compiled",
    "cached",
    "fetch",
    "layer",
    "step",
    "test",
    "ok",
    "passed",
    "collected",
    "info",
    "debug",
    "package",
    "resolving",
    "version",
    "download",
    "progress",
    "extracting",
    "copying",
]
READER = """
import json, resource, sys, time
from flows.explain import explain_log
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
started = time.perf_counter()
with open(sys.argv[1], "rb") as stream: found = explain_log(stream, name="benchmark")
seconds = time.perf_counter() - started
print(json.dumps([seconds, peak() - before, found.diagnosis.failure_class, found.bytes_read]))
"""


def write_log(path: Path, megabytes: int) -> None:
    """The same log for the same size."""
    chance = random.Random(20260504)
    block = bytearray()
    for number in range(40_000):
        moment = (
            f"2026-05-04T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.{number * 7919 % 10**7:07}Z "
        )
        text = f"{chance.choice(WORDS)} ({number}) {' '.join(chance.choices(WORDS, k=10))}"
        if number % 11 == 0:
            text = f"\x1b[36;1m{text}\x1b[0m"
        elif number % 501 == 0:
            text = f"WARNING: retrying after an error, the connection to mirror-{number % 7} was slow"
        elif number % 4001 == 0:
            text = f"##[group]Run make part-{number}"
        block += f"{moment}{text}\n".encode()
    end = (
        b"2026-05-04T23:59:58.0000000Z FAILED tests/test_cart.py::test_total - AssertionError: assert 3 == 4\n"
        b"2026-05-04T23:59:59.0000000Z ##[error]Process completed with exit code 1.\n"
    )
    with path.open("wb") as stream:
        stream.write(b"\xef\xbb\xbf")
        while stream.tell() < megabytes * 1_000_000:
            stream.write(block)
        stream.write(end)


def run() -> None:
    import json

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "build.log"
        for megabytes in SIZES_MEGABYTES:
            write_log(path, megabytes)
            size = path.stat().st_size / 1e6
            started = time.perf_counter()
            subprocess.run(["grep", "-Ec", GREP, str(path)], check=True, stdout=subprocess.PIPE)
            grep_seconds = time.perf_counter() - started
            done = subprocess.run(
                [sys.executable, "-c", READER, str(path)], check=True, stdout=subprocess.PIPE, text=True
            )
            seconds, growth, found, _ = json.loads(done.stdout)
            print(
                f"{size:6.0f} MB  healflow {size / seconds:6.1f} MB/s in {seconds:5.2f} s, {growth:4.0f} MB above the import, found {found}"
            )
            print(
                f"{'':9}  grep -Ec {size / grep_seconds:6.1f} MB/s in {grep_seconds:5.2f} s; ratio {seconds / grep_seconds:.1f}",
                flush=True,
            )
