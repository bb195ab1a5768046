"""A workflow file is refused with its line, or read as GitHub reads it."""

from pathlib import Path
from textwrap import dedent

import pytest

from tasks.clients.pipeline import load_workflow
from tasks.errors import BadInputError


def refuse(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "ci.yml"
    path.write_bytes(dedent(text).encode() if isinstance(text, str) else text)
    with pytest.raises(BadInputError) as caught:
        load_workflow(path)
    return str(caught.value)


def job(body: str) -> str:
    return "on: push\njobs:\n  build:\n" + "".join(f"    {line}\n" for line in body.strip().split("\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("on: push\njobs: [unclosed\n", "line 3: no YAML"),
        (b"\x00\xff\xfe\x01binary", "line 1: no UTF-8"),
        (b"on: push\n\x01\x02: x", "line 1: no YAML"),
        ("", "the file is empty"),
        ("just text", "needs the keys 'on' and 'jobs'"),
        ("jobs: {}", "the key 'on' is missing"),
        ("on: push\n", "the key 'jobs' is missing"),
        ("on: push\njobs: []\n", "line 2: expected keys with values, found a list (jobs)"),
        ("on: push\njobs: {}\n", "a workflow has 1 to 256 jobs, found 0"),
        ("on: push\non: pull_request\njobs: {}\n", "line 2: 'on' is written twice"),
        ("on: push\njbos: {}\n", "line 2: unexpected key 'jbos'"),
        ("on: push\njobs: !!python/object/apply:os.system ['true']\n", "the tag"),
        (job("runs-on: x"), "line 4: the job 'build' has no 'steps'"),
        (job("steps: [{run: a}]"), "the job 'build' has no 'runs-on'"),
        (job("runs-on: x\nsteps: []"), "line 5: a job has 1 to 1000 steps, found 0"),
        (job("runs-on: x\nsteps:\n  - name: only"), "line 6: a step has either 'run' or 'uses'"),
        (job("runs-on: x\nsteps:\n  - run: a\n    uses: b"), "line 6: a step has either 'run' or 'uses'"),
        (job("runs-on: x\nsteps:\n  - run: a\n    id: x y"), "'x y' cannot be the id of a step"),
        (job("runs-on: x\nsteps:\n  - {run: a, id: q}\n  - {run: a, id: Q}"), "line 7: the step id 'Q' is used twice"),
        (job("runs-on: x\ntimeout-minutes: soon\nsteps: [{run: a}]"), "line 5: 'timeout-minutes' has to be a positive"),
        (job("runs-on: x\ntimeout-minutes: -1\nsteps: [{run: a}]"), "'timeout-minutes' has to be a positive"),
        (job("runs-on: x\nenv: [a]\nsteps: [{run: a}]"), "'env' has to be written as names with values"),
        (job("runs-on: x\nneeds: ghost\nsteps: [{run: a}]"), "line 4: the job 'build' needs 'ghost', which is no job"),
        (job("runs-on: x\nneeds: build\nsteps: [{run: a}]"), "the jobs 'build' wait for each other"),
        (job("runs-on: x\nstrategy: {matrix: {py: 3}}\nsteps: [{run: a}]"), "the matrix key 'py' has to be a list"),
        (job("runs-on: x\nsteps:\n  - run: echo ${{ github.sha"), "line 6: '${{' is not closed"),
        (job("runs-on: x\nsteps:\n  - run: echo ${{ nope.x }}"), "line 6: unknown name 'nope' in the expression"),
        (job("runs-on: x\nsteps:\n  - run: a\n    if: succes()"), "line 7: unknown function 'succes'"),
        (job("runs-on: x\nsteps:\n  - run: a\n    if: ${{ true }} == false"), "which would always be true"),
        (job("runs-on: x\nsteps:\n  - run: echo ${{ always() }}"), "always() only works in 'if'"),
        (job("runs-on: x\nif: github.ref = 'x'\nsteps: [{run: a}]"), "line 5: unexpected \"= 'x'\""),
    ],
)
def test_bad_workflow_is_refused_with_its_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    told = refuse(tmp_path, text)
    assert told.startswith("ci.yml, line ") and message in told


def test_bad_job_name_is_refused(tmp_path: Path) -> None:
    assert "needs a name of letters" in refuse(
        tmp_path, "on: push\njobs:\n  'a;b':\n    runs-on: x\n    steps: [{run: a}]\n"
    )


def test_circle_of_needs_names_all_its_jobs(tmp_path: Path) -> None:
    told = refuse(
        tmp_path,
        """\
        on: push
        jobs:
          one: {runs-on: x, steps: [{run: a}]}
          two: {runs-on: x, needs: [three, one], steps: [{run: a}]}
          three: {runs-on: x, needs: two, steps: [{run: a}]}
        """,
    )
    assert "line 4: the jobs 'two', 'three' wait for each other" in told


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.yml: cannot be read: No such file"):
        load_workflow(tmp_path / "none.yml")


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    assert "larger than 524288 bytes" in refuse(tmp_path, b"#" * 600_000)


def test_deeply_nested_file_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in refuse(tmp_path, "[" * 5_000)


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    layers = "".join(f"  k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    text = "on: push\nenv: {}\njobs:\n  build:\n    runs-on: x\n    strategy:\n      matrix:\n        a: &a0 [x]\n"
    text += "".join(f"      {line}\n" for line in layers.rstrip().split("\n")) + "    steps: [{run: a}]\n"
    assert "more than 100000 values once aliases are followed" in refuse(tmp_path, text)


def test_alias_to_itself_is_refused(tmp_path: Path) -> None:
    told = refuse(tmp_path, "on: push\njobs: {b: {runs-on: x, strategy: {matrix: {a: &a [*a]}}, steps: [{run: a}]}}\n")
    assert "nested" in told or "more than" in told


def test_on_is_a_key_and_versions_keep_their_type(tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text(
        "on: [push, pull_request]\n"
        "jobs:\n  build:\n    runs-on: ubuntu-latest\n    strategy: {matrix: {py: [3.9, '3.10', 010, yes, on]}}\n    steps: [{run: a}]\n"
    )
    workflow = load_workflow(path)
    assert workflow.triggers == ("push", "pull_request")
    assert workflow.name == "ci.yml"
    strategy = workflow.jobs[0].strategy
    assert strategy is not None
    assert strategy.matrix == {"py": [3.9, "3.10", 10, "yes", "on"]}


def test_every_key_of_a_large_real_workflow_is_known(tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text(
        dedent(
            """\
            name: CI
            run-name: by ${{ github.actor }}
            on:
              push: {branches: [main]}
              workflow_dispatch:
            permissions: read-all
            concurrency: {group: "${{ github.ref }}", cancel-in-progress: true}
            defaults: {run: {shell: bash, working-directory: src}}
            jobs:
              call: {uses: ./.github/workflows/x.yml, with: {a: b}, secrets: inherit}
              build:
                needs: [call]
                runs-on: {group: big, labels: [self-hosted, linux]}
                environment: {name: prod, url: "https://x"}
                container: {image: "node:22", env: {A: b}}
                services: {db: {image: postgres, ports: ["5432:5432"]}}
                strategy: {fail-fast: false, max-parallel: 2, matrix: {include: [{a: 1}]}}
                steps:
                  - uses: actions/checkout@v4
                    with: {fetch-depth: 0}
                  - run: make
            """
        )
    )
    call, build = load_workflow(path).jobs
    assert call.uses == "./.github/workflows/x.yml"
    assert (build.runs_on, build.container, build.services) == (("self-hosted", "linux"), "node:22", ("db",))
