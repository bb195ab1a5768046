"""Tells people that something waits for them: cards, and the channels that carry them."""

from deployments.notifying.cards import read_card
from deployments.notifying.channel import Channel, Reference

__all__ = ["Channel", "Reference", "read_card"]
