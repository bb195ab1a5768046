"""Slack's Web API, as much of it as cards need: messages, threads, forms, and answers to who pressed a button.

Limits of the rate are waited for here when they are short; everything else that passes by itself is a TransientError.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.webhook import WebhookClient

from tasks.domain.base import Noun
from tasks.errors import ForbiddenError, HealflowError, NotFoundError, PermanentError, TransientError
from tasks.settings import SlackSettings

Blocks: TypeAlias = Sequence[Mapping[str, Any]]
"""Block Kit: https://docs.slack.dev/reference/block-kit/blocks"""
PATIENCE_SECONDS: Final = 5
"""A longer Retry-After is handed on to the caller instead of being slept through."""
RESPONSE_HOSTS = {"slack.com": "hooks.slack.com", "slack-gov.com": "hooks.slack-gov.com"}
"""Where Slack takes answers to a press or command, for where its API stands."""
_TRANSIENT = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_TRANSIENT |= {"team_added_to_org", "accesslimited", "message_limit_exceeded"}
_FORBIDDEN = {
    "invalid_auth": "its token is wrong; set HEALFLOW_SLACK__BOT_TOKEN",
    "not_authed": "no token was sent; set HEALFLOW_SLACK__BOT_TOKEN",
    "token_revoked": "its token was revoked; install the app again and set HEALFLOW_SLACK__BOT_TOKEN",
    "token_expired": "its token has expired; install the app again and set HEALFLOW_SLACK__BOT_TOKEN",
    "account_inactive": "the app was removed from the workspace; install it again",
    "missing_scope": "the app lacks a scope; it needs chat:write and commands",
    "not_in_channel": "the app is no member of the channel; invite it there",
    "is_archived": "the channel is archived; set HEALFLOW_SLACK__CHANNEL to another",
    "restricted_action": "the workspace lets the app not write there; ask its administrators",
}
_NOT_FOUND = {
    "channel_not_found": "there is no such channel, or the app may not see it; set HEALFLOW_SLACK__CHANNEL, invite it",
    "message_not_found": "the message was deleted",
    "cant_update_message": "the message is not the app's own",
    "thread_not_found": "the thread was deleted",
    "expired_trigger_id": "the press is too old for a form; press the button again",
    "trigger_expired": "the press is too old for a form; press the button again",
    "exchanged_trigger_id": "the press opened a form before; press the button again",
    "trigger_exchanged": "the press opened a form before; press the button again",
    "used_url": "the address for answers was used up",
    "expired_url": "the address for answers has expired",
}


class Posted(Noun):
    """A message as Slack knows it."""

    channel: str
    timestamp: str


class Bot(Noun):
    """Who the token belongs to."""

    team_id: str
    user_id: str
    team: str


