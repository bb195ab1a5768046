"""What a workflow file says: its jobs and steps, checked but with the expressions not yet filled in."""

from pydantic import Field

from tasks.domain.base import Noun


class Step(Noun):
    """One step: either `run`, a script, or `uses`, an action."""

    number: int
    line: int
    id: str | None = None
    name: str | None = None
    condition: str | None = None
    run: str | None = None
    uses: str | None = None
    shell: str | None = None
    working_directory: str | None = None
    env: dict[str, str] = Field(default={})
    continue_on_error: str = "false"
    timeout_minutes: str | None = None

    @property
    def title(self) -> str:
        """What GitHub shows when the step has no name."""
        if self.run is not None:
            return f"Run {self.run.strip().splitlines()[0].strip()}"
        return f"Run {self.uses}"


class Strategy(Noun):
    """The matrix of a job, as plain values with texts that may hold expressions."""

    matrix: object
    line: int
    fail_fast: str = "true"


class Job(Noun):
    """One job before its matrix is expanded. `uses` names a reusable workflow, then there are no steps."""

    key: str
    line: int
    name: str | None = None
    needs: tuple[str, ...] = ()
    condition: str | None = None
    runs_on: tuple[str, ...] = ()
    uses: str | None = None
    env: dict[str, str] = Field(default={})
    shell: str | None = None
    working_directory: str | None = None
    strategy: Strategy | None = None
    continue_on_error: str = "false"
    timeout_minutes: str | None = None
    outputs: dict[str, str] = Field(default={})
    container: str = ""
    services: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


class Workflow(Noun):
    """One workflow file; jobs in the order in which they are written."""

    name: str
    triggers: tuple[str, ...] = ()
    env: dict[str, str] = Field(default={})
    shell: str | None = None
    working_directory: str | None = None
    jobs: tuple[Job, ...]

    def in_order(self) -> tuple[Job, ...]:
        """The jobs so that each comes after those it needs, otherwise as written."""
        placed: dict[str, Job] = {}
        while len(placed) < len(self.jobs):
            ready = next(job for job in self.jobs if job.key not in placed and placed.keys() >= set(job.needs))
            placed[ready.key] = ready
        return tuple(placed.values())

    def ancestors(self, job: Job) -> frozenset[str]:
        """The keys of all jobs that `job` waits for, directly or not."""
        by_key = {other.key: other for other in self.jobs}
        found: set[str] = set()
        waiting = list(job.needs)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting.extend(by_key[key].needs)
        return frozenset(found)
