"""Reads CI logs of any size as a stream: strips, locates the lines that say why, redacts, and quotes a bounded set."""

from tasks.collect.ci_logs.number import number_evidence
from tasks.collect.ci_logs.scan import LogScan, scan_log

__all__ = ["LogScan", "number_evidence", "scan_log"]
