"""Writes the generated pages of docs/: the failure classes and the settings; `--check` only compares."""

import ast
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, SecretStr

from deployments.rbac import accounts_yaml
from tasks import settings
from tasks.diagnose import signatures
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.failure_class import FailureClass
from tasks.plan.cluster import CLUSTER_PLAYBOOKS
from tasks.plan.playbooks import ADVICE, PLAYBOOKS
from tasks.settings import Settings
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.conditions.all import CONDITIONS

ROOT = Path(__file__).resolve().parent.parent
MAX_EXAMPLES = 3
MADE = "<!-- Made by `make docs`; edit the source instead. -->"


def failures_page() -> str:
    """The classes that rules can find, with what is tried and what a person can do."""
    rules: dict[FailureClass, int] = {}
    for signature in signatures():
        rules[signature.failure_class] = rules.get(signature.failure_class, 0) + 1
    rows = [
        f"| `{found}` | {rules.get(found, 0) or ''} | {_tried(found)} | {ADVICE.get(found, '')} |"
        for found in FailureClass
        if found in rules or found in PLAYBOOKS or found in CLUSTER_PLAYBOOKS or found.startswith(("k8s.", "dep."))
    ]
    head = [
        "# Failure classes",
        "",
        MADE,
        "",
        "What Healflow recognises, how many rules for logs know it, which remedies are tried in order (the first that",
        "fits, each with preflight, proof and undo), and what a person can do where none fits. What no rule knows is",
        "*unknown*, and nothing is changed.",
        "",
        "| class | rules | tried | otherwise |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, *_conditions()]) + "\n"


def _conditions() -> list[str]:
    """What of a cluster leads to each class, as the conditions in the tests show it."""
    shown: dict[FailureClass, list[str]] = {}
    looked_at: dict[FailureClass, set[str]] = {}
    for row in CONDITIONS:
        if row.expected is None or row.hint:
            continue
        state = State()
        row.plant(state)
        found = diagnose_cluster(state.snapshot())
        quoted = {line.id: line.source for line in found.evidence.lines}
        sources = [quoted[name] for name in found.causes[0].diagnosis.evidence_ids[:2]]
        shown.setdefault(row.expected, []).append(row.says)
        looked_at.setdefault(row.expected, set()).update(_looked_at(source) for source in sources)
    rows = [
        f"| `{found}` | {', '.join(sorted(looked_at[found]))} | {_examples(shown[found])} | {_tried(found)} |"
        for found in FailureClass
        if found in shown
    ]
    head = [
        "",
        "## In a cluster",
        "",
        "Each class that the state of a cluster leads to: what the evidence is quoted from, examples out of the",
        "conditions that the tests plant, and what is tried. What looks alike and is none is planted there too.",
        "",
        "| class | what is looked at | examples | remedy |",
        "|---|---|---|---|",
    ]
    return [*head, *rows]


def _looked_at(source: str) -> str:
    place, _, rest = source.partition(":")
    kind = rest.partition("/")[0]
    names = {"event": "events", "log": "logs", "status": f"status of {kind}", "spec": f"spec of {kind}"}
    return names.get(place, "other texts")


def _examples(says: list[str]) -> str:
    more = f", and {len(says) - MAX_EXAMPLES} more" if len(says) > MAX_EXAMPLES else ""
    return "; ".join(says[:MAX_EXAMPLES]).replace("|", "\\|") + more


def _tried(found: FailureClass) -> str:
    return (
        ", ".join(
            remedy.value.replace("_", " ") for remedy in (PLAYBOOKS.get(found) or CLUSTER_PLAYBOOKS.get(found, ()))
        )
        or "report"
    )


def settings_page() -> str:
    """Every setting with its variable, default and meaning."""
    rows = [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in _settings(Settings, "HEALFLOW_")]
    head = [
        "# Settings",
        "",
        MADE,
        "",
        "All are environment variables. A value out of bounds is refused at the start, with the bounds.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _settings(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    said = _docstrings(model)
    for name, field in model.model_fields.items():
        default = field.get_default()
        if isinstance(default, BaseModel):
            yield from _settings(type(default), f"{prefix}{name.upper()}__")
            continue
        yield f"{prefix}{name.upper()}", _shown(default), said.get(name, "")


def _shown(default: object) -> str:
    if default is None or isinstance(default, SecretStr):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{list(default) if isinstance(default, tuple) else default}`"


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(inspect.getmodule(model) or settings))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model.__name__)
    found: dict[str, str] = {}
    for node, after in pairwise(body):
        target = node.target if isinstance(node, ast.AnnAssign) else None
        said = after.value if isinstance(after, ast.Expr) else None
        if isinstance(target, ast.Name) and isinstance(said, ast.Constant):
            found[target.id] = " ".join(str(said.value).split())
    return found


PAGES = {"docs/failures.md": failures_page, "docs/settings.md": settings_page, "k8s/healflow/rbac.yaml": accounts_yaml}


def main(arguments: list[str]) -> int:
    """Write or compare; 1 when a page is out of step."""
    stale = []
    for name, page in PAGES.items():
        path, text = ROOT / name, page()
        if arguments == ["--check"]:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale:
        print(f"out of step: {', '.join(stale)}; run 'make docs' and commit", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
