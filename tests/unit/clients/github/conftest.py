"""A behaving GitHub and a client of it that does not wait."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tasks.clients.github import GithubClient
from tasks.clients.github.connection import Connection
from tasks.settings import GithubSettings
from tests.fakes.github import TOKEN, FakeGithub, serving


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {"shop.py": "x=1\n", "old.txt": "o\n"}, message="Open the shop")
        yield github


def client_of(fake: FakeGithub, *, token: str | None = TOKEN, tries: int = 1) -> GithubClient:
    """Waits of more than 0 s are refused, so that no test sleeps; the caller closes it."""
    settings = GithubSettings(
        api_url=fake.api_url, token=SecretStr(token) if token else None, seconds_between_writes=0.0
    )
    return GithubClient(Connection(settings, tries=tries, max_wait_seconds=0.0, timeout_seconds=5))


@pytest.fixture
def github(fake: FakeGithub) -> Iterator[GithubClient]:
    with client_of(fake) as client:
        yield client


@pytest.fixture(scope="session")
def private_key() -> str:
    """The key of an App that nobody has."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
