"""Registers with Prefect what kicks off the heal flow: a Webhook block, and the automations that call it.

`healflow up` does it at every start; for another server: `python -m deployments.register GATEWAY_URL`. Doing it again
changes what is there and doubles nothing. The block holds the event token, which every client of Prefect's API can
read: keep that API to yourself.
"""

import json
import sys
from typing import cast

from deployments.home import Home
from tasks.intake.prefect import FAILED_STATES, WATCHED_FLOWS
from tasks.settings import Settings

BLOCK = "healflow-gateway"
AUTOMATION = "healflow: heal what failed"
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
    """Make or renew the block and the automation on the server that PREFECT_API_URL names."""
    from prefect.automations import Automation
    from prefect.blocks.webhook import Webhook
    from prefect.events.actions import CallWebhook
    from prefect.events.schemas.automations import EventTrigger, Posture
    from pydantic import SecretStr

    block = Webhook(
        method="POST",
        url=SecretStr(f"{gateway_url}/webhooks/prefect"),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        allow_private_urls=True,
    )
    block_id = block.save(BLOCK, overwrite=True)
    trigger = EventTrigger(
        expect={f"prefect.flow-run.{state}" for state in FAILED_STATES},
        match_related={"prefect.resource.role": "flow", "prefect.resource.name": list(WATCHED_FLOWS)},
        posture=Posture.Reactive,
        threshold=1,
    )
    wanted = Automation(
        name=AUTOMATION,
        description="A provision, deploy, pipeline or teardown run that failed is handed to the gateway.",
        trigger=trigger,
        actions=[CallWebhook(block_document_id=block_id, payload=TEMPLATE)],
    )
    try:
        known = cast("Automation", Automation.read(name=AUTOMATION))  # typed as for an event loop
    except ValueError:
        wanted.create()
        return
    wanted.id = known.id
    wanted.update()


def main() -> int:
    """Register for the gateway named on the command line."""
    if len(sys.argv) != 2:
        print("usage: python -m deployments.register GATEWAY_URL", file=sys.stderr)  # noqa: T201
        return 2
    register(sys.argv[1].rstrip("/"), Home(Settings()).event_tokens()[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
