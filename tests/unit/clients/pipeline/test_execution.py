"""What a workflow does here is what GitHub would show: order, conditions, codes, and nothing passed that did not run."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tasks.domain.pipeline import Conclusion
from tasks.errors import BadInputError
from tests.unit.clients.pipeline.conftest import WORKFLOW, Bench, Finder

HEAD = "name: CI\non: push\njobs:\n"


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside.yml", "a/../../b.yml", "a\0b"])
def test_workflow_outside_the_checkout_is_refused(bench: Bench, path: str) -> None:
    bench.write("on: push")
    with pytest.raises(BadInputError, match="not a path inside"):
        bench.pipeline().run(bench.checkout, path, repository="local/shop", branch="main", commit="a" * 40)


def test_link_that_leads_out_of_the_checkout_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yml").write_text("on: push\njobs: {}\n")
    (bench.checkout / "ci.yml").symlink_to(tmp_path / "elsewhere.yml")
    with pytest.raises(BadInputError, match="leads out of the repository"):
        bench.pipeline().run(bench.checkout, "ci.yml", repository="local/shop", branch="main", commit="a" * 40)


def test_job_that_does_not_exist_is_refused_and_leaves_no_run(bench: Bench) -> None:
    with pytest.raises(BadInputError, match="has no job 'deploy'; it has 'test'"):
        bench.run(f"{HEAD}  test:\n    runs-on: x\n    steps: [{{run: 'true'}}]\n", job_keys=("deploy",))
    assert bench.store.history("local/shop", "CI") == ()


def test_uses_step_is_skipped_and_said_never_passed(bench: Bench) -> None:
    (step,) = bench.steps("- uses: actions/setup-python@v5")
    assert step.conclusion is Conclusion.SKIPPED
    assert bench.last is not None
    assert bench.last.conclusion is Conclusion.SKIPPED
    assert any(text.startswith("##[warning]Skipped actions/setup-python@v5") for text in bench.texts())
    assert "##[warning]Nothing of this job ran on this machine, so it is skipped, not passed." in bench.texts()


def test_failed_step_stops_the_job_except_failure_and_always(bench: Bench) -> None:
    steps = bench.steps(
        """
        - run: exit 3
        - run: echo never
        - run: echo cleanup
          if: failure()
        - run: echo report
          if: always()
        - run: echo success-only
          if: success()
        """
    )
    assert [step.conclusion.value for step in steps] == ["failure", "skipped", "success", "success", "skipped"]
    assert steps[0].exit_code == 3
    assert "##[error]Process completed with exit code 3." in bench.texts()
    assert "never" not in bench.texts()


def test_continue_on_error_goes_on_and_the_outcome_is_known(bench: Bench) -> None:
    steps = bench.steps(
        """
        - id: lint
          run: exit 1
          continue-on-error: true
        - run: echo "was ${{ steps.lint.outcome }} is ${{ steps.lint.conclusion }}"
        """
    )
    assert [step.conclusion for step in steps] == [Conclusion.SUCCESS, Conclusion.SUCCESS]
    assert "was failure is success" in bench.texts()


def test_jobs_run_in_order_of_needs_and_a_failure_skips_those_after(bench: Bench) -> None:
    outcome = bench.run(
        HEAD
        + """
  last:
    needs: [build]
    runs-on: ubuntu-latest
    steps: [{run: echo last}]
  report:
    needs: build
    if: failure()
    runs-on: ubuntu-latest
    steps: [{run: 'echo "build ${{ needs.build.result }}"'}]
  build:
    runs-on: ubuntu-latest
    steps: [{run: exit 1}]
