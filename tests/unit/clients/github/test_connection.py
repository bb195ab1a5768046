"""What GitHub refuses is told with what to do; waits are bounded; nothing is written without credentials."""

import time
from base64 import b64decode

import pytest
from pydantic import SecretStr

from tasks.clients.github import GithubClient, UnknownOutcomeError
from tasks.clients.github.connection import Connection
from tasks.domain.code_host import CommitStatus, StatusState
from tasks.errors import ConflictError, NotFoundError, PermanentError, TransientError
from tasks.settings import GithubSettings, Settings, handed_on
from tests.fakes.github import INSTALLATION_TOKEN, REPOSITORY, FakeGithub
from tests.unit.clients.github.conftest import client_of

RUN = r"/repos/acme/shop/actions/runs/\d+"
MARK = CommitStatus(context="healflow/triage", state=StatusState.PENDING)


def test_nothing_is_written_without_credentials(fake: FakeGithub) -> None:
    with client_of(fake, token=None) as client, pytest.raises(PermanentError, match="HEALFLOW_GITHUB__TOKEN"):
        client.statuses.mark(REPOSITORY, fake.refs["main"], MARK)
    assert fake.writes == []


def test_wrong_credentials_say_what_to_renew(fake: FakeGithub) -> None:
    with (
        client_of(fake, token="another") as client,
        pytest.raises(PermanentError, match="renew HEALFLOW_GITHUB__TOKEN"),
    ):
        client.branches.default(REPOSITORY)


def test_an_app_needs_all_of_its_settings(fake: FakeGithub) -> None:
    with pytest.raises(PermanentError, match="needs all of"):
        GithubClient.from_settings(
            GithubSettings(api_url=fake.api_url, app_id=1, private_key=SecretStr("k"), seconds_between_writes=0.0)
        )


def test_an_unreadable_private_key_is_named_and_not_repeated(fake: FakeGithub) -> None:
    settings = GithubSettings(
        api_url=fake.api_url,
        app_id=1,
        installation_id=2,
        private_key=SecretStr("hunter2-no-key"),
        seconds_between_writes=0.0,
    )
    client = GithubClient.from_settings(settings)
    with client, pytest.raises(PermanentError, match="HEALFLOW_GITHUB__PRIVATE_KEY") as told:
        client.branches.default(REPOSITORY)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("name", ["shop", "../x/y", "acme/..", "acme/shop/x", "a b/c", "acme/shop?x=1", ""])
def test_what_is_no_repository_is_not_asked_for(github: GithubClient, fake: FakeGithub, name: str) -> None:
    with pytest.raises(PermanentError, match="is not a repository"):
        github.branches.default(name)
    assert fake.requests == []


@pytest.mark.parametrize("number", ["0", "1/../2", "x", "", "check-7", "9" * 20])
def test_what_is_no_number_is_not_asked_for(github: GithubClient, fake: FakeGithub, number: str) -> None:
    with pytest.raises(PermanentError, match="is not a number"):
        github.runs.read(REPOSITORY, number)
    with pytest.raises(PermanentError, match="is not a number"):
        github.logs.open(REPOSITORY, number)
    assert fake.requests == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_outage_is_transient(github: GithubClient, fake: FakeGithub, status: int) -> None:
    fake.fail("GET", RUN, status, times=9)
    with pytest.raises(TransientError, match=f"could not read the run 5 of acme/shop: too many {status}"):
        github.runs.read(REPOSITORY, "5")


def test_a_read_is_tried_again_after_an_outage(fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    fake.fail("GET", RUN, 502)
    with client_of(fake) as client:
        assert client.runs.read(REPOSITORY, str(number)).run_id == str(number)
    assert len(fake.requests) == 2


def test_a_write_is_never_sent_twice_by_itself(fake: FakeGithub) -> None:
    fake.fail("POST", r".*/statuses/.*", 502, times=9)
    with client_of(fake, tries=3) as client, pytest.raises(UnknownOutcomeError):
        client.statuses.mark(REPOSITORY, fake.refs["main"], MARK)
    assert len(fake.writes) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_rate_limit_is_handed_on_and_not_slept_through(fake: FakeGithub, method: str, status: int) -> None:
    told = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    fake.fail(method, ".*/statuses.*", status, body=told, headers={"Retry-After": "3600"}, times=9)
    started = time.monotonic()
    with client_of(fake, tries=3) as client, pytest.raises(TransientError, match="rate limit") as raised:
        client.statuses.mark(REPOSITORY, fake.refs["main"], MARK)
    assert raised.value.retry_after_seconds == 3600
    assert not isinstance(raised.value, UnknownOutcomeError)
    assert time.monotonic() - started < 5
    assert fake.statuses == {}


def test_a_spent_primary_limit_says_when_it_is_filled_again(github: GithubClient, fake: FakeGithub) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 900)}
    fake.fail("GET", RUN, 403, body={"message": "API rate limit exceeded for user ID 1."}, headers=headers, times=9)
    with pytest.raises(TransientError) as raised:
        github.runs.read(REPOSITORY, "5")
    assert raised.value.retry_after_seconds == pytest.approx(901, abs=10)


