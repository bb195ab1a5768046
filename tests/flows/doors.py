"""A plan of high risk that waits, and the doors to it: a Slack, the gateway with its page, and the command line."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from deployments.cli.answers import answer
from deployments.demo.project import WORKFLOW
from deployments.demo.slack import SlackServer
from deployments.dispatcher import Dispatcher, RunState
from deployments.gateway import make_app
from deployments.home import local_user
from deployments.notifying import Notifier
from deployments.notifying.notifier import GRACE as NOTIFIER_GRACE
from deployments.prefect_runs import PrefectRuns
from deployments.slack import SlackChannel
from deployments.slack.pressing import Press
from tasks.approve import sign_link
from tasks.domain.approval import Answer, ApprovalLink, ApprovalRequest
from tasks.domain.incident import Incident
from tasks.gate.policy import DEFAULT_POLICY
from tasks.settings import Settings
from tests.doors.paging import KEY, seal_of
from tests.flows.healing import Healing

GRACE_IN_SLACK, ADA_IN_SLACK = "U0GRACE", "U0ADA"
_SCANNER = '''\
"""Speaks like Trivy: taxrates 1.0.0 is weak, and 2.0.0, which changes its interface, is not."""

import json
import pathlib
import sys

weak = "taxrates==1.0.0" in pathlib.Path("requirements.txt").read_text()
found = {
    "VulnerabilityID": "CVE-2026-0001",
    "PkgName": "taxrates",
    "InstalledVersion": "1.0.0",
    "FixedVersion": "2.0.0",
    "Severity": "CRITICAL",
}
result = {"Target": "requirements.txt", "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": [found] * weak}
report = {"SchemaVersion": 2, "ArtifactName": ".", "ArtifactType": "filesystem", "Results": [result]}
pathlib.Path(sys.argv[1]).write_text(json.dumps(report))
print(f"Total: {int(weak)} (HIGH: 0, CRITICAL: {int(weak)})")
sys.exit(weak)
'''
_JOB = """\
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Scan the requirements
        run: python scan.py trivy.json
"""


class PatientDispatcher:
    """Ticks until the Prefect server answers: on SQLite it refuses with 503 what meets another write."""

    def __init__(self, healing: Healing) -> None:
        self._waits = [False]
        self._dispatcher = Dispatcher(healing.ledger, PrefectRuns(), tell_waiting=self._waits.append)

    def tick(self) -> None:
        until = time.monotonic() + 60
        self._dispatcher.tick(datetime.now(UTC))
        while self._waits[-1] and time.monotonic() < until:
            time.sleep(0.5)
            self._dispatcher.tick(datetime.now(UTC))
        assert not self._waits[-1], "the Prefect server does not answer"


class Doors:
    """The doors as people find them, with the dispatcher and the notifier behind them, ticked by the test."""

    def __init__(self, healing: Healing, slack: SlackServer) -> None:
        self.healing, self.slack, self.settings = healing, slack, Settings()
        app = make_app(self.settings, healing.ledger, "secret", link_key=KEY)
        self.browser = TestClient(app, base_url="http://gateway")
        slack.deliver = self._deliver
        self.notifier = Notifier(healing.ledger, [SlackChannel(self.settings.slack)], self.settings)
        self._patient = PatientDispatcher(healing)

    def _deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        told = self.browser.post(path, content=body, headers=dict(headers))
        return told.status_code, told.content

    def ask(self) -> Incident:
        """Commit a vulnerable dependency, begin the heal, and show its question in Slack."""
        repository = self.healing.repository
        workflow = (repository.root / WORKFLOW).read_text()
        repository.commit("Scan the shop", {"scan.py": _SCANNER, WORKFLOW: workflow + _JOB})
        incident = self.healing.open_incident(self.healing.run_workflow("scan"))
        assert self.healing.start(incident) is None, "it waits"
        self.show()
        return incident

    def show(self) -> None:
        """Let the notifier send the card, or renew it."""
        self.notifier.tick(datetime.now(UTC) + NOTIFIER_GRACE + timedelta(seconds=5))

    def request(self, incident: Incident) -> ApprovalRequest:
        """The question that stands in the ledger."""
        return self.healing.ledger.approvals.of_incident(incident.id)[-1].request

    def press(self, user: str, press: Press = Press.APPROVE) -> None:
        """Press a button of the card in Slack."""
        assert self.slack.press(user, self.slack.workspace.cards[0].ts, press).status == 200

    def type_yes(self, incident: Incident) -> None:
        """`healflow approve`, as the user of this machine, who is Ada."""
        answer(self.settings, incident.id, Answer.APPROVE, reason="")

    def open_page(self, incident: Incident, person: str = "ada") -> tuple[str, str]:
        """The path of a link that was mailed to somebody, and the page that they see."""
        asked = self.request(incident)
        mailed = ApprovalLink(
            request_id=asked.id, nonce=asked.nonce, person=person, made_by=f"email:{person}@example.com"
        )
        path = f"/approve/{sign_link(mailed, KEY)}"
        return path, self.browser.get(path).text

    def yes_on_page(self, incident: Incident, person: str = "ada") -> int:
        """Press Approve on the page; returns the status of the answer."""
        path, page = self.open_page(incident, person)
        form = {"seal": seal_of(page), "answer": "approve"}
        return self.browser.post(path, data=form, follow_redirects=False).status_code

    def tick(self) -> None:
        """Let the dispatcher do what is due."""
        self._patient.tick()

    def state(self, incident: Incident) -> RunState:
        """What has become of the heal's run on the Prefect server."""
        run_id = self.healing.ledger.incidents.get(incident.id).flow_run_id
        assert run_id is not None
        return PrefectRuns().state(run_id)

    def refusals(self) -> list[tuple[str, str, str]]:
        """Who was refused, through which channel and why."""
        entries = [entry for entry in self.healing.ledger.audit.entries() if entry.kind == "answer.refused"]
        documents = [json.loads(entry.document) for entry in entries]
        return [(entry.actor, told["channel"], told["refusal"]) for entry, told in zip(entries, documents, strict=True)]


@contextmanager
def open_doors(healing: Healing, folder: Path, monkeypatch: pytest.MonkeyPatch, **terms: object) -> Iterator[Doors]:
    """Doors under a policy whose terms for high risk on this machine are these besides its own."""
    policy = shutil.copytree(DEFAULT_POLICY, folder / "policy")
    data = json.loads((policy / "data.json").read_text())
    data["approval"]["local"]["high"] |= terms
    (policy / "data.json").write_text(json.dumps(data))
    people = [
        {"name": "ada", "slack": ADA_IN_SLACK, "local": local_user(), "email": "ada@example.com"},
        {"name": "grace", "slack": GRACE_IN_SLACK, "email": "grace@example.com"},
    ]
    with SlackServer() as slack:
        settings = slack.settings()
        for name, value in {
            "POLICY_DIR": str(policy),
            "APPROVALS__PEOPLE": json.dumps(people),
            "SLACK__API_URL": settings.api_url,
            "SLACK__CHANNEL": settings.channel or "",
            "SLACK__BOT_TOKEN": settings.bot_token.get_secret_value() if settings.bot_token else "",
            "SLACK__SIGNING_SECRET": settings.signing_secret.get_secret_value() if settings.signing_secret else "",
        }.items():
            monkeypatch.setenv(f"HEALFLOW_{name}", value)
        yield Doors(healing, slack)