"""
    )
    assert [(job.key, job.conclusion.value) for job in outcome.jobs] == [
        ("build", "failure"),
        ("last", "skipped"),
        ("report", "success"),
    ]
    assert outcome.conclusion is Conclusion.FAILURE
    assert "build failure" in bench.texts("report")


def test_outputs_of_a_job_reach_the_next(bench: Bench) -> None:
    outcome = bench.run(
        HEAD
        + """
  one:
    runs-on: ubuntu-latest
    outputs: {tag: "${{ steps.t.outputs.tag }}"}
    steps: [{id: t, run: 'echo "tag=v1.2" >> "$GITHUB_OUTPUT"'}]
  two:
    needs: one
    runs-on: ubuntu-latest
    steps: [{run: "echo got $TAG", env: {TAG: "${{ needs.one.outputs.tag }}"}}]
"""
    )
    assert outcome.conclusion is Conclusion.SUCCESS
    assert "got v1.2" in bench.texts("two")


def test_environment_is_layered_and_reaches_later_steps(bench: Bench) -> None:
    bench.run(
        "name: CI\non: push\nenv: {A: workflow, B: workflow, C: workflow}\njobs:\n"
        + """
  job:
    runs-on: ubuntu-latest
    env: {B: job, C: job}
    steps:
      - run: echo "$A $B $C"
        env: {C: step}
      - run: |
          echo "D=set" >> "$GITHUB_ENV"
          mkdir bin && printf '#!/bin/sh\\necho tool\\n' > bin/mytool && chmod +x bin/mytool
          echo "$PWD/bin" >> "$GITHUB_PATH"
      - run: echo "$C $D $(mytool)"
"""
    )
    assert "workflow job step" in bench.texts()
    assert "job set tool" in bench.texts()


def test_defaults_and_working_directory(bench: Bench) -> None:
    (bench.checkout / "app" / "deep").mkdir(parents=True)
    bench.run(
        "name: CI\non: push\ndefaults: {run: {working-directory: app}}\njobs:\n"
        + """
  job:
    runs-on: ubuntu-latest
    steps:
      - run: basename "$PWD"
      - run: basename "$PWD"
        working-directory: app/deep
      - run: print('from python')
        shell: python3 {0}
"""
    )
    texts = bench.texts()
    assert "app" in texts
    assert "deep" in texts
    assert "from python" in texts


def test_missing_working_directory_is_a_failure_that_names_it(bench: Bench) -> None:
    (step,) = bench.steps("- run: echo hi\n  working-directory: nowhere")
    assert step.conclusion is Conclusion.FAILURE
    assert any("cannot start" in text and "nowhere" in text for text in bench.texts())


def test_matrix_of_literals_runs_each_leg_and_stops_at_the_first_failure(bench: Bench) -> None:
    legs = """
  test:
    runs-on: ubuntu-latest
    strategy: {fail-fast: FAST, matrix: {python: ["3.11", "3.12", "3.13"]}}
    steps: [{run: "test ${{ matrix.python }} != 3.12"}]
"""
    outcome = bench.run(HEAD + legs.replace("FAST", "true"))
    assert [(job.name, job.conclusion.value) for job in outcome.jobs] == [
        ("test (3.11)", "success"),
        ("test (3.12)", "failure"),
        ("test (3.13)", "cancelled"),
    ]
    outcome = bench.run(HEAD + legs.replace("FAST", "false"))
    assert [job.conclusion.value for job in outcome.jobs] == ["success", "failure", "success"]


def test_one_leg_can_be_run_alone(bench: Bench) -> None:
    outcome = bench.run(
        HEAD
        + """
  test:
    runs-on: ubuntu-latest
    strategy: {matrix: {n: [1, 2]}}
    steps: [{run: "echo leg ${{ matrix.n }}"}]
