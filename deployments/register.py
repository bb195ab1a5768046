"""Registers with Prefect what kicks off the heal flow: a Webhook block, and the three automations that call it.

`healflow up` does it at every start; for another server: `python -m deployments.register GATEWAY_URL`. Doing it again
changes what is there and doubles nothing. The block holds the event token, which every client of Prefect's API can
read: keep that API to yourself.
"""

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deployments.home import Home
from tasks.intake.prefect import FAILED_STATES, HEAL_FLOW, SUSPENDED, WATCHED_FLOWS
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import AutomationCore

BLOCK = "healflow-gateway"
HEALS_FAILURES = "healflow: heal what failed"
"""The automation that somebody switches off who wants no failed run of Prefect healed."""


@dataclass(frozen=True)
class Watch:
    """One automation: these flows came into one of these states, so the gateway is called."""

    name: str
    description: str
    flows: tuple[str, ...]
    states: tuple[str, ...]


WATCHES = (
    Watch(
        name=HEALS_FAILURES,
        description="A provision, deploy, pipeline or teardown run that failed is handed to the gateway.",
        flows=tuple(WATCHED_FLOWS),
        states=FAILED_STATES,
    ),
    Watch(
        name="healflow: send the card of a question",
        description="A heal run was suspended: the people who can answer are told.",
        flows=(HEAL_FLOW,),
        states=(SUSPENDED,),
    ),
    Watch(
        name="healflow: close what nobody answered",
        description="A heal run ended from outside, as when its suspension expired: silence is recorded as no.",
        flows=(HEAL_FLOW,),
        states=FAILED_STATES,
    ),
)
"""Heal's own runs are only ever looked at: the gateway makes no incident of them."""
TEMPLATE = json.dumps(
    {
        "event_id": "{{ event.id }}",
        "occurred": "{{ event.occurred.isoformat() }}",
        "flow": "{{ flow.name }}",
        "flow_run": "{{ flow_run.name }}",
        "flow_run_id": "{{ flow_run.id }}",
        "state": "{{ flow_run.state.name }}",
    }
)
"""The body of the call; names come from Prefect, and what a run printed is never in it."""


def register(gateway_url: str, token: str) -> None:
    """Make or renew the block and the automations on the server that PREFECT_API_URL names."""
    from prefect import get_client
    from prefect.blocks.webhook import Webhook
    from prefect.events.actions import CallWebhook
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
    from pydantic import SecretStr

    block = Webhook(
        method="POST",
        url=SecretStr(f"{gateway_url}/webhooks/prefect"),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        allow_private_urls=True,
    )
    call = CallWebhook(block_document_id=block.save(BLOCK, overwrite=True), payload=TEMPLATE)
    with get_client(sync_client=True) as client:
        for watch in WATCHES:
            trigger = EventTrigger(
                expect={f"prefect.flow-run.{state}" for state in watch.states},
                match_related={"prefect.resource.role": "flow", "prefect.resource.name": list(watch.flows)},
                posture=Posture.Reactive,
                threshold=1,
            )
            wanted = AutomationCore(name=watch.name, description=watch.description, trigger=trigger, actions=[call])
            _upsert(client, wanted)


def _upsert(client: "SyncPrefectClient", wanted: "AutomationCore") -> None:
    """One automation of that name, as it should be; one that somebody switched off stays off."""
    known = client.read_automations_by_name(wanted.name)
    if not known:
        client.create_automation(wanted)
        return
    first, *doubled = known
    client.update_automation(first.id, wanted.model_copy(update={"enabled": first.enabled}))
    for extra in doubled:
        client.delete_automation(extra.id)


USAGE = "usage: python -m deployments.register GATEWAY_URL, as http://127.0.0.1:4210 or https://heal.example.com\n"


def main() -> int:
    """Register for the gateway named on the command line; 2 where that is no address, or no server is named."""
    asked = sys.argv[1:]
    if asked in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if len(asked) != 1 or not _is_address(asked[0]):
        sys.stderr.write(USAGE)
        return 2
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        sys.stderr.write("PREFECT_API_URL names no Prefect server to register with\n")
        return 2
    gateway_url = asked[0].rstrip("/")
    register(gateway_url, Home(Settings()).event_tokens()[0])
    names = ", ".join(watch.name for watch in WATCHES)
    sys.stdout.write(f"{PREFECT_API_URL.value()} calls {gateway_url}/webhooks/prefect by the automations {names}\n")
    return 0


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


if __name__ == "__main__":
    sys.exit(main())
