"""Reads the reports of security scanners: Trivy, Snyk, and whatever writes SARIF. The format is told by the content."""

from tasks.collect.scans.quote import quote_scan, with_scans
from tasks.collect.scans.read import HEAD_BYTES, MAX_REPORT_BYTES, looks_like_scan, parse_scan

__all__ = ["HEAD_BYTES", "MAX_REPORT_BYTES", "looks_like_scan", "parse_scan", "quote_scan", "with_scans"]
