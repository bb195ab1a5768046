"""`python -m deployments.worker`: serves the heal and deploy flows to Prefect; each run is a process of its own."""

from typing import Any

from prefect import Flow, serve
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from deployments.home import Home
from deployments.register import register
from flows.deploy import deploy
from flows.heal import heal
from tasks.settings import Settings

CONCURRENT_HEALS = 4


def main() -> None:
    """Serve until SIGTERM; the deployment stays as it is, so that runs wait for the next worker."""
    settings = Settings()
    register(f"http://127.0.0.1:{settings.gateway_port}", Home(settings).event_tokens()[0])
    served = (
        _deployment(heal, "heal", "From an incident to its outcome."),
        _deployment(deploy, "deploy", "From a folder of manifests to a verified release."),
    )
    serve(*served, pause_on_shutdown=False, limit=CONCURRENT_HEALS, print_starting_message=False)


def _deployment(flow: Flow[..., Any], name: str, description: str) -> RunnerDeployment:
    deployment = flow.to_deployment(
        name=name,
        description=description,
        tags=["healflow"],
        # By file, `flows/` itself would land on sys.path and `tasks` would not be found.
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    if not isinstance(deployment, RunnerDeployment):
        raise TypeError("to_deployment answers at once outside an event loop")
    return deployment


if __name__ == "__main__":
    main()
