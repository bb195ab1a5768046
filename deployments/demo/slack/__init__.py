"""A Slack workspace on loopback that signs, limits, expires and refuses as Slack does, for the demo and the tests."""

from deployments.demo.slack.server import SlackServer
from deployments.demo.slack.workspace import BOT_TOKEN, CHANNEL, SIGNING_SECRET, Workspace

__all__ = ["BOT_TOKEN", "CHANNEL", "SIGNING_SECRET", "SlackServer", "Workspace"]
