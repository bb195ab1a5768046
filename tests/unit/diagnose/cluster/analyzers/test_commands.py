"""First words that are one slip away from a command, as manifests alone show it."""

import pytest

from tasks.diagnose.analyzers.cluster.commands import find_misspelt_commands, slip_of
from tests.unit.diagnose.cluster.analyzers.noticing import noticed, read_in

POD = """
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop}
spec: {containers: [{name: app, image: busybox, command: [WORD, "3600"]}]}
"""


@pytest.mark.parametrize(
    ("word", "meant"), [("slepe", "sleep"), ("wge", "wget"), ("pyhton", "python"), ("crul", "curl")]
)
def test_slip_is_told_with_what_was_meant(word: str, meant: str) -> None:
    (clue,) = read_in(find_misspelt_commands, POD.replace("WORD", word))
    assert (str(clue.target), f"a typo for '{meant}'" in clue.cause) == ("Pod/shop/job", True)


@pytest.mark.parametrize("word", ["sleep", "/app/server", "shop-server", "go", "envoy", "traefik"])
def test_command_of_its_own_is_no_slip(word: str) -> None:
    assert slip_of(word.rsplit("/", 1)[-1]) == ""


def test_cluster_that_runs_tells_by_itself() -> None:
    assert (
        noticed(find_misspelt_commands, lambda state: state.workload("web", {"command": ["slepe"]}) and None) == set()
    )
