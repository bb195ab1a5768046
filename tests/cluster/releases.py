"""One small release, to be brought out on a real cluster in a good and in a bad version."""

from pathlib import Path
from typing import Any

import yaml

from flows.release import bring_out, plain_steps
from tasks.domain.rollout import DeployReport, ReleaseOrder
from tasks.settings import Settings

Manifest = dict[str, Any]
GOOD = "mkdir /w; echo ok > /w/index.html; echo ok > /w/_healthz; exec httpd -f -p 8080 -h /w"
DEAF = "mkdir /w; echo ok > /w/index.html; exec httpd -f -p 8080 -h /w"
"""Ready, and without an answer to the smoke test."""


def cart(command: str = GOOD, *, name: str = "cart", selector: str = "", **container: Any) -> Manifest:
    labels = {"app": selector or name}
    app = {
        "name": "app",
        "image": "busybox:1.36",
        "command": ["sh", "-c", command],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        **container,
    }
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [app]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def door(name: str = "cart") -> Manifest:
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"type": "NodePort", "selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def job(seconds: str) -> Manifest:
    pod = cart(f"sleep {seconds}", name="import")["spec"]["template"]["spec"]
    del pod["containers"][0]["readinessProbe"]
    spec = {"template": {"spec": {**pod, "restartPolicy": "Never"}}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import"}, "spec": spec}


def config_map(tax: str = "19") -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}, "data": {"tax": tax}}


def deploy(folder: Path, namespace: str, *objects: Manifest, **order: Any) -> DeployReport:
    """Bring these objects out as one release."""
    file = folder / "release.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    settings = Settings()
    wanted = ReleaseOrder(folder=str(file), namespace=namespace, **order)
    return bring_out(settings, wanted, plain_steps(settings, lambda _: None), asker=None)
