"""The registry of rules: one explicit tuple, a line belongs to the lowest rank that knows it, then to the first."""

from tasks.diagnose.analyzers import (
    access,
    building,
    commands,
    delivery,
    dependencies,
    network,
    packages,
    rollout,
    runner,
    security,
    style,
    testing,
)
from tasks.domain.signature import Signature

SIGNATURES: tuple[Signature, ...] = (
    *rollout.SIGNATURES,
    *delivery.SIGNATURES,
    *security.SIGNATURES,
    *packages.SIGNATURES,
    *dependencies.SIGNATURES,
    *runner.SIGNATURES,
    *network.SIGNATURES,
    *access.SIGNATURES,
    *testing.SIGNATURES,
    *style.SIGNATURES,
    *building.SIGNATURES,
    *commands.SIGNATURES,
)


def signatures() -> tuple[Signature, ...]:
    """All rules in order."""
    return SIGNATURES
