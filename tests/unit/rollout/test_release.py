"""The story of a release with steps that remember what they were asked to do: what is not applied comes first."""

from pathlib import Path

import pytest

from flows.release import decide_release
from tasks.domain.plan import Verdict
from tasks.errors import PermanentError
from tasks.settings import Settings

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices", "namespace": "shop"}}
OWN_POLICY = """package healflow
default decision := {"verdict": "deny", "reason": "not on Fridays", "rules": ["friday"]}
"""


def test_objects_are_decided_by_the_operators_own_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.rego").write_text(OWN_POLICY)
    monkeypatch.setenv("HEALFLOW_OBJECT_POLICY_DIR", str(tmp_path))
    (decision,) = decide_release(Settings(), (CONFIG,))
    assert (decision.verdict, decision.reason) == (Verdict.DENY, "not on Fridays")


def test_folder_without_a_policy_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALFLOW_OBJECT_POLICY_DIR", str(tmp_path / "none"))
    with pytest.raises(PermanentError, match="HEALFLOW_OBJECT_POLICY_DIR"):
        decide_release(Settings(), (CONFIG,))
