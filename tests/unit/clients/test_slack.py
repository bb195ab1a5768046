"""Slack's client: what passes by itself is told apart from what a person has to change."""

from collections.abc import Iterator

import pytest

from deployments.demo.slack import CHANNEL, SlackServer
from deployments.slack.text import rich, sentence, words
from tasks.clients.slack import Posted, SlackClient
from tasks.errors import ForbiddenError, NotFoundError, PermanentError, TransientError
from tasks.settings import SlackSettings

BLOCKS = [rich(sentence(words("hello")))]


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def client(server: SlackServer) -> SlackClient:
    return SlackClient(server.settings())


def test_without_a_token_it_says_what_to_set() -> None:
    with pytest.raises(PermanentError, match="HEALFLOW_SLACK__BOT_TOKEN"):
        SlackClient(SlackSettings())


def test_outage_is_transient_and_posts_nothing(server: SlackServer, client: SlackClient) -> None:
    server.workspace.outage = True
    with pytest.raises(TransientError, match="has trouble"):
        client.post(CHANNEL, blocks=BLOCKS, text="hello")
    assert server.workspace.messages == {}


def test_server_that_is_not_there_is_transient() -> None:
    settings = SlackSettings.model_validate({"bot_token": "xoxb-x", "api_url": "http://127.0.0.1:9/api/"})
    with pytest.raises(TransientError, match="does not answer"):
        SlackClient(settings).who()


def test_short_limit_of_the_rate_is_waited_for(server: SlackServer, client: SlackClient) -> None:
    server.workspace.rate_limited = [0]
    assert client.post(CHANNEL, blocks=BLOCKS, text="hello").channel == CHANNEL
    assert server.workspace.calls == ["chat.postMessage"] * 2


def test_long_limit_of_the_rate_is_handed_on_with_its_time(server: SlackServer, client: SlackClient) -> None:
    server.workspace.rate_limited = [30]
    with pytest.raises(TransientError) as caught:
        client.post(CHANNEL, blocks=BLOCKS, text="hello")
    assert caught.value.retry_after_seconds == 30.0
    assert server.workspace.messages == {}


def test_limit_of_the_rate_for_answers_is_waited_for_when_it_is_short(server: SlackServer, client: SlackClient) -> None:
    url = f"{server.url}/response/{server.workspace.response('U0ADA')}"
    server.workspace.rate_limited = [0]
    client.respond(url, text="hello")
    assert [whisper.text for whisper in server.workspace.whispers] == ["hello"]
    server.workspace.rate_limited = [30]
    with pytest.raises(TransientError) as caught:
        client.respond(url, text="again")
    assert caught.value.retry_after_seconds == 30.0
    assert len(server.workspace.whispers) == 1


def test_wrong_token_is_for_a_person(server: SlackServer) -> None:
    with pytest.raises(ForbiddenError, match="HEALFLOW_SLACK__BOT_TOKEN"):
        SlackClient(server.settings(bot_token="xoxb-other")).who()


def test_missing_channel_and_message_are_for_a_person(client: SlackClient) -> None:
    with pytest.raises(NotFoundError, match="HEALFLOW_SLACK__CHANNEL"):
        client.post("C0OTHER", blocks=BLOCKS, text="hello")
    with pytest.raises(NotFoundError, match="deleted"):
        client.update(Posted(channel=CHANNEL, timestamp="1.1"), blocks=BLOCKS, text="hello")


def test_blocks_that_slack_refuses_are_for_a_person(client: SlackClient) -> None:
    with pytest.raises(PermanentError, match="invalid_blocks"):
        client.post(CHANNEL, blocks=[{"type": "poem"}], text="hello")


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://169.254.169.254/", "file:///etc/passwd", "https://hooks.slack.com@evil/", ""],
)
def test_answer_goes_to_no_address_but_slacks(client: SlackClient, url: str) -> None:
    with pytest.raises(PermanentError, match="not Slack's address"):
        client.respond(url, text="hello")


def test_answer_to_real_slack_goes_to_its_hooks_alone() -> None:
    client = SlackClient(SlackSettings.model_validate({"bot_token": "xoxb-x"}))
    for url in (
        "http://hooks.slack.com/actions/T/1/x",
        "https://slack.com/actions/T/1/x",
        "https://hooks.slack.com.evil/",
    ):
        with pytest.raises(PermanentError, match="not Slack's address"):
            client.respond(url, text="hello")


def test_used_up_address_for_answers_is_said(server: SlackServer, client: SlackClient) -> None:
    url = f"{server.url}/response/{server.workspace.response('U0ADA')}"
    for _ in range(5):
        client.respond(url, text="hello")
    with pytest.raises(NotFoundError, match="used up"):
        client.respond(url, text="hello")


def test_thread_stands_below_its_card(server: SlackServer, client: SlackClient) -> None:
    card = client.post(CHANNEL, blocks=BLOCKS, text="a card")
    client.post(CHANNEL, blocks=BLOCKS, text="goes on", thread=card.timestamp)
    assert server.workspace.thread(card.timestamp) == ["goes on"]
    assert len(server.workspace.cards) == 1
