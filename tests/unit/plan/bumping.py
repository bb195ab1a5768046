"""What the tests of bumps have in common: findings, a draft of their bump, and what came of it."""

from typing import Any

from tasks.act import check_action
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Action, Plan, Remedy
from tasks.domain.vulnerability import (
    BaseImage,
    Ecosystem,
    Scanner,
    ScanReport,
    ScanSeverity,
    Upgrade,
    Vulnerability,
)
from tests.unit.plan.conftest import Scene


def weakness(
    package: str = "flask",
    installed: str = "1.0",
    *fixed: str,
    ecosystem: Ecosystem = Ecosystem.PYPI,
    file: str | None = "requirements.txt",
    upgrade: Upgrade | None = None,
) -> Vulnerability:
    return Vulnerability(
        id=f"CVE-{package}",
        severity=ScanSeverity.HIGH,
        package=package,
        installed=installed,
        fixed=fixed,
        ecosystem=ecosystem,
        file=file,
        upgrade=upgrade,
    )


def report(*vulnerabilities: Vulnerability, base: BaseImage | None = None) -> ScanReport:
    return ScanReport(
        scanner=Scanner.TRIVY, tool="Trivy", source="s", vulnerabilities=vulnerabilities, base=base, complete=True
    )


def bump(scene: Scene, files: dict[str, str | bytes], *vulnerabilities: Vulnerability, **more: Any) -> Plan:
    scene.commit("Require", files)
    base = more.pop("base", None)
    return scene.draft(FailureClass.SEC_TRIVY, scans=(report(*vulnerabilities, base=base),), **more)


def refused(plan: Plan) -> str:
    assert plan.actions[0].name == Remedy.REPORT_ONLY, plan.actions[0].preview
    return plan.rationale


def patch_of(plan: Plan) -> Action:
    action = plan.actions[0]
    assert action.name == Remedy.BUMP_DEPENDENCY, plan.rationale
    check_action(action)
    return action


def changed_lines(action: Action) -> list[str]:
    return [line for line in action.preview.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
