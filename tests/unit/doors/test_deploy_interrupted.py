"""A deploy that is interrupted ends with 130 and says what is left of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployments.cli.deploy import deploy
from flows.release import Steps
from tasks.domain.rollout import Preview, ReleaseOrder, Smoke
from tasks.settings import Settings

PRICES = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices", "namespace": "shop"}}


class Place:
    """A cluster at which somebody presses Ctrl-C at one step."""

    def __init__(self, at: str) -> None:
        self._at, self.done = at, list[str]()

    def steps(self, _settings: Settings, tell: Callable[[str], None]) -> Steps:
        def step(name: str, result: Any, said: str = "") -> Callable[..., Any]:
            def take(*_arguments: Any) -> Any:
                tell(said)
                if name == self._at:
                    raise KeyboardInterrupt
                self.done.append(name)
                return result

            return take

        return Steps(
            render=step("render", (PRICES,)),
            preview=step("preview", Preview()),
            apply=step("apply", None, "applying ConfigMap/shop/prices (1 of 1)"),
            watch=step("watch", ()),
            smoke=step("smoke", Smoke()),
            suspects=step("suspects", ()),
            record=step("record", ()),
        )


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("render", "nothing was applied"),
        ("preview", "nothing was applied"),
        ("apply", "it stopped while applying ConfigMap/shop/prices (1 of 1)"),
        ("watch", "all of it is applied and comes out in the cluster by itself"),
        ("smoke", "all of it is applied and its workloads serve; it was not smoke tested"),
    ],
)
def test_interrupted_deploy_says_what_is_left_and_verifies_nothing(
    at: str, said: str, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(at)
    monkeypatch.setattr("deployments.cli.deploy.plain_steps", place.steps)
    order = ReleaseOrder(folder=str(Path("/srv/shop")), namespace="shop")
    assert deploy(Settings(), order, yes=False, wait_seconds=0, as_json=as_json) == 130
    shown = capsys.readouterr()
    assert f"interrupted: {said}" in " ".join(shown.err.split())
    assert "verified:" not in shown.out
    assert "record" not in place.done
