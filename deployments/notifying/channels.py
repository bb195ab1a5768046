"""The channels that are set up, in the order in which they are tried."""

from deployments.notifying.channel import Channel
from deployments.notifying.logging_channel import LogChannel
from deployments.notifying.mailing import MailChannel
from tasks.settings import Settings


def open_channels(settings: Settings, *, link_key: bytes, gateway_url: str) -> tuple[Channel, ...]:
    """Those of HEALFLOW_APPROVALS__CHANNELS that have what they need; when none has, the log."""
    channels: list[Channel] = []
    for name in dict.fromkeys(settings.approvals.channels):
        if name == "slack" and settings.slack.bot_token is not None and settings.slack.channel is not None:
            from deployments.slack.channel import SlackChannel

            channels.append(SlackChannel(settings.slack))
        elif name == "email" and settings.mail.host and settings.mail.sender:
            channels.append(MailChannel(settings, link_key=link_key, gateway_url=gateway_url))
        elif name == "log":
            channels.append(LogChannel())
    return tuple(channels) or (LogChannel(),)
