"""GitHub, the cluster or the ledger away during a heal: it waits, says what for, and nothing is lost or done twice.
What no heal needs, a model, a vector index or a Prometheus, may be away from the beginning to the end.
"""

import importlib
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.settings import PREFECT_API_URL
from sqlalchemy.engine.default import DefaultDialect

from deployments.demo.project import DemoRepository
from tasks.act.task import carry_out, merge_fix
from tasks.clients.ledger import Delay
from tasks.clients.ledger.memory import Memory
from tasks.collect.task import capture_state, collect_evidence
from tasks.domain.approval import Answer
from tasks.domain.incident import (
    Incident,
    IncidentStatus,
    open_incident,
)
from tasks.domain.outcome import ActionStatus
from tasks.errors import TransientError
from tasks.remember.task import postpone, publish
from tests.doors.test_ledger_away import Away, damaged, impatient, locked
from tests.fakes.github import TOKEN, serving
from tests.fakes.kubernetes_api import FakeKubernetes
from tests.fakes.kubernetes_api import serving as serving_cluster
from tests.fakes.signals import cluster_signal_of
from tests.flows.healing import Healing
from tests.flows.hosted import HostedHealing

__all__ = ["impatient"]
pytestmark = pytest.mark.prefect

ANYTHING = ".*"
FOR_LONG = 100_000


@pytest.fixture
def hosted(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedHealing]:
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    for task in (collect_evidence, carry_out, merge_fix):
        monkeypatch.setattr(task, "retries", 0)  # as when all of them have failed
    with serving() as fake:
        monkeypatch.setenv("HEALFLOW_GITHUB__API_URL", fake.api_url)
        monkeypatch.setenv("HEALFLOW_GITHUB__GIT_URL", (tmp_path / "remotes").as_uri())
        monkeypatch.setenv("HEALFLOW_GITHUB__TOKEN", TOKEN)
        monkeypatch.setenv("HEALFLOW_GITHUB__SECONDS_BETWEEN_WRITES", "0")
        repository = DemoRepository(tmp_path / "shop")
        repository.create()
        yield HostedHealing(repository, fake, tmp_path / "remotes")


@pytest.fixture
def alone(prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """No model, no vector index, and nothing but Prefect's server answers; returns what was called besides."""
    for package in ("litellm", "chromadb"):
        monkeypatch.setitem(sys.modules, package, None)  # to import it is an error
    server = urlsplit(PREFECT_API_URL.value())
    besides: set[tuple[str, int]] = set()

    def refusing(connect: Callable[..., object]) -> Callable[..., object]:
        def called(own: socket.socket, address: object) -> object:
            if own.family != socket.AF_UNIX and (told := address[:2]) != (server.hostname, server.port):  # type: ignore[index]
                besides.add(told)
                raise ConnectionRefusedError(f"{told} is down")
            return connect(own, address)

        return called

    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, refusing(getattr(socket.socket, method)))
    return besides


def delay_of(healing: Healing, incident: Incident) -> Delay:
    found = healing.ledger.heals.delay(incident.id)
    assert found is not None
    return found


def told(healing: Healing, incident: Incident) -> str:
    return "\n".join(entry.what for entry in healing.story(incident).timeline)


def test_github_away_from_the_start_delays_the_heal_and_is_named(hosted: HostedHealing) -> None:
    incident, _ = hosted.fail_on_github()
    hosted.fake.fail("GET", ANYTHING, 503, times=FOR_LONG)
    with pytest.raises(TransientError):
        hosted.start(incident)
    assert not hosted.story(incident).incident.status.ended
    assert hosted.fake.writes == []
    assert delay_of(hosted, incident).until > datetime.now(UTC)
    assert "waits, and tries again at" in told(hosted, incident)
    assert "GitHub" in told(hosted, incident)

    hosted.fake.faults.clear()
    assert hosted.go_on(incident, anew=True) is None, "it asks"
    hosted.answer(incident, Answer.REJECT)
    outcome = hosted.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED


@pytest.mark.parametrize("path", [".*/git/refs", ".*/pulls"], ids=["at the branch", "at the pull request"])
def test_github_away_while_the_fix_is_offered_leaves_one_branch_and_one_pull_request(
    hosted: HostedHealing, path: str
) -> None:
    incident, _ = hosted.fail_on_github()
    assert hosted.start(incident) is None
    hosted.answer(incident, Answer.APPROVE)
    hosted.fake.fail("POST", path, 502, times=FOR_LONG)
    with pytest.raises(TransientError):
        hosted.go_on(incident)
    assert not hosted.story(incident).incident.status.ended
    assert "waits, and tries again at" in told(hosted, incident)

    hosted.fake.faults.clear()
    outcome = hosted.go_on(incident, anew=True)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert len(hosted.offered()) == 1
    assert set(hosted.fake.refs) == {"main", f"healflow/{incident.id}"}
    assert len(hosted.ledger.approvals.of_incident(incident.id)) == 1, "nobody was asked again"


