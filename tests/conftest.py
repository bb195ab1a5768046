"""What all tests share: an environment of their own, so that nobody's settings or git configuration leak in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own, no settings of the caller, and a git that knows nobody."""
    for name in [name for name in os.environ if name.startswith(("HEALFLOW_", "GIT_"))]:
        if name != "HEALFLOW_SHARED_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HEALFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    yield
