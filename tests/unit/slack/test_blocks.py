"""The card in Block Kit: outside text is no markup and no secret, and every card fits Slack's limits."""

import json
from pathlib import Path

import pytest

from deployments.demo.slack.limits import Refused, check_blocks, check_view, texts_of
from deployments.slack.blocks import card_blocks, card_text
from deployments.slack.forms import edit_form, reject_form
from deployments.slack.pressing import Press, ticket_of
from deployments.slack.text import escaped, plain
from tasks.domain.approval import Answer
from tasks.domain.card import Card, CardLink, CardState
from tasks.domain.evidence import EvidenceLine
from tasks.domain.plan import Risk
from tasks.domain.story import TimelineEntry
from tests.unit.approve.asking import NOW
from tests.unit.approve.telling import DIFF, Told, quarantine

HUGE = "".join(f"+line {number} <!channel> & *bold* `code`\n" for number in range(5_000))
TOKEN = "ghp_" + "a" * 36


def buttons(card: Card) -> list[str]:
    rows = [block["elements"] for block in card_blocks(card) if block["type"] == "actions"]
    return [button["action_id"] for row in rows for button in row]


def huge(card: Card) -> Card:
    """The same card with more of everything than anybody wants to read."""
    step = card.steps[0].model_copy(update={"preview": HUGE, "summary": "s" * 9_000, "undo": "u" * 9_000})
    return card.model_copy(
        update={
            "title": "t" * 9_000,
            "what_broke": "w" * 9_000,
            "place": "p" * 9_000,
            "quotes": tuple(EvidenceLine(id=f"E{n}", source="s" * 500, text="q" * 2_000) for n in range(90)),
            "unread": ("x" * 9_000,) * 40,
            "steps": (step,) * 30,
            "affected": ("a" * 9_000,) * 9,
            "asked_because": "b" * 9_000,
            "links": tuple(CardLink(label="l" * 200, url="https://example.com/" + "u" * 200) for _ in range(6)),
            "said_yes": ("n" * 90,) * 4,
            "outcome": "o" * 9_000,
            "progress": (TimelineEntry(at=NOW, what="z" * 9_000),) * 90,
            "terms": card.terms.model_copy(update={"approvers": ("<!channel>" * 20,) * 60}),
        }
    )


@pytest.mark.parametrize("state", list(CardState))
def test_every_card_fits_the_limits_of_slack(tmp_path: Path, state: CardState) -> None:
    told = Told(tmp_path)
    told.say(Answer.APPROVE, reason="r" * 1_000)
    for card in (told.card(), huge(told.card())):
        shown = card_blocks(card.model_copy(update={"state": state}))
        check_blocks(shown)
        assert len(json.dumps(shown, ensure_ascii=False)) <= 12_000
        assert len(card_text(card)) <= 600


def test_long_diff_is_cut_and_says_where_the_rest_is(tmp_path: Path) -> None:
    card = huge(Told(tmp_path).card())
    shown = "\n".join(texts_of(card_blocks(card)))
    assert f"more lines: healflow show {card.incident_id}" in shown
    assert f"and 28 more steps: healflow show {card.incident_id}" in shown
    assert shown.count("+line") < 240


def test_short_diff_is_shown_whole_and_nothing_is_said_to_be_missing(tmp_path: Path) -> None:
    shown = "\n".join(texts_of(card_blocks(Told(tmp_path).card())))
    assert DIFF.strip() in shown
    assert "more lines" not in shown


def test_outside_text_in_markup_notifies_nobody_and_links_nowhere() -> None:
    for hostile in ("<!channel>", "<@U0ADA>", "<https://evil.example|here>", "@here", "*bold*", "`code`", ":bomb:"):
        sent = escaped(f"a {hostile} b")
        assert "<" not in sent
        assert ">" not in sent
        assert hostile not in sent
    assert escaped("1 < 2 && 3 > 2") == "1 &lt; 2 &amp;&amp; 3 &gt; 2"