class SlackClient:
    """One app in one workspace. Every method raises TransientError, or PermanentError with what to do."""

    def __init__(self, settings: SlackSettings) -> None:
        if settings.bot_token is None:
            raise PermanentError("Slack is not set up: set HEALFLOW_SLACK__BOT_TOKEN")
        self._settings = settings
        self._web = WebClient(
            token=settings.bot_token.get_secret_value(),
            base_url=settings.api_url,
            timeout=settings.timeout_seconds,
            retry_handlers=[ShortRateLimits(max_retry_count=2)],
        )

    def who(self) -> Bot:
        """The app's own account, which also tells whether the token is good."""
        told = self._call("auth.test")
        return Bot(team_id=told["team_id"], user_id=told["user_id"], team=told.get("team", ""))

    def post(self, channel: str, *, blocks: Blocks, text: str, thread: str | None = None) -> Posted:
        """Write a message, or below one; `text` is what notifications and screen readers say."""
        extra = {"thread_ts": thread} if thread else {}
        told = self._call("chat.postMessage", channel=channel, blocks=blocks, text=text, **_QUIET, **extra)
        return Posted(channel=told["channel"], timestamp=told["ts"])

    def update(self, message: Posted, *, blocks: Blocks, text: str) -> None:
        """Put other blocks in a message's place."""
        self._call("chat.update", channel=message.channel, ts=message.timestamp, blocks=blocks, text=text)

    def whisper(self, channel: str, user: str, *, text: str) -> None:
        """Say something that only one person sees, and only until they reload."""
        self._call("chat.postEphemeral", channel=channel, user=user, text=text)

    def open_form(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Show a form to whoever pressed, which has to be within three seconds of the press."""
        self._call("views.open", trigger_id=trigger_id, view=view)

    def respond(self, response_url: str, *, text: str, blocks: Blocks = ()) -> None:
        """Tell whoever pressed, or gave a command, what became of it; nobody else sees it.

        Raises:
            PermanentError: the address is not Slack's, so that nothing was sent.
        """
        if not self._is_slacks(response_url):
            raise PermanentError(f"{urlsplit(response_url).netloc or response_url[:40]!r} is not Slack's address")
        document: dict[str, Any] = {"response_type": "ephemeral", "replace_original": False, "text": text}
        document |= {"blocks": list(blocks)} if blocks else {}
        hook = WebhookClient(
            response_url,
            timeout=self._settings.timeout_seconds,
            retry_handlers=[ShortRateLimits(max_retry_count=2)],
        )
        try:
            told = hook.send_dict(document)
        except (OSError, HTTPException) as error:
            raise _away(error) from error
        if told.status_code != 200:
            raise _translated(told.body.strip()[:80], told.status_code, told.headers, "the answer")

    def _is_slacks(self, url: str) -> bool:
        asked, api = urlsplit(url), urlsplit(self._settings.api_url)
        if api.hostname in RESPONSE_HOSTS:
            return asked.scheme == "https" and asked.netloc == RESPONSE_HOSTS[api.hostname]
        return (asked.scheme, asked.netloc) == (api.scheme, api.netloc)

    def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            told = self._web.api_call(method, json=arguments)
        except SlackApiError as error:
            answer = error.response
            raise _translated(str(answer.get("error")), answer.status_code, answer.headers, method) from error
        except (OSError, HTTPException, SlackClientError, json.JSONDecodeError) as error:
            raise _away(error) from error
        return told.data if isinstance(told.data, dict) else {}


class ShortRateLimits(RateLimitErrorRetryHandler):
    """Waits for a limit of the rate as Slack asks, unless that is long: then the caller decides."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        limited = super()._can_retry(state=state, request=request, response=response, error=error)
        asked = _seconds(response.headers) if limited and response is not None else None
        return limited and asked is not None and asked <= PATIENCE_SECONDS


_QUIET: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False, "parse": "none"}
"""Links in outside text open nothing, names in it notify nobody."""


def _away(error: Exception) -> TransientError:
    return TransientError(f"Slack does not answer ({type(error).__name__})")


def _translated(problem: str, status: int, headers: Mapping[str, Any], what: str) -> HealflowError:
    if status == 429 or problem in _TRANSIENT or status >= 500:
        told = "asks to wait" if status == 429 else f"has trouble ({problem[:60]})"
        return TransientError(f"Slack {told} at {what}", retry_after_seconds=_seconds(headers))
    if problem in _FORBIDDEN:
        return ForbiddenError(f"Slack refuses {what}: {_FORBIDDEN[problem]}")
    if problem in _NOT_FOUND:
        return NotFoundError(f"Slack refuses {what}: {_NOT_FOUND[problem]}")
    return PermanentError(f"Slack refuses {what}: {problem[:80] or status}")


def _seconds(headers: Mapping[str, Any]) -> float | None:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            first = value[0] if isinstance(value, list) and value else value
            return _number(first)
    return None


def _number(value: Iterable[str] | str | int) -> float | None:
    text = str(value).strip()
    return float(text) if text.isascii() and text.isdigit() else None
