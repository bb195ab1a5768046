"""What all tests share: an environment of their own, so that nobody's settings or git configuration leak in, and one
Prefect server a session. A fixture that a module imports from elsewhere is one of that module's own, and so a server."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.clients.ledger import Ledger
from tests.fakes.postgres import Postgres, running


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own, no settings of the caller, and a git that knows nobody."""
    for name in [name for name in os.environ if name.startswith(("HEALFLOW_", "GIT_"))]:
        if name not in ("HEALFLOW_SHARED_DATA", "HEALFLOW_TEST_POSTGRES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HEALFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    yield


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real Prefect server on SQLite and loopback, which ends with the session of one worker."""
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    os.environ["DO_NOT_TRACK"] = "1"
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_LOCAL_STORAGE_PATH, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    storage = tmp_path_factory.mktemp("results")
    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOCAL_STORAGE_PATH: storage}),
    ):
        yield


@pytest.fixture(scope="session")
def postgres_or_why_not() -> Iterator[Postgres | str]:
    """A PostgreSQL server of the session's own, where one is installed."""
    with running() as server:
        yield server


@pytest.fixture
def postgres(postgres_or_why_not: Postgres | str) -> Postgres:
    """The same; without one the test is skipped."""
    if isinstance(postgres_or_why_not, str):
        pytest.skip(postgres_or_why_not)
    return postgres_or_why_not


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind that a ledger can stand in."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.empty()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a ledger that holds nothing, in each database that it can stand in."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.migrated()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `each_database` runs once for each database that a ledger can stand in."""
    if metafunc.definition.get_closest_marker("each_database"):
        metafunc.fixturenames.insert(0, "database")
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], str]]:
    """The address at which `Ledger.in_folder` opens a ledger: in the folder, or of a database for each folder."""
    if request.param == "sqlite":
        yield lambda folder: f"sqlite:///{folder / 'ledger.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    urls: dict[Path, str] = defaultdict(server.migrated)
    opened: list[Ledger] = []

    def in_folder(folder: Path) -> Ledger:
        opened.append(Ledger.open(urls[folder]))
        return opened[-1]

    monkeypatch.setattr(Ledger, "in_folder", in_folder)
    yield lambda folder: urls[folder]
    for ledger in opened:
        ledger.close()
