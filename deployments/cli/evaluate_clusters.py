"""`healflow eval` over captured clusters: whether the right cause and the right object stand first, case by case."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.evaluate_clusters import ClusterLabels, evaluate_cluster, read_cluster_cases
from tasks.domain.evaluation import ClusterCaseResult, ClusterLabel, Share
from tasks.errors import BadInputError, HealflowError


def are_cluster_labels(path: Path) -> bool:
    """Whether the labels are of captured clusters: they stand under `clusters`."""
    try:
        return path.read_text(encoding="utf-8").lstrip("\ufeff").find("\nclusters:") >= 0
    except (OSError, UnicodeDecodeError):
        return False


def read_cluster_labels(path: Path) -> ClusterLabels:
    """The labels from a YAML file.

    Raises:
        BadInputError: the file cannot be read, or a label in it is none.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))["clusters"]
        return {str(key): ClusterLabel.model_validate(row or {}) for key, row in rows.items()}
    except (OSError, yaml.YAMLError, ValidationError, AttributeError, TypeError, KeyError) as error:
        raise BadInputError(f"{path}: no table of labels ({str(error).splitlines()[0]})") from error


def evaluate_clusters(cases_at: Path, labels_at: Path, *, as_json: bool) -> None:
    """Explain every captured cluster that has a label, and print the figures."""
    labels = read_cluster_labels(labels_at)
    results: list[ClusterCaseResult] = []
    left_out: dict[str, str] = {}
    for case in read_cluster_cases(cases_at):
        label = labels.get(case.key)
        if label is None:
            left_out[case.id] = "it has no label"
            continue
        try:
            results.append(evaluate_cluster(case, label))
        except HealflowError as error:
            left_out[case.id] = str(error)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(results, left_out), indent=2) + "\n")
    else:
        _print(results, left_out, Console(highlight=False, width=None if sys.stdout.isatty() else 200))


def _groups(results: Sequence[ClusterCaseResult]) -> dict[str, list[ClusterCaseResult]]:
    kinds = sorted({result.kind for result in results})
    return {kind: [result for result in results if result.kind == kind] for kind in kinds}


def _top1(results: Sequence[ClusterCaseResult]) -> Share:
    return Share(count=sum(result.right for result in results), of=len(results))


def _top3(results: Sequence[ClusterCaseResult]) -> Share:
    return Share(count=sum(result.right_of_three for result in results), of=len(results))


def _as_json(results: Sequence[ClusterCaseResult], left_out: dict[str, str]) -> dict[str, object]:
    groups = {
        kind: {"top1": _top1(group).model_dump(), "top3": _top3(group).model_dump()}
        for kind, group in _groups(results).items()
    }
    cases = [result.model_dump(mode="json") | {"right": result.right} for result in results]
    return {"by_kind": groups, "cases": cases, "left_out": left_out}


def _print(results: Sequence[ClusterCaseResult], left_out: dict[str, str], console: Console) -> None:
    table = Table("case", "right", "place", "of", "class", "object", "sure", box=None, pad_edge=False)
    for row in results:
        right = "[green]yes[/]" if row.right else "[red]no[/]"
        cells = (str(row.place or "-"), str(row.causes), str(row.failure_class or "-"), row.target or "-")
        table.add_row(escape(row.case_id), right, *map(escape, cells), f"{row.confidence:.0%}")
    console.print(table)
    console.print()
    for kind, group in _groups(results).items():
        first, three = _top1(group), _top3(group)
        console.print(f"{kind}: first {first.count}/{first.of}, among the first three {three.count}/{three.of}")
    for case_id, reason in left_out.items():
        console.print(f"[dim]left out {escape(case_id)}: {escape(reason)}[/]")
