"""MeasuredUse: the most that the containers of a workload were seen to use, and by how much looking."""

from pydantic import Field

from tasks.domain.base import Noun


class ContainerUse(Noun):
    """The highest reading of one container, over all pods of its workload."""

    container: str
    cpu: float = Field(ge=0.0)
    """In cores."""
    memory: float = Field(ge=0.0)
    """In bytes."""


class MeasuredUse(Noun):
    """What was read of PodMetrics; one reading says little of a container that has just begun."""

    containers: tuple[ContainerUse, ...] = ()
    readings: int = Field(default=0, ge=0)
    """How many different ones there are of the pod that was read the most often."""
    seconds: float = Field(default=0.0, ge=0.0)
    """How long it was looked for them."""
    problem: str = ""
    """Why there are none, or fewer than wanted."""

    def of(self, container: str) -> ContainerUse | None:
        """The highest reading of a container, `None` where nothing measured it."""
        found = next((one for one in self.containers if one.container == container), None)
        return found if found is not None and (found.cpu or found.memory) else None

    def __str__(self) -> str:
        if not self.readings:
            return f"nothing measured what its containers use{f': {self.problem}' if self.problem else ''}"
        often = "once" if self.readings == 1 else f"{self.readings} times in {self.seconds:.0f} s"
        return f"measured {often}{f' ({self.problem})' if self.problem else ''}"
