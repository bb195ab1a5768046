"""Clue and ClusterCause: what one analyzer noticed in a cluster, and what it comes down to."""

from pydantic import Field

from tasks.domain.base import Noun
from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_health import ObjectHealth
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass


class Quote(Noun):
    """A line of outside text that shows something; it becomes a line of evidence with an id of its own."""

    source: str
    """`event:NAMESPACE/NAME`, `status:KIND/NAMESPACE/NAME`, `spec:…`, `log:NAMESPACE/POD/CONTAINER`, `text:…`."""
    text: str
    line_number: int | None = None


class Clue(Noun):
    """What one analyzer noticed."""

    failure_class: FailureClass
    rule: str
    cause: str
    """One sentence for the operator, naming the object that has to change."""
    target: ObjectRef
    """The object that has to change."""
    victims: tuple[ObjectRef, ...] = ()
    quotes: tuple[Quote, ...] = Field(min_length=1)
    confidence: float = Field(ge=0.0, le=1.0)
    rank: int = Field(default=30, ge=0, le=100)
    """Cause before consequence: from `SYMPTOM` on, it yields to any cause of the same object."""
    transient: bool = False
    hint: bool = False
    """Whether nothing is broken by it: good to know, no cause of a failure."""
    host: str = ""
    """The name of the other side, when the clue is that it does not answer."""


SYMPTOM = 70
"""The rank from which a clue says that something is wrong, and not why."""


class ClusterCause(Noun):
    """One cause: what is wrong, the object that has to change, and what suffers from it."""

    diagnosis: Diagnosis
    target: ObjectRef
    victims: tuple[ObjectRef, ...] = ()
    """What suffers from it, bounded; `victim_count` is how many there are."""
    victim_count: int = 0


class ClusterTriage(Noun):
    """What triage found out about the place of a failure in a cluster, and how it was before anything was done."""

    cause: ClusterCause | None
    """`None` when nothing explains the failure, or nothing is wrong any more."""
    watched: tuple[ObjectRef, ...]
    """What has to be healthy again for the fix to be proven: the object that changes, and who suffers from it."""
    health: tuple[ObjectHealth, ...]
    """How the watched objects, and all that stands for itself in their namespaces, were."""

    @property
    def shows(self) -> bool:
        """Whether the failure shows in the state of what is watched, or in its restarts, so its end can be seen."""
        return self.unhealthy or any(one.ref in self.watched and one.restarts for one in self.health)

    @property
    def unhealthy(self) -> bool:
        """Whether something that is watched was not healthy at that moment."""
        return any(one.ref in self.watched and not one.healthy for one in self.health)


class ClusterExplanation(Noun):
    """What is wrong in a cluster: the causes, the likeliest and gravest first; none when nothing was found."""

    evidence: Evidence
    causes: tuple[ClusterCause, ...] = ()
    hints: tuple[ClusterCause, ...] = ()
    """What breaks nothing now, and is worth knowing."""
    objects_read: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.causes
