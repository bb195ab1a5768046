"""Reads a run of Prefect as evidence: its own log, and the message of the state that it ended in."""

import io
from collections.abc import Iterable, Sequence

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.domain.evidence import Evidence
from tasks.domain.signature import Signature


def read_prefect_run(messages: Iterable[str], ended: str, *, flow: str, signatures: Sequence[Signature]) -> Evidence:
    """The evidence of one failed flow run; `ended` is the message of its last state, which repeats the exception."""
    text = "\n".join([*messages, ended])
    scan = scan_log(io.BytesIO(text.encode(errors="replace")), source=f"log:{flow}", signatures=signatures)
    return Evidence(lines=number_evidence([scan]), truncated=scan.truncated)
