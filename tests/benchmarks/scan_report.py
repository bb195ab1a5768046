"""How fast a scanner's report of 50 MB is read, and in how much memory, beside `json.load` of the same file."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

MEGABYTES = 50
MEASURE = """
import json, resource, sys, time
{prepare}
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
started = time.perf_counter()
{read}
print(json.dumps([time.perf_counter() - started, peak() - before, found]))
"""
JSON_LOAD = MEASURE.format(
    prepare="", read='with open(sys.argv[1], "rb") as stream: found = len(json.load(stream)["Results"])'
)
HEALFLOW = MEASURE.format(
    prepare="from tasks.collect.scans import parse_scan, quote_scan",
    read='with open(sys.argv[1], "rb") as stream: report = parse_scan(stream.read(), source="bench")\n'
    "found = [len(report.vulnerabilities), report.omitted, len(quote_scan(report).lines)]",
)


def write_report(path: Path, megabytes: int) -> None:
    """The same report for the same size, in Trivy's format, with long descriptions as real ones have."""
    chance = random.Random(20260504)
    severities = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "UNKNOWN")
    with path.open("w", encoding="utf-8") as stream:
        stream.write('{"SchemaVersion": 2, "ArtifactName": "shop:1", "ArtifactType": "container_image", "Results": [')
        number = 0
        while stream.tell() < megabytes * 1_000_000:
            rows = []
            for _ in range(200):
                number += 1
                rows.append(
                    {
                        "VulnerabilityID": f"CVE-2026-{number}",
                        "PkgName": f"package-{chance.randrange(900)}",
                        "PkgIdentifier": {"PURL": f"pkg:npm/package@{number}"},
                        "InstalledVersion": f"1.{chance.randrange(40)}.0",
                        "FixedVersion": chance.choice(["", f"1.{40 + chance.randrange(9)}.1", "1.50.0, 2.1.0"]),
                        "Severity": chance.choice(severities),
                        "Title": "a flaw that lets an attacker do what should not be done",
                        "Description": "x" * chance.randrange(200, 1200),
                        "References": [f"https://example.com/advisory/{number}/{n}" for n in range(8)],
                    }
                )
            result = {"Target": f"app{number}/package-lock.json", "Class": "lang-pkgs", "Type": "npm"}
            stream.write(("," if number > 200 else "") + json.dumps(result | {"Vulnerabilities": rows}))
        stream.write("]}")


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trivy.json"
        write_report(path, MEGABYTES)
        size = path.stat().st_size / 1e6
        for title, script in (("json.load", JSON_LOAD), ("healflow", HEALFLOW)):
            done = subprocess.run(
                [sys.executable, "-c", script, str(path)], check=True, stdout=subprocess.PIPE, text=True
            )
            seconds, growth, found = json.loads(done.stdout)
            print(
                f"{size:6.0f} MB  {title:<9} {seconds:5.2f} s, {growth:4.0f} MB above the import, found {found}",
                flush=True,
            )
