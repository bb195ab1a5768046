"""The people of the settings: one person is one vote, however often somebody writes them down."""

import pytest
from pydantic import ValidationError

from tasks.settings import ApprovalSettings


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({"name": "Ada"}, "name ada"),
        ({"name": "\uff21DA "}, "name ada"),
        ({"name": "countess", "github": "ADA-L"}, "github ada-l"),
        ({"name": "countess", "slack": "u0ada"}, "slack u0ada"),
        ({"name": "countess", "local": "ada"}, "local ada"),
    ],
)
def test_person_who_stands_there_twice_is_refused(other: dict[str, str], shared: str) -> None:
    ada = {"name": "ada", "slack": "U0ADA", "github": "ada-l", "local": "ada"}
    with pytest.raises(ValidationError, match=f"two people share {shared}"):
        ApprovalSettings.model_validate({"people": [ada, other]})


def test_people_with_names_of_their_own_are_taken() -> None:
    people = [{"name": "ada", "local": "ada"}, {"name": "grace", "local": "Ada"}, {"name": "linus"}]
    assert len(ApprovalSettings.model_validate({"people": people}).people) == 3
