"""The matrix: GitHub's order, names, include and exclude."""

import pytest

from tasks.clients.pipeline.matrix import display_name, expand
from tasks.clients.pipeline.values import ExpressionError, Value


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("x", "has to be lists of values"),
        ({"a": []}, "has to be a list with values"),
        ({"a": "b"}, "has to be a list with values"),
        ({}, "has 0 combinations"),
        ({"a": [1], "exclude": [{"a": 1}]}, "has 0 combinations"),
        ({"a": list(range(300))}, "has 300 combinations"),
        ({"a": list(range(200)), "b": list(range(200)), "c": list(range(200))}, "more than 256"),
        ({"a": [1], "include": ["x"]}, "have to be names with values"),
        ({"a": [1], "include": "x"}, "has to be a list"),
    ],
)
def test_matrix_that_cannot_run_is_an_error(matrix: Value, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        expand(matrix)


def test_product_keeps_the_written_order() -> None:
    legs = expand({"os": ["l", "m"], "py": [1, 2]})
    assert [tuple(leg.values()) for leg in legs] == [("l", 1), ("l", 2), ("m", 1), ("m", 2)]


def test_exclude_takes_out_what_matches_partly() -> None:
    assert expand({"os": ["l", "m"], "py": [1, 2], "exclude": [{"os": "m"}, {"py": 2, "os": "l"}]}) == (
        {"os": "l", "py": 1},
    )


def test_include_follows_the_example_of_githubs_documentation() -> None:
    legs = expand(
        {
            "fruit": ["apple", "pear"],
            "animal": ["cat", "dog"],
            "include": [
                {"color": "green"},
                {"color": "pink", "animal": "cat"},
                {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
            ],
        }
    )
    assert legs == (
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    )


def test_name_shows_the_values() -> None:
    assert (
        display_name("test", {"py": 3.1, "os": {"name": "l", "arch": ["x", "y"]}, "no": None}) == "test (3.1, l, x, y)"
    )
    assert display_name("test", {}) == "test"
