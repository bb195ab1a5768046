"""The causes in a cluster on a terminal: what is wrong, what has to change, the quotes, who suffers, and what next."""

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from deployments.cli.next_steps import next_steps
from tasks.clients.kubernetes.capture import API_SERVER
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.evidence import Evidence, EvidenceLine

MAX_HINTS_SHOWN = 5
MAX_VICTIMS_SHOWN = 4
_CHANGE = "change:"


def print_causes(explanation: ClusterExplanation, console: Console, *, where: str) -> None:
    """All causes, the gravest and surest first; `where` is the cluster's or the folder's name, for a healthy one."""
    if explanation.passed:
        told = f"in {escape(where)}, of which {explanation.objects_read} objects were read."
        console.print(f"[green]Nothing wrong was found[/] {told}", soft_wrap=True)
    for number, cause in enumerate(explanation.causes, 1):
        _print_cause(number, cause, explanation.evidence, console)
    for source in explanation.evidence.unreadable:
        if source.source != API_SERVER:  # it is the cause, and quoted
            console.print(Text(f"could not read {source.source}: {source.reason}", style="yellow"), soft_wrap=True)
    _print_hints(explanation, console)


def _print_cause(number: int, cause: ClusterCause, evidence: Evidence, console: Console) -> None:
    found = cause.diagnosis
    lines = [line for line in evidence.lines if line.id in found.evidence_ids]
    console.print(
        f"[bold cyan]{number}.[/] [bold]{escape(found.cause)}[/]  "
        f"[dim]{found.failure_class}, confidence {found.confidence:.0%}, said by {escape(found.rule)}[/]",
        soft_wrap=True,
    )
    console.print(f"   [dim]must change:[/] {escape(str(cause.target))}", soft_wrap=True)
    for line in lines:
        if not line.source.startswith(_CHANGE):
            console.print(_quote(line), soft_wrap=True)
    for line in lines:
        if line.source.startswith(_CHANGE):
            console.print(Text.assemble(("   changed: ", "magenta"), line.text), soft_wrap=True)
    if cause.victim_count:
        console.print(f"   [dim]suffer:[/] {escape(victims_text(cause))}", soft_wrap=True)
    if said := next_steps(found.failure_class):
        console.print(f"   [bold]next:[/] {escape(said)}", soft_wrap=True)


def _quote(line: EvidenceLine) -> Text:
    where = f"{line.source}:{line.line_number}" if line.line_number else line.source
    return Text.assemble((f"{line.id:>6} ", "cyan"), (f"{where}  ", "dim"), line.text)


def victims_text(cause: ClusterCause) -> str:
    """Who suffers from it: the first few by name, and how many more."""
    named = [str(victim) for victim in cause.victims[:MAX_VICTIMS_SHOWN]]
    more = cause.victim_count - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _print_hints(explanation: ClusterExplanation, console: Console) -> None:
    for hint in explanation.hints[:MAX_HINTS_SHOWN]:
        console.print(f"also: {hint.diagnosis.cause}", style="dim", markup=False, soft_wrap=True)
    more = len(explanation.hints) - MAX_HINTS_SHOWN
    if more > 0:
        console.print(f"also: {more} more that break nothing now ('--json' names them)", style="dim", markup=False)