def test_escaping_never_makes_text_longer_than_slack_takes() -> None:
    sent = escaped("<" * 5_000, 100)
    assert len(sent) <= 100
    assert sent.endswith("…")


def test_every_mrkdwn_of_a_card_is_free_of_outside_markup(tmp_path: Path) -> None:
    card = huge(Told(tmp_path).card()).model_copy(update={"asked_because": "<!here> ok", "price": "<!channel>"})

    def mrkdwn_of(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [str(value["text"])] if value.get("type") == "mrkdwn" else []
            return own + [text for inner in value.values() for text in mrkdwn_of(inner)]
        return [text for inner in value for text in mrkdwn_of(inner)] if isinstance(value, list) else []

    texts = mrkdwn_of(card_blocks(card))
    assert texts
    assert not [text for text in texts if "<!channel>" in text or "<!here>" in text]


def test_secrets_do_not_leave_in_a_card(tmp_path: Path) -> None:
    preview = f"+token: {TOKEN}\n"
    card = Told(tmp_path, actions=(quarantine(preview=preview, summary=f"Use {TOKEN}"),)).card()
    assert TOKEN not in json.dumps(card_blocks(card))
    assert TOKEN not in card_text(card)


def test_text_that_turns_its_direction_is_shown_as_strange() -> None:
    assert (
        plain("a\u202eb\u2066c\x00d")
        == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d"
    )


def test_card_that_takes_no_answer_has_no_buttons(tmp_path: Path) -> None:
    card = Told(tmp_path).card()
    for state in CardState:
        assert bool(buttons(card.model_copy(update={"state": state}))) == state.open


def test_buttons_are_those_that_make_sense(tmp_path: Path) -> None:
    card = Told(tmp_path).card()
    assert buttons(card) == list(Press)
    assert Press.APPROVE_AND_MERGE not in buttons(card.model_copy(update={"can_merge": False}))
    plain_step = card.steps[0].model_copy(update={"editable": {}})
    assert Press.EDIT not in buttons(card.model_copy(update={"steps": (plain_step,)}))


def test_high_risk_is_asked_about_once_more(tmp_path: Path) -> None:
    card = Told(tmp_path).card()
    assert "confirm" not in json.dumps(card_blocks(card)[-2]["elements"][0])
    risky = card.model_copy(update={"risk": Risk.HIGH})
    assert card_blocks(risky)[-2]["elements"][0]["confirm"]["title"]["text"] == "High risk"


def test_single_step_says_nothing_twice_and_several_say_which_is_which(tmp_path: Path) -> None:
    card = Told(tmp_path).card()
    (step,) = card.steps
    two = card.model_copy(update={"steps": (step, step.model_copy(update={"number": 2}))})
    named = [json.dumps(edit_form(ticket_of(card), one)["blocks"]) for one in (card, two)]
    assert [f"(step 1: {step.summary}" in text for text in named] == [False, True]
    told = [json.dumps(card_blocks(one), ensure_ascii=False) for one in (card, two)]
    assert [f"risk {step.risk} · undo: " in text for text in told] == [False, True]
    assert "Undo: " in told[0]
    assert f"*Risk*\\n{step.risk}" in told[0]


def test_forms_fit_the_limits_of_slack(tmp_path: Path) -> None:
    card = Told(tmp_path).card()
    step = card.steps[0].model_copy(
        update={"editable": {f"1.{n}": "v" * 400 for n in range(200)}, "summary": "s" * 900}
    )
    ticket = ticket_of(card)
    check_view(reject_form(ticket))
    check_view(edit_form(ticket, card))
    check_view(edit_form(ticket, card.model_copy(update={"steps": (step,)})))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}},
        {"type": "rich_text", "elements": []},
        {"type": "actions", "elements": []},
        {"type": "poem"},
    ],
)
def test_limits_refuse_what_slack_refuses(block: dict[str, object]) -> None:
    with pytest.raises(Refused, match="invalid_blocks"):
        check_blocks([block])
    with pytest.raises(Refused, match="invalid_blocks"):
        check_blocks([{"type": "divider"}] * 51)
