"""`python -m deployments.serve_gateway`: the gateway and the dispatcher in one process.

They share it because both are small, idle most of the time, and useless without each other on one machine.
"""

import asyncio
import logging
from datetime import UTC, datetime

import uvicorn

from deployments.dispatcher import Dispatcher
from deployments.gateway import make_app
from deployments.home import Home
from tasks.clients.ledger import Ledger
from tasks.settings import Settings

TICK_SECONDS = 0.25


def main() -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings()
    ledger = Ledger.open(settings.ledger_url)

    async def beside(stop: asyncio.Event) -> None:
        await asyncio.gather(dispatch(stop), _listen_to_slack(settings, ledger, stop))

    async def dispatch(stop: asyncio.Event) -> None:
        from deployments.prefect_runs import PrefectRuns

        dispatcher = Dispatcher(
            ledger,
            PrefectRuns(),
            intake=settings.intake,
            silence_seconds=settings.run_silence_seconds,
            patience_seconds=settings.outage_patience_seconds,
        )
        while not stop.is_set():
            try:
                await asyncio.to_thread(dispatcher.tick, datetime.now(UTC))
            except Exception:
                # A door: an error of ours must not end the one loop that hands events on.
                logging.getLogger("healflow.dispatcher").exception("A step failed; the next tick tries again.")
            try:
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    home = Home(settings)
    app = make_app(
        settings,
        ledger,
        home.webhook_secret(),
        event_tokens=home.event_tokens(),
        link_key=home.link_key(),
        background=beside,
    )
    uvicorn.run(app, host="127.0.0.1", port=settings.gateway_port, log_level="warning", access_log=False)


async def _listen_to_slack(settings: Settings, ledger: Ledger, stop: asyncio.Event) -> None:
    """Over Socket Mode, where its token is set; over HTTP the gateway has a door of its own."""
    if settings.slack.app_token is None or settings.slack.bot_token is None:
        return
    from deployments.slack import SlackDoor
    from deployments.slack.listening import listen
    from tasks.clients.slack import SlackClient

    await listen(settings.slack, SlackDoor(settings, ledger, SlackClient(settings.slack)), stop)


if __name__ == "__main__":
    main()
