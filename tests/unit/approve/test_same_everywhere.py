"""What a person needs in order to decide stands in every form of a question: Slack, mail, Prefect's form, the page."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from deployments.demo.slack.limits import texts_of
from deployments.gateway.page_html import Reader, card_page
from deployments.notifying.plain import card_text
from deployments.slack.blocks import card_blocks
from tasks.approve import question_markdown
from tasks.domain.card import Card, CardLink
from tasks.domain.plan import Risk
from tests.unit.approve.asking import NOW
from tests.unit.approve.telling import LINE, Told, quarantine

RUN, PULL_REQUEST = "https://prefect.example/runs/flow-run/1f2e", "https://github.example/shop/pull/7"
NEEDED = {
    "what broke": "test_total fails now and then",
    "class": "ci.test.flaky",
    "confidence": "90%",
    "quoted line": LINE,
    "place of the quoted line": "log:test:7",
    "what could not be read": "could not read log:lint: 410 Gone",
    "diff": '+@pytest.mark.skip(reason="Quarantined until 2026-01-16 for grace: flaky")',
    "undo": "undo: delete the branch",
    "risk of a step": "risk medium",
    "risk": "risk high",
    "price": "price $3.00",
    "who else is affected": "Who else is affected: Nobody while the fix stands on a branch of its own",
    "reason of the question": "a change of tests needs a person",
    "who may answer": "ada, grace",
    "run": RUN,
    "pull request": PULL_REQUEST,
}


def slack(card: Card) -> str:
    blocks = [block for block in card_blocks(card) if block["type"] != "actions"]
    urls = re.findall(r'"url": "([^"]+)"', json.dumps(blocks))
    return unescape("\n".join([*texts_of(blocks), *urls]))


def page(card: Card) -> str:
    html = card_page(card, Reader(name="grace", vouched_by="", seal="s"), now=NOW)
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r'<a href="([^"]+)"[^>]*>', r" \1 ", html)))


def bare(text: str) -> str:
    """Without what differs between the forms: case, markup, escapes, colons and the breaks of lines."""
    return " ".join(re.sub(r"[*`:]", " ", text.casefold().replace("\\", "")).split())


@pytest.mark.parametrize("shown", [slack, card_text, question_markdown, page])
def test_all_that_is_needed_to_decide_stands_there(tmp_path: Path, shown: Callable[[Card], str]) -> None:
    told = Told(tmp_path, actions=(quarantine(cost_usd=1.5),) * 2, approvers=["ada", "grace"])
    links = (CardLink(label="Prefect run", url=RUN), CardLink(label="Pull request", url=PULL_REQUEST))
    text = bare(shown(told.card().model_copy(update={"links": links, "risk": Risk.HIGH})))
    assert [name for name, part in NEEDED.items() if bare(part) not in text] == []
