"""The registry of rules: one explicit tuple, specific families first; a line belongs to the first that knows it."""

from tasks.diagnose.analyzers import access, code, delivery, dependencies, network, runner
from tasks.domain.signature import Signature

SIGNATURES: tuple[Signature, ...] = (
    *delivery.SIGNATURES,
    *dependencies.SIGNATURES,
    *runner.SIGNATURES,
    *network.SIGNATURES,
    *access.SIGNATURES,
    *code.SIGNATURES,
)


def signatures() -> tuple[Signature, ...]:
    """All rules in order."""
    return SIGNATURES
