"""A bench: a checkout with a workflow in it, a store, and the pipeline that runs the one into the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.domain.pipeline import RunOutcome, StepOutcome

WORKFLOW = ".github/workflows/ci.yml"


@dataclass
class Bench:
    checkout: Path
    store: RunStore
    lines: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    branch: str = "main"
    default_step_timeout_seconds: float = 30.0
    last: RunOutcome | None = None

    def write(self, text: str) -> Path:
        path = self.checkout / WORKFLOW
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def pipeline(self) -> LocalPipeline:
        return LocalPipeline(
            self.store,
            default_step_timeout_seconds=self.default_step_timeout_seconds,
            secrets=self.secrets,
            variables={"REGION": "eu"},
        )

    def run(self, text: str, **options: object) -> RunOutcome:
        """Run a whole workflow file."""
        self.write(text)
        named = {"repository": "local/shop", "branch": self.branch, "commit": "a" * 40, "on_line": self.lines.append}
        self.last = self.pipeline().run(self.checkout, WORKFLOW, **(named | options))  # type: ignore[arg-type]
        return self.last

    def steps(self, text: str, **options: object) -> tuple[StepOutcome, ...]:
        """Run steps as the only job, named `job`."""
        head = "name: CI\non: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n"
        body = "".join(f"      {line}\n" if line else "\n" for line in dedent(text).strip("\n").split("\n"))
        return self.run(head + body, **options).jobs[0].steps

    def log(self, job: str = "job") -> str:
        assert self.last is not None
        with self.store.open_log(self.last.run_id, job) as stream:
            return stream.read().decode("utf-8-sig")

    def texts(self, job: str = "job") -> list[str]:
        """The lines of a log without their times."""
        return [line.split(" ", 1)[1] for line in self.log(job).split("\n") if line]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    checkout = tmp_path / "a repo; $(touch pwned) 'x'"
    checkout.mkdir()
    return Bench(checkout, RunStore(tmp_path / "runs"))


Finder = Callable[[str], list[int]]


@pytest.fixture
def processes_with() -> Finder:
    """Finds the processes whose command line holds a word."""

    def find(word: str) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if word.encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:
                continue
        return found

    return find
