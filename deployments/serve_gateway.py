"""`python -m deployments.serve_gateway`: the gateway, the dispatcher and what works beside it, in one process.

They share it because all are small, idle most of the time, and useless without each other on one machine. Each ticks in
a thread of its own, so that a channel to people or a cluster that is slow or down holds up no heal.
"""

import asyncio
import logging
from datetime import timedelta

import uvicorn

from deployments.clearing import Clearing
from deployments.comments import Comments, open_github
from deployments.dispatcher import Bounds, Dispatcher
from deployments.gateway import make_app
from deployments.gateway.measuring import Measures
from deployments.home import Home
from deployments.log_lines import log_to_stderr
from deployments.looking import Looks
from deployments.notifying import Notifier, open_channels
from deployments.ticking import ticking
from flows.resolving import read_live
from flows.sweep import Sweep
from tasks.clients.ledger import Ledger
from tasks.settings import Settings

SWEEP_TICK_SECONDS = 5.0


def main() -> None:
    """Serve until SIGTERM."""
    log_to_stderr()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("healflow").setLevel(logging.INFO)  # Prefect sets that of all others when it is imported
    settings = Settings()
    ledger, measures = Ledger.open(settings.ledger_url), Measures()
    home = Home(settings)

    async def beside(stop: asyncio.Event) -> None:
        from deployments.lost_webhooks import lost_webhooks
        from deployments.prefect_runs import PrefectRuns

        url = settings.approvals.public_url or f"http://127.0.0.1:{settings.gateway_port}"
        channels = open_channels(settings, link_key=home.link_key(), gateway_url=url)
        dispatcher = Dispatcher(
            ledger,
            PrefectRuns(),
            intake=settings.intake,
            bounds=Bounds(
                silence_seconds=settings.run_silence_seconds,
                patience=timedelta(seconds=settings.outage_patience_seconds),
                max_runs=settings.max_runs_per_incident,
            ),
            own_cluster=settings.kubernetes.cluster_name,
            tell_delay=measures.dispatch_delay_seconds.observe,
            tell_waiting=measures.note_waiting,
        )
        kubernetes = settings.kubernetes
        looks = Looks(ledger, read_live(kubernetes), stable_seconds=kubernetes.stable_seconds)
        github = open_github(settings)  # one for each thread
        sweep = Sweep(
            ledger,
            lambda: lost_webhooks(settings, ledger, github),
            every=timedelta(seconds=settings.intake.sweep_seconds),
            most_back=timedelta(hours=settings.intake.sweep_most_back_hours),
        )
        await asyncio.gather(
            ticking(stop, "dispatcher", dispatcher.tick),
            ticking(stop, "notifier", Notifier(ledger, channels, settings).tick),
            ticking(stop, "looks", looks.tick),
            ticking(stop, "clearing", Clearing(ledger, keep=timedelta(days=settings.intake.keep_bodies_days)).tick),
            ticking(stop, "comments", Comments(ledger, settings, open_github(settings)).tick),
            ticking(stop, "sweep", sweep.tick, pause_seconds=SWEEP_TICK_SECONDS),
            _listen_to_slack(settings, ledger, stop),
        )

    app = make_app(
        settings,
        ledger,
        home.webhook_secret(),
        event_tokens=home.event_tokens(),
        event_secrets=home.event_secrets(),
        measures=measures,
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
