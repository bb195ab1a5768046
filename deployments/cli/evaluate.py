"""`healflow eval`: how often the diagnosis is right on labelled cases, printed by source and by class."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from deployments.cli.evaluate_clusters import are_cluster_labels, evaluate_clusters
from flows.evaluate import Labels, evaluate_case, read_cases
from tasks.domain.evaluation import CaseResult, Evaluation, Figures, Share, figures
from tasks.domain.failure_class import FailureClass
from tasks.errors import BadInputError


def evaluate(cases_at: Path, labels_at: Path | None, *, as_json: bool) -> None:
    """Run every case and print the figures."""
    if labels_at is not None and are_cluster_labels(labels_at):
        evaluate_clusters(cases_at, labels_at, as_json=as_json)
        return
    labels = read_labels(labels_at) if labels_at else {}
    folder, cases = read_cases(cases_at)
    results: list[CaseResult] = []
    left_out: dict[str, str] = {}
    progress = Console(stderr=True)
    for case in track(cases, "cases", console=progress, disable=not sys.stderr.isatty(), transient=True):
        try:
            results.append(evaluate_case(case, folder, labels))
        except BadInputError as error:
            left_out[case.id] = str(error)
    evaluation = Evaluation(results=tuple(results), left_out=left_out)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(evaluation), indent=2) + "\n")
    else:
        _print(evaluation, Console(highlight=False))


def read_labels(path: Path) -> Labels:
    """The mapping from a YAML file of `label: [class, …]`.

    Raises:
        BadInputError: the file cannot be read, or names a class that the catalogue does not have.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {str(label): tuple(FailureClass(name) for name in names or ()) for label, names in rows.items()}
    except (OSError, yaml.YAMLError, ValueError, AttributeError, TypeError) as error:
        raise BadInputError(f"{path}: no table of labels ({str(error).splitlines()[0]})") from error


def _groups(results: Sequence[CaseResult], key: Callable[[CaseResult], str]) -> dict[str, Figures]:
    names = sorted({key(result) for result in results})
    return {name: figures([result for result in results if key(result) == name]) for name in names}


def _label(result: CaseResult) -> str:
    return result.label or "(no label)"


def _confusions(results: Sequence[CaseResult]) -> list[tuple[str, str, int]]:
    wrong = Counter(
        (_label(result), str(result.found[0])) for result in results if result.expected and not result.right
    )
    return [(label, found, count) for (label, found), count in wrong.most_common()]


def _as_json(evaluation: Evaluation) -> dict[str, object]:
    results = evaluation.results

    def plain(groups: dict[str, Figures]) -> dict[str, object]:
        return {name: group.model_dump(mode="json") for name, group in groups.items()}

    return {
        "all": figures(results).model_dump(mode="json"),
        "by_source": plain(_groups(results, lambda result: result.ecosystem)),
        "by_class": plain(_groups(results, _label)),
        "confusions": [{"label": a, "found": b, "count": count} for a, b, count in _confusions(results)],
        "cases": [result.model_dump(mode="json") for result in results],
        "left_out": evaluation.left_out,
    }


def _print(evaluation: Evaluation, console: Console) -> None:
    results = evaluation.results
    for title, key in (("source", lambda result: result.ecosystem), ("label", _label)):
        table = Table(title, *_HEADS, box=None, pad_edge=False)
        for name, group in _groups(results, key).items():
            table.add_row(escape(name), *_cells(group))
        table.add_row("[bold]all[/]", *_cells(figures(results)))
        console.print(table)
        console.print()
    confusions = _confusions(results)
    if confusions:
        console.print("[bold]Taken for something else[/]")
        for label, found, count in confusions:
            console.print(f"  {count:>3}  {escape(label)} was called {found}")
    for case_id, reason in evaluation.left_out.items():
        console.print(f"[dim]left out {escape(case_id)}: {escape(reason)}[/]")


_HEADS = ("cases", "class", "in top 3", "line quoted", "line cited", "unknown", "false alarms", "seconds", "MB/s")


def _cells(group: Figures) -> list[str]:
    shares = (group.top1, group.top3, group.quoted, group.cited, group.unknown, group.false_alarms)
    return [
        str(group.cases),
        *map(_share, shares),
        f"{group.seconds:.2f}",
        f"{group.megabytes_a_second:.1f}",
    ]


def _share(share: Share) -> str:
    return "-" if share.ratio is None else f"{share.count}/{share.of} {share.ratio:.0%}"
