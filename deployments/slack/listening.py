"""Listens over Socket Mode for as long as the gateway runs: the same door as over HTTP, reached another way."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from deployments.slack.door import Reply, SlackDoor
from tasks.clients.slack_socket import SlackSocket
from tasks.domain.incident import Ignored
from tasks.errors import BadInputError, HealflowError
from tasks.intake import parse_slack_command, parse_slack_interaction
from tasks.settings import SlackSettings

log = logging.getLogger("healflow.slack")
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 2.0, 60.0


async def listen(settings: SlackSettings, door: SlackDoor, stop: asyncio.Event) -> None:
    """Open the socket, however long Slack does not answer, and close it when `stop` is set."""
    socket = socket_of(settings, door)
    wait = FIRST_WAIT_SECONDS
    try:
        while not stop.is_set():
            try:
                await asyncio.to_thread(socket.open)
            except HealflowError as error:
                log.warning("No answers come from Slack: %s. Tried again in %.0f s.", error, wait)
            else:
                log.info("Answers from Slack come over Socket Mode")
                await stop.wait()
            await _until(stop, wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
    finally:
        await asyncio.to_thread(socket.close)


def socket_of(settings: SlackSettings, door: SlackDoor) -> SlackSocket:
    """A socket whose envelopes go through the door; it is not connected yet."""

    def handle(kind: str, payload: Mapping[str, Any]) -> tuple[Mapping[str, Any], Callable[[], None]]:
        reply = _take(door, kind, payload)
        return reply.body, reply.after

    return SlackSocket(settings, handle)


def _take(door: SlackDoor, kind: str, payload: Mapping[str, Any]) -> Reply:
    """Whatever arrives is answered, or Slack would send it again."""
    try:
        if kind == "slash_commands":
            return door.take(parse_slack_command(payload))
        given = parse_slack_interaction(payload) if kind == "interactive" else None
    except BadInputError as error:
        log.warning("Slack sent what cannot be read: %s", error)
        return Reply()
    return Reply() if given is None or isinstance(given, Ignored) else door.take(given)


async def _until(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