def test_cluster_away_from_the_start_delays_the_heal_and_is_named(
    healing: Healing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_state, "retries", 0)  # as when all of them have failed
    monkeypatch.setenv("HEALFLOW_KUBERNETES__LOOK_AGAIN_SECONDS", "0")
    now = datetime.now(UTC)
    signal = cluster_signal_of(now, title="cart does not come out")
    incident = healing.ledger.incidents.open(open_incident(signal, now=now))
    with serving_cluster(FakeKubernetes()) as fake:
        fake.add("Namespace", "shop")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(fake.kubeconfig(tmp_path)))
        fake.away = True
        with pytest.raises(TransientError):
            healing.start(incident)
        assert not healing.story(incident).incident.status.ended
        assert delay_of(healing, incident).until > datetime.now(UTC)
        assert "waits, and tries again at" in told(healing, incident)
        assert f"the API server {fake.url} cannot be reached" in told(healing, incident)

        fake.away = False
        outcome = healing.go_on(incident, anew=True)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED, outcome.summary
    assert {method for method, _ in fake.requests} == {"GET"}, "nothing was changed"
    assert ("GET", "/api/v1/namespaces/shop/pods") in fake.requests, "it was looked at"


def test_ledger_locked_in_the_middle_of_a_heal_is_waited_for(
    impatient: None, healing: Healing, caplog: pytest.LogCaptureFixture
) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    other = sqlite3.connect(healing.settings.root / "ledger.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def let_go() -> None:
        other.execute("ROLLBACK")
        other.close()

    release = threading.Timer(1.0, let_go)
    release.start()
    outcome = healing.go_on(incident)
    release.join()
    assert "did not answer (database is locked); it is tried again" in caplog.text
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert len(healing.ledger.memory.actions_of(incident.id)) == 1


@contextmanager
def full(_file: Path) -> Iterator[None]:
    """Every write is answered as by SQLite on a disk that is full."""
    execute = DefaultDialect.do_execute

    def do_execute(dialect: Any, cursor: Any, statement: str, *more: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            raise sqlite3.OperationalError("database or disk is full")
        execute(dialect, cursor, statement, *more)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(DefaultDialect, "do_execute", do_execute)
        yield


@pytest.mark.parametrize(("away", "said"), [(locked, "locked"), (full, "full"), (damaged, "not a database")])
def test_ledger_that_goes_away_between_an_action_and_its_record_costs_no_second_action(
    impatient: None, healing: Healing, monkeypatch: pytest.MonkeyPatch, away: Away, said: str
) -> None:
    for task in (carry_out, postpone, publish):
        monkeypatch.setattr(task, "retries", 0)  # as when all of them have failed
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    complete = Memory.complete
    with ExitStack() as gone, monkeypatch.context() as going:

        def complete_without_ledger(memory: Memory, *told: Any, **more: Any) -> None:
            healing.ledger.close()
            gone.enter_context(away(healing.settings.root / "ledger.db"))
            complete(memory, *told, **more)

        going.setattr(Memory, "complete", complete_without_ledger)
        with pytest.raises(TransientError, match=said):
            healing.go_on(incident)
        healing.ledger.close()
    made = healing.repository.git("rev-parse", f"healflow/{incident.id}")
    (begun,) = healing.ledger.memory.actions_of(incident.id)
    assert begun.result is None
    assert healing.story(incident).incident.status is IncidentStatus.ACTING, "it waits, and says nothing false"

    outcome = healing.go_on(incident, anew=True)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert healing.repository.git("rev-parse", f"healflow/{incident.id}") == made
    (done,) = healing.ledger.memory.actions_of(incident.id)
    assert done.result is not None
    assert done.result.status is ActionStatus.ALREADY_APPLIED
    assert healing.ledger.audit.verify().problem == ""


@pytest.mark.parametrize("package", ["litellm", "chromadb"])
def test_without_models_and_vector_index_is_really_without(alone: set[tuple[str, int]], package: str) -> None:
    with pytest.raises(ImportError):
        importlib.import_module(package)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", 9)):
        pytest.fail("somebody answered")
    assert alone == {("127.0.0.1", 9)}


def test_heal_needs_no_model_no_vector_index_and_no_prometheus(healing: Healing, alone: set[tuple[str, int]]) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert alone == set(), "nobody else was asked"


def test_failure_that_no_rule_knows_goes_to_a_person_when_nothing_else_answers(
    healing: Healing, alone: set[tuple[str, int]]
) -> None:
    incident = healing.break_oddly()
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED, outcome.summary
    assert alone == set(), "nobody else was asked"
