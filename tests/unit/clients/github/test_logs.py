"""Logs are streamed from another host, which never sees our credentials."""

import tracemalloc

import pytest

from tasks.clients.github import GithubClient
from tasks.errors import PermanentError, TransientError
from tests.fakes.github import REPOSITORY, TOKEN, FakeGithub


def _job(fake: FakeGithub, log: bytes | None) -> str:
    return str(fake.job(fake.run(fake.refs["main"]), log=log))


def test_an_expired_log_says_so(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(PermanentError, match=r"has expired or was deleted.*run the job again"):
        github.logs.open(REPOSITORY, _job(fake, None))


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_log_that_its_host_no_longer_has_is_expired(github: GithubClient, fake: FakeGithub, status: int) -> None:
    job = _job(fake, b"x")
    fake.log_status = status
    with pytest.raises(PermanentError, match="has expired or was deleted"):
        github.logs.open(REPOSITORY, job)


def test_an_outage_of_the_log_host_is_transient(github: GithubClient, fake: FakeGithub) -> None:
    job = _job(fake, b"x")
    fake.log_status = 503
    with pytest.raises(TransientError, match="answered 503"):
        github.logs.open(REPOSITORY, job)


def test_a_log_that_breaks_off_is_not_taken_for_a_whole_one(github: GithubClient, fake: FakeGithub) -> None:
    job = _job(fake, b"line\n" * 1000)
    fake.log_cut_bytes = 100
    with github.logs.open(REPOSITORY, job) as stream, pytest.raises(TransientError, match="broke off"):
        stream.read()


def test_an_answer_without_an_address_is_an_error(github: GithubClient, fake: FakeGithub) -> None:
    job = _job(fake, b"x")
    fake.fail("GET", ".*/logs", 200, body={})
    with pytest.raises(PermanentError):
        github.logs.open(REPOSITORY, job)


def test_a_log_at_no_web_address_is_not_opened(github: GithubClient, fake: FakeGithub) -> None:
    job = _job(fake, b"x")
    fake.fail("GET", ".*/logs", 302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(PermanentError, match="no address"):
        github.logs.open(REPOSITORY, job)


def test_the_token_is_never_sent_to_the_host_of_the_log(github: GithubClient, fake: FakeGithub) -> None:
    with github.logs.open(REPOSITORY, _job(fake, b"text\n")) as stream:
        assert stream.read() == b"text\n"
    assert any(TOKEN in request.headers.get("authorization", "") for request in fake.requests)
    assert len(fake.log_requests) == 1
    assert not any(TOKEN in value for value in fake.log_requests[0].headers.values())
    assert "authorization" not in fake.log_requests[0].headers


def test_a_large_log_is_read_with_little_memory(github: GithubClient, fake: FakeGithub) -> None:
    size = 32 << 20
    job = _job(fake, b"0123456789abcde\n" * (size // 16))
    with github.logs.open(REPOSITORY, job) as stream:
        stream.read(1)
        tracemalloc.start()
        read = 1
        while block := stream.read(1 << 20):
            read += len(block)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert read == size
    assert peak < 8 << 20
