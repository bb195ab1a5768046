"""Reads the reports of security scanners: Trivy, Snyk, and whatever writes SARIF. The format is told by the content."""

from tasks.collect.scans.quote import quote_scan, with_scans
from tasks.collect.scans.read import MAX_REPORT_BYTES, parse_scan

__all__ = ["MAX_REPORT_BYTES", "parse_scan", "quote_scan", "with_scans"]