""",
        job_keys=("test (2)",),
    )
    assert [job.name for job in outcome.jobs] == ["test (2)"]


def test_step_that_hangs_is_ended_with_all_it_started(bench: Bench, processes_with: Finder) -> None:
    mark = f"6{time.time_ns() % 10**8}"
    (step,) = bench.steps(f"- run: |\n    sleep {mark} &\n    sleep {mark}\n  timeout-minutes: 0.01")
    assert step.conclusion is Conclusion.TIMED_OUT
    assert any(text.startswith("##[error]The action ") and "has timed out" in text for text in bench.texts())
    assert processes_with(mark) == []


def test_job_whose_time_is_up_is_timed_out_and_cleans_up(bench: Bench) -> None:
    outcome = bench.run(
        HEAD
        + """
  job:
    runs-on: ubuntu-latest
    timeout-minutes: 0.01
    steps:
      - run: sleep 30
      - run: echo cleaned
        if: always()
"""
    )
    assert outcome.conclusion is Conclusion.TIMED_OUT
    assert any("exceeded the maximum execution time" in text for text in bench.texts())
    assert "cleaned" in bench.texts()


def test_process_in_the_background_ends_with_the_job(bench: Bench, processes_with: Finder) -> None:
    mark = f"7{time.time_ns() % 10**8}"
    steps = bench.steps(f"- run: sleep {mark} > /dev/null 2>&1 &\n- run: pgrep -f 'sleep {mark}' > /dev/null")
    assert [step.conclusion for step in steps] == [Conclusion.SUCCESS, Conclusion.SUCCESS]
    assert processes_with(mark) == []


def test_own_settings_and_tokens_do_not_reach_a_step(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALFLOW_WEBHOOK_SECRET", "s3cr3t-of-ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-of-the-user")
    bench.steps("- run: env")
    assert "s3cr3t" not in bench.log()


def test_secret_is_masked_wherever_it_shows(bench: Bench) -> None:
    bench.secrets["TOKEN"] = "hunter2-hunter2"
    bench.steps('- run: echo "token $T and $(echo $T | cut -c1-20)"\n  env: {T: "${{ secrets.TOKEN }}"}')
    assert "hunter2" not in bench.log()
    assert "token *** and ***" in bench.texts()


def test_name_with_shell_metacharacters_runs_nothing(bench: Bench) -> None:
    bench.branch = "x$(touch pwned-by-branch)"
    bench.steps('- run: echo "on $GITHUB_REF_NAME"')
    assert "on x$(touch pwned-by-branch)" in bench.texts()
    assert [path.name for path in bench.checkout.rglob("pwned*")] == []
    assert list(bench.checkout.parent.glob("pwned*")) == []


def test_container_service_and_other_system_are_said(bench: Bench) -> None:
    outcome = bench.run(
        HEAD
        + """
  win:
    runs-on: windows-latest
    steps: [{run: echo hi}]
  boxed:
    runs-on: ubuntu-latest
    container: node:22
    services: {db: {image: "postgres:17"}}
    steps: [{run: echo hi}]
"""
    )
    assert outcome.jobs[0].conclusion is Conclusion.SKIPPED
    assert any("windows-latest, which this machine is not" in text for text in bench.texts("win"))
    assert any("container 'node:22' is not used here" in text for text in bench.texts("boxed"))
    assert any("services db are not started here" in text for text in bench.texts("boxed"))


def test_interrupted_run_is_kept_as_cancelled(bench: Bench, processes_with: Finder) -> None:
    mark = f"8{time.time_ns() % 10**8}"

    def interrupt() -> None:
        deadline = time.monotonic() + 20
        while not processes_with(mark) and time.monotonic() < deadline:
            signal.sigtimedwait([], 0.05)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        bench.steps(f"- run: sleep {mark}")
    waiting.join()
    (kept,) = bench.store.history("local/shop", "CI")
    assert kept.conclusion is Conclusion.CANCELLED
    assert processes_with(mark) == []


def test_proof_of_a_fix_does_not_count_in_the_history(bench: Bench) -> None:
    bench.run(f"{HEAD}  job:\n    runs-on: x\n    steps: [{{run: 'true'}}]\n", record=False)
    assert bench.store.history("local/shop", "CI") == ()
    assert bench.log().startswith("20")
    assert (bench.checkout / WORKFLOW).is_file()