def test_a_missing_permission_is_named(github: GithubClient, fake: FakeGithub) -> None:
    fake.permissions["actions"] = "read"
    number = fake.run(fake.refs["main"])
    run = github.runs.read(REPOSITORY, str(number))
    with pytest.raises(PermanentError, match=r"403: Resource not accessible by integration.*'actions: write'"):
        github.runs.rerun_failed_jobs(run)
    assert len(fake.runs[number]) == 1


def test_what_is_gone_is_not_found(github: GithubClient) -> None:
    with pytest.raises(NotFoundError, match="does not exist any more"):
        github.runs.read(REPOSITORY, "5")


def test_a_conflict_says_so(github: GithubClient, fake: FakeGithub) -> None:
    fake.fail("POST", r".*/statuses/.*", 409, body={"message": "Merge conflict"})
    with pytest.raises(ConflictError, match=r"Merge conflict.*by hand"):
        github.statuses.mark(REPOSITORY, fake.refs["main"], MARK)


@pytest.mark.parametrize("body", [[], {}, {"id": "x"}, "text", {"id": 1, "repository": None}])
def test_an_answer_of_unknown_form_is_an_error_and_no_crash(
    github: GithubClient, fake: FakeGithub, body: object
) -> None:
    fake.fail("GET", RUN, 200, body=body)
    with pytest.raises(PermanentError, match="not the known form"):
        github.runs.read(REPOSITORY, "5")


def test_a_server_that_is_down_is_transient() -> None:
    down = GithubSettings(api_url="http://127.0.0.1:9", token=SecretStr("t"))
    client = GithubClient(Connection(down, tries=0))
    with client, pytest.raises(TransientError, match="could not read the repository"):
        client.branches.default(REPOSITORY)


def test_a_child_process_gets_the_same_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALFLOW_GITHUB__TOKEN", "secret-1")
    monkeypatch.setenv("HEALFLOW_GITHUB__APP_ID", "7")
    settings = Settings()
    assert settings.github.token is not None
    assert "secret-1" not in repr(settings)
    environment = handed_on(settings)
    assert environment["HEALFLOW_GITHUB__TOKEN"] == "secret-1"
    assert environment["HEALFLOW_GITHUB__APP_ID"] == "7"
    assert environment["HEALFLOW_GITHUB__API_URL"] == "https://api.github.com"


def test_an_app_works_as_its_installation_and_is_known_by_its_name(fake: FakeGithub, private_key: str) -> None:
    settings = GithubSettings(
        api_url=fake.api_url,
        app_id=7,
        installation_id=8,
        private_key=SecretStr(private_key),
        seconds_between_writes=0.0,
    )
    fake.login = "healflow[bot]"
    with GithubClient(Connection(settings, tries=0)) as client:
        first = client.comments.post(REPOSITORY, 5, "triage", "one")
        assert client.comments.post(REPOSITORY, 5, "triage", "two").comment_id == first.comment_id
    assert {request.headers["authorization"].rpartition(" ")[2] for request in fake.writes[1:]} == {INSTALLATION_TOKEN}


def test_the_token_of_a_workflow_job_knows_its_own_comment(github: GithubClient, fake: FakeGithub) -> None:
    fake.login = "github-actions[bot]"
    first = github.comments.post(REPOSITORY, 5, "triage", "one")
    assert github.comments.post(REPOSITORY, 5, "triage", "two").comment_id == first.comment_id


def test_git_fetches_from_the_host_of_the_api_with_the_same_token(private_key: str, fake: FakeGithub) -> None:
    for api, git in (
        ("https://api.github.com", "https://github.com"),
        ("https://git.example.org/api/v3", "https://git.example.org"),
    ):
        settings = GithubSettings(api_url=api, token=SecretStr("t"))
        remote = GithubClient.from_settings(settings).git_remote(REPOSITORY)
        assert remote.url == f"{git}/acme/shop.git"
        assert remote.authorization is not None
        assert b64decode(remote.authorization.get_secret_value().removeprefix("Basic ")) == b"x-access-token:t"
    app = GithubSettings(
        api_url=fake.api_url,
        app_id=7,
        installation_id=8,
        private_key=SecretStr(private_key),
        seconds_between_writes=0.0,
    )
    with GithubClient.from_settings(app) as client:
        told = client.git_remote(REPOSITORY).authorization
    assert told is not None
    assert b64decode(told.get_secret_value().removeprefix("Basic ")).endswith(INSTALLATION_TOKEN.encode())


def test_git_gets_no_credentials_for_a_folder() -> None:
    settings = GithubSettings(git_url="file:///srv/git", token=SecretStr("t"))
    remote = GithubClient.from_settings(settings).git_remote(REPOSITORY)
    assert (remote.url, remote.authorization) == ("file:///srv/git/acme/shop.git", None)
