"""A shop in a fake cluster, with secrets in every corner, and a client that asks about it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp import Client

from deployments.mcp.server import make_server
from tasks.clients.ledger import Ledger
from tasks.settings import KubernetesSettings, McpSettings, Settings
from tests.fakes.kubernetes_api import FakeKubernetes, serving

SECRETS = ("hunter2-hunter2", "aHVudGVyMi1odW50ZXIy", "ghp_0123456789abcdefghijABCDEFGHIJ456789")
REVISION = "deployment.kubernetes.io/revision"


class Shop:
    def __init__(self, folder: Path, fake: FakeKubernetes, **mcp: Any) -> None:
        kubernetes = KubernetesSettings(kubeconfig=fake.kubeconfig(folder))
        self.settings = Settings(home=folder / "home", kubernetes=kubernetes, mcp=McpSettings(**mcp))
        (folder / "home").mkdir(exist_ok=True)
        self.fake, self.ledger = fake, Ledger.open(self.settings.ledger_url)

    def ask(self, tool: str, **arguments: Any) -> tuple[str, bool]:
        """The answer's text, and whether it is an error."""

        async def call() -> tuple[str, bool]:
            async with Client(make_server(self.settings, self.ledger)) as client:
                result = await client.call_tool(tool, arguments)
                return result.content[0].text, bool(result.is_error)

        return asyncio.run(call())

    def tools(self) -> list[Any]:
        async def call() -> list[Any]:
            async with Client(make_server(self.settings, self.ledger)) as client:
                return list((await client.list_tools()).tools)

        return asyncio.run(call())


@contextmanager
def opened(folder: Path, **mcp: Any) -> Iterator[Shop]:
    fake = FakeKubernetes()
    fill(fake)
    with serving(fake):
        shop = Shop(folder, fake, **mcp)
        try:
            yield shop
        finally:
            shop.ledger.close()


def fill(fake: FakeKubernetes) -> None:
    _fill_namespaces(fake)
    _fill_pods(fake)
    _fill_rollouts(fake)
    _fill_the_rest(fake)


def _fill_namespaces(fake: FakeKubernetes) -> None:
    word, encoded, _ = SECRETS
    for name in ("shop", "bank", "kube-system"):
        fake.add("Namespace", name, status={"phase": "Active"})
        fake.add(
            "Secret",
            "login",
            name,
            data={"password": encoded},
            metadata={"annotations": {"kubectl.kubernetes.io/last-applied-configuration": word, "note": encoded}},
        )


def _fill_pods(fake: FakeKubernetes) -> None:
    word, _, token = SECRETS
    env = [{"name": "DB_PASSWORD", "value": word}, {"name": "URL", "value": f"http://a:{word}@db"}]
    pods = {"containers": [{"name": "app", "image": "cart:2", "env": env, "args": [f"--token={token}"]}]}
    labels = {"app": "cart", "pod-template-hash": "2"}
    made_by = [{"kind": "ReplicaSet", "name": "cart-2", "controller": True}]
    waiting = {"name": "app", "restartCount": 4, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}
    fake.add(
        "Pod",
        "cart-2-x",
        "shop",
        spec=pods,
        status={"phase": "Pending", "containerStatuses": [waiting]},
        metadata={"labels": labels, "ownerReferences": made_by},
    )
    fake.add("Pod", "vault", "bank", spec={"containers": [{"name": "app", "image": "vault:1"}]})
    fake.add("Pod", "coredns-1", "kube-system", spec={"containers": [{"name": "app", "image": "dns:1"}]})


def _fill_rollouts(fake: FakeKubernetes) -> None:
    for revision, image in (("1", "cart:1"), ("2", "cart:2")):
        template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [{"name": "app", "image": image}]}}
        fake.add(
            "ReplicaSet",
            f"cart-{revision}",
            "shop",
            spec={"template": template},
            status={"replicas": 1, "readyReplicas": 2 - int(revision)},
            metadata={
                "annotations": {REVISION: revision},
                "ownerReferences": [{"kind": "Deployment", "name": "cart", "controller": True}],
            },
        )
    fake.add(
        "Deployment",
        "cart",
        "shop",
        spec={"replicas": 1, "selector": {"matchLabels": {"app": "cart"}}, "template": template},
        status={"replicas": 1},
        metadata={"annotations": {REVISION: "2", "kubectl.kubernetes.io/last-applied-configuration": SECRETS[0]}},
    )


def _fill_the_rest(fake: FakeKubernetes) -> None:
    word, _, token = SECRETS
    fake.add("ConfigMap", "prices", "shop", data={"tax": "19", "admin_password": word, "log": f"token={token}"})
    said = {"kind": "Pod", "namespace": "shop", "name": "cart-2-x"}
    fake.add(
        "Event",
        "cart.1",
        "shop",
        involvedObject=said,
        reason="Failed",
        type="Warning",
        message=f'Failed to pull image "cart:2" with token={token}',
        lastTimestamp="2026-11-25T07:00:00Z",
    )
    fake.add("Node", "node-1", status={"allocatable": {"cpu": "2", "memory": "8Gi"}})
    lines = [f"line {number} of the cart" for number in range(5_000)]
    fake.logs["shop", "cart-2-x", False] = "\n".join([*lines, f"login with password={word}", f"using {token}"])
    fake.logs["shop", "cart-2-x", True] = "it stopped"
