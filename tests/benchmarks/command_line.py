"""How soon the command line answers, beside an interpreter that does nothing."""

import statistics
import subprocess
import sys
import time

RUNS = 7


def run() -> None:
    for title, argv in (
        ("python -c pass", ["-c", "pass"]),
        ("healflow --help", ["-m", "deployments.main", "--help"]),
    ):
        seconds = []
        for _ in range(RUNS):
            started = time.perf_counter()
            subprocess.run([sys.executable, *argv], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - started)
        print(f"{title:<16} median {statistics.median(seconds):.3f} s, max {max(seconds):.3f} s of {RUNS}", flush=True)
