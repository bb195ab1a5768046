"""What one analyzer alone notices in a state, before its clues are joined with those of the others."""

from collections.abc import Callable, Iterator

from tasks.clients.kubernetes.documents import add_documents
from tasks.clients.kubernetes.gathering import Gathering
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.cluster_cause import Clue
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.conditions.all import CONDITIONS
from tests.unit.diagnose.cluster.conditions.table import Plant

Analyzer = Callable[[ClusterSnapshot], Iterator[Clue]]
Told = tuple[str, str, bool]
"""The rule, the object, and whether it is worth knowing only."""


def clues(analyzer: Analyzer, plant: Plant | str) -> list[Clue]:
    """What it notices in a planted state, or in that of the condition of this name."""
    state = State()
    chosen = next(row.plant for row in CONDITIONS if row.says == plant) if isinstance(plant, str) else plant
    chosen(state)
    return list(analyzer(state.snapshot()))


def noticed(analyzer: Analyzer, plant: Plant | str) -> set[Told]:
    """The same as rules and objects."""
    return {(clue.rule, str(clue.target), clue.hint) for clue in clues(analyzer, plant)}


def read_in(analyzer: Analyzer, text: str, *, assumed: tuple[str, ...] = ("Service",)) -> list[Clue]:
    """What it notices in manifests, of which nothing is in a cluster yet."""
    into = Gathering()
    assert add_documents(text, into)
    found = into.snapshot()
    assert found.desired_only
    return list(analyzer(found.model_copy(update={"listed_kinds": frozenset(assumed)})))
