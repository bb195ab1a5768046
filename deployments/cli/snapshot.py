"""`healflow triage --namespace|--all|--snapshot` and `healflow snapshot`: what is wrong in a cluster."""

import json
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

from rich.console import Console

from deployments.cli.cluster_documents import cluster_markdown, cluster_sarif
from deployments.cli.cluster_text import print_causes
from deployments.cli.progress import Progress
from deployments.cli.triage import Style, save_documents
from deployments.home import Home
from flows.explain_cluster import explain_live_cluster, explain_snapshot, save_cluster
from flows.heal_cluster import open_cluster_incidents
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.failure_class import FailureClass
from tasks.settings import Settings


def triage_snapshot(folder: Path, style: Style, *, namespace: str | None = None, save: Path | None = None) -> int:
    """Print the causes in a captured cluster, the likeliest first; returns the exit code.

    Raises:
        HealflowError: the folder cannot be read.
    """
    explanation = explain_snapshot(folder, namespace=namespace)
    _print(explanation, style, _named(namespace) or str(folder), save)
    return 0


def triage_live(settings: Settings, style: Style, *, namespace: str | None, save: Path | None = None) -> int:
    """Print the causes in a namespace or, when `None`, in the whole cluster; returns the exit code, 1 where the API
    server cannot be reached.

    Raises:
        HealflowError: there is no kubeconfig or no such namespace, or the account is refused.
    """
    with Progress("Reading the cluster") as progress:
        explanation = explain_live_cluster(
            settings.kubernetes, namespace=namespace, now=datetime.now(UTC), tell=progress.tell
        )
    _print(explanation, style, _named(namespace) or "the cluster", save)
    return int(any(_is_unreachable(cause.diagnosis.failure_class) for cause in explanation.causes[:1]))


def write_snapshot(settings: Settings, folder: Path, *, namespace: str | None) -> int:
    """Write the redacted state of a namespace or of the cluster into a folder; returns the exit code.

    Raises:
        HealflowError: the cluster cannot be read, or the folder cannot be written.
    """
    with Progress("Reading the cluster") as progress:
        snapshot = save_cluster(
            settings.kubernetes,
            folder,
            namespace=namespace,
            now=datetime.now(UTC),
            version=_version(),
            tell=progress.tell,
        )
    console = Console(highlight=False)
    console.print(
        f"{len(snapshot.objects)} objects, {len(snapshot.events)} events and {len(snapshot.logs)} logs of "
        f"{_named(namespace) or 'the cluster'} are in {folder}. 'healflow triage --snapshot {folder}' explains them.",
        markup=False,
        soft_wrap=True,
    )
    for source in snapshot.unreadable:
        console.print(f"could not read {source.source}: {source.reason}", style="yellow", markup=False, soft_wrap=True)
    return 0


def open_incidents(settings: Settings, *, namespace: str | None, as_json: bool) -> None:
    """Open an incident for each cause and say which.

    Raises:
        HealflowError: the cluster cannot be read, or the ledger cannot be written.
    """
    with Progress("Reading the cluster") as progress:
        found = explain_live_cluster(
            settings.kubernetes, namespace=namespace, now=datetime.now(UTC), tell=progress.tell
        )
    opened = open_cluster_incidents(settings, found, now=datetime.now(UTC))
    if as_json:
        sys.stdout.write(json.dumps([{"id": one.id, "title": one.signal.title} for one in opened]) + "\n")
        return
    console = Console(highlight=False)
    for incident in opened:
        console.print(f"{incident.id}: {incident.signal.title}", markup=False, soft_wrap=True)
    if not opened:
        console.print(f"Nothing wrong was found in {_named(namespace) or 'the cluster'}: there is nothing to heal.")
    elif Home(settings).holder() is None:
        console.print("'healflow up' is not running: they are healed once it is.", style="yellow")


def _named(namespace: str | None) -> str:
    return f"namespace {namespace}" if namespace else ""


def _is_unreachable(found: FailureClass) -> bool:
    return found is FailureClass.API_UNREACHABLE


def _print(explanation: ClusterExplanation, style: Style, where: str, save: Path | None) -> None:
    out: TextIO = sys.stdout
    if style is Style.TEXT:
        print_causes(explanation, Console(file=out, highlight=False), where=where)
    else:
        out.write(_document(explanation, style, where) + "\n")
    if save is not None:
        save_documents(lambda asked: _document(explanation, asked, where), save)


def _document(explanation: ClusterExplanation, style: Style, where: str) -> str:
    if style is Style.JSON:
        return explanation.model_dump_json(indent=2)
    if style is Style.SARIF:
        return cluster_sarif(explanation)
    return cluster_markdown(explanation, where=where)


def _version() -> str:
    try:
        return version("healflow")
    except PackageNotFoundError:  # run from its source
        return "from source"
