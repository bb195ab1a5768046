"""Evaluate the triage of clusters: explains each captured state as `healflow triage --snapshot` does, and scores it."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path

from flows.explain_cluster import explain_snapshot
from tasks.domain.base import Noun
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.evaluation import ClusterCaseResult, ClusterLabel
from tasks.errors import BadInputError

ClusterLabels = Mapping[str, ClusterLabel]
"""By the end of a case's folder: `KIND/GROUP/NAME`."""


class ClusterCase(Noun):
    """One captured cluster."""

    id: str
    folder: Path

    @property
    def key(self) -> str:
        """The end of its folder, by which labels are found."""
        return "/".join(self.folder.parts[-3:])


def read_cluster_cases(path: Path) -> list[ClusterCase]:
    """The rows of a `cases.jsonl` (or of the one in a folder) that name a folder beside it.

    Raises:
        BadInputError: there is no such file, or it is none of cases.
    """
    file = path / "cases.jsonl" if path.is_dir() else path
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        named = [(str(row["id"]), row.get("dir") or row.get("full_log")) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{file}: no table of cases ({error})") from error
    found = []
    for case_id, name in named:
        folder = (file.parent / str(name)).resolve() if name else None
        if folder is not None and folder.is_dir() and folder.is_relative_to(file.parent.resolve().parent):
            found.append(ClusterCase(id=case_id, folder=folder))
    return found


def evaluate_cluster(case: ClusterCase, label: ClusterLabel) -> ClusterCaseResult:
    """Explain one captured cluster and compare.

    Raises:
        HealflowError: its folder cannot be read.
    """
    started = time.perf_counter()
    explained = explain_snapshot(case.folder)
    seconds = time.perf_counter() - started
    first = explained.causes[0] if explained.causes else None
    places = (place for place, cause in enumerate(explained.causes, 1) if _is_right(cause, explained, label))
    return ClusterCaseResult(
        case_id=case.id,
        kind=case.folder.parts[-3],
        healthy=not label.classes,
        place=next(places, None),
        causes=len(explained.causes),
        failure_class=first.diagnosis.failure_class if first else None,
        target=str(first.target) if first else "",
        said=first.diagnosis.cause if first else "",
        confidence=first.diagnosis.confidence if first else 0.0,
        seconds=seconds,
    )


def _is_right(cause: ClusterCause, explained: ClusterExplanation, label: ClusterLabel) -> bool:
    said = cause.diagnosis.cause
    cited = [line.text for line in explained.evidence.lines if line.id in cause.diagnosis.evidence_ids]
    return (
        cause.diagnosis.failure_class in label.classes
        and str(cause.target) in label.objects
        and all(re.search(pattern, said, re.IGNORECASE) for pattern in label.words)
        and all(re.search(pattern, "\n".join([said, *cited]), re.IGNORECASE) for pattern in label.quoted)
    )
