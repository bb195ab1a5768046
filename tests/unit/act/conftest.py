"""A heal of a run on GitHub at the moment of acting: the fake, the plan and each of the actions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.act import (
    ActContext,
    comment_action,
    pull_request_action,
    status_action,
)
from tasks.domain.code_host import StatusState
from tasks.domain.plan import Action, Remedy, Risk
from tests.fakes.github import FakeGithub, serving
from tests.unit.act.hosted import Hosted
from tests.unit.clients.github.conftest import client_of

TEXT = "The job **lint** failed."


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {"readme": "r"})
        yield github


@pytest.fixture
def hosted(fake: FakeGithub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with client_of(fake) as client:
        yield Hosted(fake, client, tmp_path)


def rerun(_context: ActContext, hosted: Hosted) -> Action:
    parameters = {"run_id": str(hosted.run_id), "jobs": '["lint"]'}
    return Action(
        name=Remedy.RERUN_FAILED_JOBS,
        target="r",
        parameters=parameters,
        risk=Risk.LOW,
        summary="Re-run",
        undo="nothing",
    )


def pull_request(context: ActContext, hosted: Hosted, *, proven: bool = True, text: str = TEXT) -> Action:
    tip = hosted.workspace.branch_tip(hosted.root, context.branch) or hosted.fix(context)
    return pull_request_action(context, tip=tip, title="Run ruff format", text=text, proven=proven)


def comment(context: ActContext, hosted: Hosted) -> Action:
    return comment_action(context, pull_request=hosted.pull_request, text=TEXT)


def status(context: ActContext, _hosted: Hosted) -> Action:
    return status_action(context, state=StatusState.FAILURE, description="ci.lint: badly formatted")


Make = Callable[[ActContext, Hosted], Action]
ALL = pytest.mark.parametrize("make", [rerun, pull_request, comment, status])


def untouched(hosted: Hosted) -> bool:
    return hosted.fake.writes == []


# ---- refusals: the fake saw no write
