"""`healflow triage --snapshot DIR`: what is wrong in a captured cluster, as text or JSON."""

import sys
from pathlib import Path

from rich.console import Console

from deployments.cli.render import render_diagnosis
from flows.explain_cluster import explain_snapshot
from tasks.domain.cluster_cause import ClusterExplanation


def triage_snapshot(folder: Path, *, as_json: bool) -> None:
    """Print the causes, the likeliest first."""
    explanation = explain_snapshot(folder)
    if as_json:
        sys.stdout.write(explanation.model_dump_json(indent=2) + "\n")
        return
    _print(explanation, Console(highlight=False))


def _print(explanation: ClusterExplanation, console: Console) -> None:
    if explanation.passed:
        console.print(f"[green]Nothing wrong was found[/] in {explanation.objects_read} objects.")
        return
    for number, cause in enumerate(explanation.causes, 1):
        target = cause.target
        console.print(f"[bold cyan]{number}. {target.kind}[/] {target.namespace}/{target.name}")
        render_diagnosis(cause.diagnosis, explanation.evidence, console)
