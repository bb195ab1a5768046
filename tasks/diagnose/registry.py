"""The registry of rules: one explicit tuple, a line belongs to the lowest rank that knows it, then to the first."""

from tasks.diagnose.analyzers import access, code, delivery, dependencies, network, rollout, runner, security
from tasks.domain.signature import Signature

SIGNATURES: tuple[Signature, ...] = (
    *rollout.SIGNATURES,
    *delivery.SIGNATURES,
    *security.SIGNATURES,
    *dependencies.SIGNATURES,
    *runner.SIGNATURES,
    *network.SIGNATURES,
    *access.SIGNATURES,
    *code.SIGNATURES,
)


def signatures() -> tuple[Signature, ...]:
    """All rules in order."""
    return SIGNATURES
