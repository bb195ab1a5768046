"""Tells people that something waits for them: cards, the channels that carry them, and the notifier that sends them."""

from deployments.notifying.cards import read_card
from deployments.notifying.channel import Channel, Reference
from deployments.notifying.channels import open_channels
from deployments.notifying.notifier import Notifier

__all__ = ["Channel", "Notifier", "Reference", "open_channels", "read_card"]
