"""A workflow file as a checked value: the first step of running a pipeline here, and where a bad file is refused.

Keys and shapes follow https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax. Every
expression is parsed here, so that a mistake in the last job is told before the first one runs.
"""

import re
from collections.abc import Callable
from pathlib import Path

from tasks.clients.pipeline.document import Part, read_document
from tasks.clients.pipeline.plans import Job, Step, Strategy, Workflow
from tasks.clients.pipeline.templates import check_template, parse_condition
from tasks.clients.pipeline.values import ExpressionError

MAX_JOBS = 256
MAX_STEPS = 1_000
_WORKFLOW_KEYS = frozenset("name run-name on permissions env defaults concurrency jobs".split())  # noqa: SIM905
_JOB_KEYS = frozenset(
    "name permissions needs if runs-on snapshot environment concurrency outputs env defaults steps timeout-minutes "  # noqa: SIM905
    "strategy continue-on-error container services uses with secrets".split()
)
_STEP_KEYS = frozenset(
    "id if name uses run shell working-directory with env continue-on-error timeout-minutes".split()  # noqa: SIM905
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def load_workflow(path: Path, *, shown_as: str | None = None) -> Workflow:
    """Read and check the workflow file at `path`; `shown_as` is its path inside the repository, for messages and as its
    name.

    Raises:
        BadInputError: it is missing, too large, no YAML, or no valid workflow; the message names file and line.
    """
    file = shown_as or path.name
    root = read_document(path, file)
    if not root.is_mapping:
        root.fail("a workflow needs the keys 'on' and 'jobs'")
    keys = root.mapping(_WORKFLOW_KEYS)
    for needed in ("on", "jobs"):
        if needed not in keys:
            root.fail(f"the key {needed!r} is missing")
    shell, folder = _defaults(keys.get("defaults"))
    jobs = keys["jobs"].mapping()
    if not 1 <= len(jobs) <= MAX_JOBS:
        keys["jobs"].fail(f"a workflow has 1 to {MAX_JOBS} jobs, found {len(jobs)}")
    workflow = Workflow(
        name=_text(keys.get("name")) or file,
        triggers=_triggers(keys["on"]),
        env=_env(keys.get("env")),
        shell=shell,
        working_directory=folder,
        jobs=tuple(_job(key, part) for key, part in jobs.items()),
    )
    _check_needs(workflow, jobs)
    return workflow


def _checked(part: Part, check: Callable[[str], object], text: str) -> str:
    try:
        check(text)
    except ExpressionError as error:
        part.fail(str(error))
    return text


def _template(part: Part | None) -> str | None:
    return None if part is None else _checked(part, check_template, part.text())


def _text(part: Part | None) -> str:
    return "" if part is None else part.text().strip()


def _condition(part: Part | None) -> str | None:
    if part is None or part.is_empty:
        return None
    return _checked(part, parse_condition, part.text())


def _triggers(part: Part) -> tuple[str, ...]:
    if part.is_mapping:
        return tuple(part.mapping())
    if part.is_sequence:
        return tuple(item.text() for item in part.sequence())
    if part.is_empty:
        part.fail("'on' names no event")
    return (part.text(),)


def _env(part: Part | None) -> dict[str, str]:
    if part is None or part.is_empty:
        return {}
    if not part.is_mapping:
        part.fail("'env' has to be written as names with values here")
    env = {}
    for name, value in part.mapping().items():
        if not name or "=" in name or "\0" in name:
            value.fail(f"{name!r} cannot be the name of a variable")
        env[name] = _template(value) or ""
    return env


def _defaults(part: Part | None) -> tuple[str | None, str | None]:
    if part is None or part.is_empty:
        return None, None
    run = part.mapping(frozenset({"run"})).get("run")
    if run is None:
        return None, None
    keys = run.mapping(frozenset({"shell", "working-directory"}))
    return _template(keys.get("shell")), _template(keys.get("working-directory"))


def _job(key: str, part: Part) -> Job:
    if not _NAME.fullmatch(key):
        part.fail(f"the job {key!r} needs a name of letters, digits, '-' and '_' that begins with a letter or '_'")
    keys = part.mapping(_JOB_KEYS)
    if "uses" not in keys:
        for needed in ("runs-on", "steps"):
            if needed not in keys:
                part.fail(f"the job {key!r} has no {needed!r}")
    shell, folder = _defaults(keys.get("defaults"))
    return Job(
        key=key,
        name=_template(keys.get("name")),
        line=part.line,
        needs=_needs(keys.get("needs")),
        condition=_condition(keys.get("if")),
        runs_on=_runs_on(keys.get("runs-on")),
        uses=_text(keys.get("uses")) or None,
        env=_env(keys.get("env")),
        shell=shell,
        working_directory=folder,
        strategy=_strategy(keys.get("strategy")),
        continue_on_error=_template(keys.get("continue-on-error")) or "false",
        timeout_minutes=_minutes(keys.get("timeout-minutes")),
        outputs={name: _template(value) or "" for name, value in keys["outputs"].mapping().items()}
        if "outputs" in keys
        else {},
        container=_container(keys.get("container")),
        services=tuple(keys["services"].mapping()) if "services" in keys and keys["services"].is_mapping else (),
        steps=_steps(keys.get("steps")),
    )


def _needs(part: Part | None) -> tuple[str, ...]:
    if part is None or part.is_empty:
        return ()
    if part.is_sequence:
        return tuple(dict.fromkeys(item.text() for item in part.sequence()))
    return (part.text(),)


def _runs_on(part: Part | None) -> tuple[str, ...]:
    if part is None:
        return ()
    if part.is_mapping:
        part = part.mapping(frozenset({"group", "labels"})).get("labels")
        return _runs_on(part)
    if part.is_empty:
        part.fail("'runs-on' names no runner")
    parts = part.sequence() if part.is_sequence else [part]
    return tuple(_template(item) or "" for item in parts)


def _container(part: Part | None) -> str:
    if part is None or part.is_empty:
        return ""
    return _text(part.mapping().get("image")) if part.is_mapping else part.text()


def _minutes(part: Part | None) -> str | None:
    text = _template(part)
    if part is None or text is None or "${{" in text:
        return text
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0
    if not 0 < minutes <= 525_600:  # a year; also refuses NaN and infinity
        part.fail(f"'timeout-minutes' has to be a positive number of minutes, found {text[:40]!r}")
    return text


def _strategy(part: Part | None) -> Strategy | None:
    if part is None or part.is_empty:
        return None
    keys = part.mapping(frozenset({"matrix", "fail-fast", "max-parallel"}))
    matrix = keys.get("matrix")
    if matrix is None:
        return None
    if matrix.is_mapping:
        for name, value in matrix.mapping().items():
            if value.is_mapping or not (value.is_sequence or "${{" in value.text()):
                value.fail(f"the matrix key {name!r} has to be a list")
        _check_texts(matrix)
    elif not matrix.is_sequence and "${{" in matrix.text():
        _template(matrix)
    else:
        matrix.fail("'matrix' has to be lists of values by name")
    return Strategy(matrix=matrix.plain(), line=matrix.line, fail_fast=_template(keys.get("fail-fast")) or "true")


def _check_texts(part: Part) -> None:
    if part.is_mapping:
        for item in part.mapping().values():
            _check_texts(item)
    elif part.is_sequence:
        for item in part.sequence():
            _check_texts(item)
    else:
        _template(part)


def _steps(part: Part | None) -> tuple[Step, ...]:
    if part is None:
        return ()
    parts = part.sequence()
    if not 1 <= len(parts) <= MAX_STEPS:
        part.fail(f"a job has 1 to {MAX_STEPS} steps, found {len(parts)}")
    steps = tuple(_step(number, item) for number, item in enumerate(parts, start=1))
    seen: set[str] = set()
    for step, item in zip(steps, parts, strict=True):
        if step.id is not None and step.id.lower() in seen:
            item.fail(f"the step id {step.id!r} is used twice")
        seen.add((step.id or "").lower())
    return steps


def _step(number: int, part: Part) -> Step:
    keys = part.mapping(_STEP_KEYS)
    if ("run" in keys) == ("uses" in keys):
        part.fail("a step has either 'run' or 'uses'")
    step_id = _text(keys.get("id")) or None
    if step_id is not None and not _NAME.fullmatch(step_id):
        keys["id"].fail(f"{step_id!r} cannot be the id of a step")
    if "run" in keys and not _text(keys["run"]):
        keys["run"].fail("'run' is empty")
    return Step(
        number=number,
        line=part.line,
        id=step_id,
        name=_template(keys.get("name")),
        condition=_condition(keys.get("if")),
        run=_template(keys.get("run")),
        uses=_text(keys.get("uses")) or None,
        shell=_template(keys.get("shell")),
        working_directory=_template(keys.get("working-directory")),
        env=_env(keys.get("env")),
        continue_on_error=_template(keys.get("continue-on-error")) or "false",
        timeout_minutes=_minutes(keys.get("timeout-minutes")),
    )


def _check_needs(workflow: Workflow, parts: dict[str, Part]) -> None:
    names = {job.key for job in workflow.jobs}
    for job in workflow.jobs:
        for need in job.needs:
            if need not in names:
                parts[job.key].fail(f"the job {job.key!r} needs {need!r}, which is no job of this workflow")
    placed: set[str] = set()
    waiting = list(workflow.jobs)
    while waiting:
        ready = [job for job in waiting if placed.issuperset(job.needs)]
        if not ready:
            circle = ", ".join(repr(job.key) for job in waiting)
            parts[waiting[0].key].fail(f"the jobs {circle} wait for each other")
        placed.update(job.key for job in ready)
        waiting = [job for job in waiting if job.key not in placed]
