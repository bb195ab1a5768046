"""The bounds of sizes reach a child process as they were set."""

import pytest

from tasks.settings import KubernetesSettings, Settings, handed_on


def test_bounds_are_handed_on_to_a_child_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__BOUNDS__MAX_REPLICAS", "3")
    told = handed_on(Settings())["HEALFLOW_KUBERNETES__BOUNDS"]
    monkeypatch.delenv("HEALFLOW_KUBERNETES__BOUNDS__MAX_REPLICAS")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__BOUNDS", told)
    assert Settings().kubernetes.bounds.max_replicas == 3


def test_factor_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="less than or equal to 4"):
        KubernetesSettings.model_validate({"bounds": {"max_factor": 100}})
