"""Every analyzer of a cluster has a file of tests of its own."""

from pathlib import Path

import pytest

from tasks.diagnose.analyzers.cluster import ANALYZERS

HERE = Path(__file__).parent
ELSEWHERE = {
    "probes": "../test_probes.py",
    "complaints": "../test_complaints.py",
    "contradictions": "../../test_contradictions.py",
}
"""Those that had one before this folder."""


@pytest.mark.parametrize("module", [analyzer.__module__.rsplit(".", 1)[1] for analyzer in ANALYZERS])
def test_analyzer_has_a_file_of_tests(module: str) -> None:
    path = HERE / ELSEWHERE.get(module, f"test_{module}.py")
    assert path.is_file()
    assert module in path.read_text() or "diagnose_cluster" in path.read_text()
