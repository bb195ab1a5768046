"""One set of words: every channel says of a card's state what every other says of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.gateway.page_html import Reader, card_page
from deployments.notifying.plain import decision_text
from deployments.slack.blocks import card_blocks
from tasks.approve import WORDINGS, place_of, who_may_answer
from tasks.domain.approval import ApprovalChannel, ApprovalTerms
from tasks.domain.card import CardAnswer, CardState
from tests.unit.approve.telling import Told


def test_every_state_has_words() -> None:
    assert set(WORDINGS) == set(CardState)


@pytest.mark.parametrize("state", CardState)
def test_every_channel_says_the_same_of_a_state(tmp_path: Path, state: CardState) -> None:
    until = datetime(2026, 1, 2, 0, 30, tzinfo=UTC)
    card = Told(tmp_path).card().model_copy(update={"state": state, "snoozed_until": until})
    page = card_page(card, Reader(name="ada", vouched_by="", seal="s"), now=until)
    slack, mail = json.dumps(card_blocks(card), ensure_ascii=False), decision_text(card)
    wording = WORDINGS[state]
    for shown in (page, slack, mail):
        assert wording.heading in shown
    for shown in (slack, mail) if state.open else (page, slack, mail):
        assert wording.meaning in shown


@pytest.mark.parametrize("channel", ApprovalChannel)
def test_every_channel_has_a_name_and_a_typed_one_is_said_to_be(channel: ApprovalChannel) -> None:
    said = CardAnswer(by="ada", at=datetime(2026, 1, 2, tzinfo=UTC), channel=channel, verified=False)
    assert place_of(said).endswith("typed name that nobody vouches for")
    assert "nobody" not in place_of(said.model_copy(update={"verified": True}))


def test_terms_name_everything_that_keeps_somebody_from_approving() -> None:
    strict = ApprovalTerms(
        approvers=("ada", "grace"),
        people_needed=2,
        author_may_approve=False,
        typed_name_counts=False,
        link_counts=False,
    )
    assert who_may_answer(strict, ("ada",)) == (
        "ada, grace; 2 different people have to say yes; not an author of the change; a typed name does not count; "
        "a yes through a link does not count; said yes so far: ada"
    )
    assert who_may_answer(ApprovalTerms(), anybody="anybody here") == "anybody here"
