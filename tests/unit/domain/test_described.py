"""What git describes beside what the cluster has: defaults are no difference, and what is withheld is none either."""

from typing import Any

import pytest

from tasks.domain.described import differences


def told(described: Any, there: Any) -> list[str]:
    return [one.path for one in differences(described, there)]


@pytest.mark.parametrize(
    ("described", "there"),
    [
        ({"a": 1}, {"a": 1, "default": True}),
        ({"resources": {"cpu": 0.1}}, {"resources": {"cpu": "100m"}}),
        ({"resources": {"memory": "1Gi"}}, {"resources": {"memory": "1024Mi"}}),
        ({"rows": [{"name": "x", "v": 1}]}, {"rows": [{"name": "x", "v": 1, "d": 2}]}),
        ({"env": [{"name": "P", "value": "s3cret"}]}, {"env": [{"name": "P", "value": "[REDACTED]"}]}),
        ({"labels": {}}, {}),
        ({"args": ["a", "--token=x"]}, {"args": ["a", "--token=[REDACTED]"]}),
    ],
)
def test_same_is_same(described: Any, there: Any) -> None:
    assert told(described, there) == []


@pytest.mark.parametrize(
    ("described", "there", "paths"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": 1}, {}, ["a"]),
        ({"rows": [{"name": "x", "v": 1}]}, {"rows": [{"name": "x", "v": 2}]}, ["rows[x].v"]),
        ({"rows": [{"name": "x"}]}, {"rows": [{"name": "y"}]}, ["rows[x]", "rows[y]"]),
        ({"args": ["a"]}, {"args": ["a", "b"]}, ["args"]),
        ({"ports": [{"port": 1}]}, {"ports": [{"port": 2}]}, ["ports[0].port"]),
        ({"env": [{"name": "P", "value": "1"}]}, {"env": [{"name": "P", "value": "1.0"}]}, ["env[P].value"]),
        ({"on": True}, {"on": 1.5}, ["on"]),
    ],
)
def test_what_differs_is_named(described: Any, there: Any, paths: list[str]) -> None:
    assert told(described, there) == paths
