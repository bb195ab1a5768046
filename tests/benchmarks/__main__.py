"""`python -m tests.benchmarks [NAME…]`: runs the benchmarks and prints their figures."""

import sys

from tests.benchmarks import cluster_triage, command_line, intake, log_scan, scan_report

BENCHMARKS = {
    "cluster-triage": cluster_triage.run,
    "command-line": command_line.run,
    "intake": intake.run,
    "log-scan": log_scan.run,
    "scan-report": scan_report.run,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"== {name}", flush=True)
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
