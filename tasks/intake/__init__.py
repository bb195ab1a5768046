"""Turns a webhook payload into Signals, the first word of the story; pure parsing, no I/O and no clock."""

from tasks.intake.alertmanager import parse_alertmanager
from tasks.intake.delivery import as_delivery, read_delivery
from tasks.intake.events import EVENT_WINDOW_SECONDS, EventPayload, check_event_signature, parse_event
from tasks.intake.github import parse_github
from tasks.intake.grouping import cause_keys, choose_incident, group_keys
from tasks.intake.prefect import parse_prefect
from tasks.intake.slack import (
    check_slack_signature,
    parse_slack_command,
    parse_slack_command_form,
    parse_slack_form,
    parse_slack_interaction,
)
from tasks.intake.verify import MAX_FUTURE_SKEW_SECONDS, SIGNATURE_HEADER, check_age, check_bearer, check_signature

__all__ = [
    "EVENT_WINDOW_SECONDS",
    "MAX_FUTURE_SKEW_SECONDS",
    "SIGNATURE_HEADER",
    "EventPayload",
    "as_delivery",
    "cause_keys",
    "check_age",
    "check_bearer",
    "check_event_signature",
    "check_signature",
    "check_slack_signature",
    "choose_incident",
    "group_keys",
    "parse_alertmanager",
    "parse_event",
    "parse_github",
    "parse_prefect",
    "parse_slack_command",
    "parse_slack_command_form",
    "parse_slack_form",
    "parse_slack_interaction",
    "read_delivery",
]
