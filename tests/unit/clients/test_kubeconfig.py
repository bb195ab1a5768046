"""A kubeconfig that cannot be used is named, with what is wrong with it."""

from pathlib import Path

import pytest

from tasks.clients.kubernetes.cluster import Cluster
from tasks.errors import PermanentError
from tasks.settings import KubernetesSettings


@pytest.mark.parametrize(
    ("text", "why"),
    [("clusters: [", "it is no YAML"), ("just: words", "cannot be used"), (None, "cannot be used")],
)
def test_kubeconfig_that_is_none_is_named(tmp_path: Path, text: str | None, why: str) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PermanentError, match=why) as told:
        Cluster.from_settings(KubernetesSettings(kubeconfig=path))
    assert str(path) in str(told.value)
