"""Containers that end: the kernel's word before the runtime's, the runtime's before the log's, and the log's before a code."""

import pytest

from tasks.diagnose.analyzers.cluster.crashes import find_crashes
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("the program misses a variable", "crash-env-missing", "Deployment/shop/web"),
    ("the program refuses its configuration", "crash-configuration", "Deployment/shop/web"),
    ("the command is not in the image", "crash-command", "Deployment/shop/web"),
    ("a shell does not find the command", "crash-exit", "Deployment/shop/web"),
    ("it is killed for its liveness probe", "crash-liveness", "Deployment/shop/web"),
    ("it is killed out of memory", "crash-oom", "Deployment/shop/web"),
    ("a hook after the start fails", "crash-hook", "Deployment/shop/web"),
    ("it ends at once, as if it had nothing to do", "crash-ends", "Deployment/shop/web"),
    ("an account may not do what the program asks", "crash-rbac-denied", "Deployment/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_container_that_ends_is_explained(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_crashes, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_crashes, lambda state: None) == set()


def test_word_of_the_kernel_counts_before_the_log() -> None:
    def plant(state: State) -> None:
        state.crash("web", "KeyError: 'SHOP_REGION'", code=137, reason="OOMKilled")

    assert noticed(find_crashes, plant) == {("cluster-crash-oom", "Deployment/shop/web", False)}


def test_last_words_are_quoted_where_no_rule_knows_them() -> None:
    (clue,) = clues(find_crashes, "a program ends without a word that is known")
    assert "plugin geo: checksum differs" in clue.cause
    assert any(quote.source.startswith("log:") and quote.line_number == 2 for quote in clue.quotes)


def test_value_that_several_variables_have_is_no_ones() -> None:
    def plant(state: State) -> None:
        given = [{"name": name, "value": "one hundred"} for name in ("LEAST", "MOST")]
        state.workload("web", {"env": given})
        state.crash("web", "ValueError: invalid literal for int() with base 10: 'one hundred'")

    assert noticed(find_crashes, plant) == {("cluster-crash-exception", "Deployment/shop/web", False)}
