"""Slack's Socket Mode: what people do comes over a socket that we open, so that no address has to be reachable.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from socket import SHUT_RDWR
from typing import Any, TypeAlias

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from tasks.errors import ForbiddenError, PermanentError, TransientError
from tasks.settings import SlackSettings

log = logging.getLogger("healflow.slack")
Handle: TypeAlias = Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Any], Callable[[], None]]]
"""Takes the kind of an envelope (`interactive`, `slash_commands`) and its payload; gives what Slack is answered, within
three seconds, and what is done after that."""
_WRONG_TOKEN = {"invalid_auth", "not_authed", "not_allowed_token_type", "token_revoked", "account_inactive"}


class SlackSocket:
    """One socket, which opens itself again when it is lost once it was open."""

    def __init__(self, settings: SlackSettings, handle: Handle) -> None:
        if settings.app_token is None:
            raise PermanentError("Socket Mode is not set up: set HEALFLOW_SLACK__APP_TOKEN")
        self._handle = handle
        self._client = SocketModeClient(
            app_token=settings.app_token.get_secret_value(),
            web_client=WebClient(base_url=settings.api_url, timeout=settings.timeout_seconds),
            logger=logging.getLogger("healflow.slack.socket"),
        )
        self._client.socket_mode_request_listeners.append(self._take)

    def open(self) -> None:
        """Connect for the first time; from then on it is kept open.

        Raises:
            TransientError: Slack does not answer.
            ForbiddenError: the token is wrong.
        """
        try:
            self._client.connect()
        except SlackApiError as error:
            if error.response.get("error") in _WRONG_TOKEN:
                told = "Slack refuses the socket: set HEALFLOW_SLACK__APP_TOKEN to an app-level token (xapp-…)"
                raise ForbiddenError(f"{told} with the scope connections:write") from error
            raise TransientError(f"Slack opens no socket ({error.response.status_code})") from error
        except (OSError, HTTPException, SlackClientError) as error:
            raise TransientError(f"Slack opens no socket ({type(error).__name__})") from error

    def close(self) -> None:
        """Close it for good; what is being done is finished first."""
        self._client.auto_reconnect_enabled = False
        session = self._client.current_session
        if session is not None and session.sock is not None:
            with suppress(OSError):
                session.sock.shutdown(SHUT_RDWR)  # wakes the reader, which would wait out its three seconds
        self._client.close()

    def _take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        body, after = self._handle(request.type, request.payload)
        answer = SocketModeResponse(envelope_id=request.envelope_id, payload=dict(body) if body else None)
        client.send_socket_mode_response(answer)
        after()
