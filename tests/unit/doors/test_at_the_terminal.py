"""What a newcomer meets at the terminal: the home that is made, the question that waits, and another home's gateway."""

import re
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from deployments.cli.app import app
from deployments.demo.project import DemoRepository
from tasks.domain.approval import Answer
from tests.unit.approve.telling import Told


class Refusing(BaseHTTPRequestHandler):
    """A gateway whose secret is another one."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    monkeypatch.setenv("HEALFLOW_GATEWAY_PORT", str(server.server_port))
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """A repository whose workflow fails without running anything."""
    repository = DemoRepository(tmp_path / "shop")
    repository.create()
    repository.commit(
        "Fail", {".github/workflows/ci.yml": "on: push\njobs: {test: {runs-on: x, steps: [{run: false}]}}\n"}
    )
    return str(repository.root)


@pytest.mark.parametrize("command", [["incidents"], ["ci", "--no-report"], ["run", "--", "true"], ["audit", "verify"]])
def test_home_that_a_command_makes_is_its_owners_and_unknown_to_git(
    tmp_path: Path, broken: str, command: list[str]
) -> None:
    where = ["-C", broken] if command[0] == "ci" else []
    CliRunner().invoke(app, [*command[:1], *where, *command[1:]])
    home = tmp_path / "home"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / ".gitignore").read_text() == "*\n"


def test_failure_that_the_gateway_of_another_home_refuses_says_which_home_is_meant(
    tmp_path: Path, refusing: None, broken: str
) -> None:
    done = CliRunner().invoke(app, ["ci", "-C", broken])
    assert f"No 'healflow up' serves {tmp_path / 'home'}: set HEALFLOW_HOME" in str(done.exception)


def test_show_says_how_to_answer_while_it_waits_and_no_longer(tmp_path: Path) -> None:
    told = Told(tmp_path / "home")
    incident_id = told.request.incident_id
    shown = CliRunner().invoke(app, ["show", incident_id]).output
    assert f"healflow approve {incident_id} --merge\n" in shown
    assert f"healflow reject {incident_id} --why REASON\n" in shown
    assert f"healflow edit {incident_id} 1.until=2026-01-16\n" in shown
    told.say(Answer.REJECT, reason="no")
    assert "healflow reject" not in CliRunner().invoke(app, ["show", incident_id]).output


@pytest.mark.parametrize("command", [[], *[[command.name] for command in get_command(app).commands.values()]], ids=str)  # type: ignore[attr-defined]
def test_help_asks_for_no_value_where_none_is_taken(command: list[str]) -> None:
    told = CliRunner().invoke(app, [*command, "--help"])
    assert told.exit_code == 0
    assert "--help" in told.output
    assert not re.search(r"<bool>|<list", told.output.split("Options")[-1])
