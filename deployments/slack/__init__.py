"""Slack as a channel and a door: cards with buttons go out; presses, forms and commands come in and are judged."""

from deployments.slack.channel import SlackChannel
from deployments.slack.door import SlackDoor

__all__ = ["SlackChannel", "SlackDoor"]
