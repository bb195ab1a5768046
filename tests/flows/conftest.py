"""A broken repository to heal."""

import os
import sys
from pathlib import Path

import pytest

from tests.flows.healing import Healing


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Healing:
    """A small repository with a green run, ready to be broken."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return Healing.in_folder(tmp_path)
