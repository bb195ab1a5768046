"""The one place where requests go out: PyGithub with bounded waits, credentials, and errors translated."""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from tasks.clients.github.failures import UnknownOutcomeError, translate
from tasks.domain.code_host import GitRemote
from tasks.errors import NotFoundError, PermanentError, TransientError
from tasks.settings import GithubSettings

if TYPE_CHECKING:
    from github.Auth import AppAuth, Auth
    from github.Requester import Requester
    from requests import RequestException

PAGE_SIZE = 100
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_BRANCH = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.|[./]$))[^\x00-\x20\x7f~^:?*\[\\]{1,200}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")


class Connection:
    """Requests to one GitHub with one set of credentials, opened at the first request."""

    def __init__(
        self,
        settings: GithubSettings,
        *,
        tries: int = 3,
        max_wait_seconds: float = 60.0,
        timeout_seconds: int = 30,
    ) -> None:
        """`tries` and `max_wait_seconds` are for reads alone; a longer wait is handed on as a TransientError."""
        named = (settings.app_id, settings.installation_id, settings.private_key)
        if settings.token is None and any(named) and not all(named):
            raise PermanentError(
                "a GitHub App needs all of HEALFLOW_GITHUB__APP_ID, HEALFLOW_GITHUB__INSTALLATION_ID and "
                "HEALFLOW_GITHUB__PRIVATE_KEY"
            )
        self._settings = settings
        self._tries, self._max_wait_seconds = tries, max_wait_seconds
        self.timeout_seconds = timeout_seconds
        self._requester: Requester | None = None
        self._login: str | None = None

    @property
    def has_credentials(self) -> bool:
        """Whether anything may be written at all."""
        return self._settings.token is not None or self._settings.app_id is not None

    def close(self) -> None:
        """Give the sockets back; the next request opens them again."""
        if self._requester is not None:
            self._requester.close()
            self._requester = None

    def get(self, path: str, *, what: str, needs: str = "", **query: str | int) -> Any:
        """The JSON at a path below the API's address."""
        return self._json("GET", path, query, None, what=what, needs=needs)[1]

    def find(self, path: str, *, what: str, needs: str = "", **query: str | int) -> Any | None:
        """As `get`; `None` where there is nothing."""
        try:
            return self.get(path, what=what, needs=needs, **query)
        except NotFoundError:
            return None

    def pages(
        self, path: str, *, what: str, key: str | None = None, needs: str = "", limit: int = 1_000, **query: str | int
    ) -> Iterator[Any]:
        """The items of a listing over all its pages, at most `limit`; `key` is where an object holds the list."""
        given = 0
        for page in range(1, limit // PAGE_SIZE + 2):
            document = self.get(path, what=what, needs=needs, **{"per_page": PAGE_SIZE, "page": page, **query})
            items = document.get(key) if key and isinstance(document, dict) else document
            if not isinstance(items, list):
                raise PermanentError(f"GitHub's answer has not the known form, so it cannot {what} (no list)")
            yield from items[: limit - given]
            given += len(items)
            if len(items) < PAGE_SIZE or given >= limit:
                return

    def send(self, verb: str, path: str, body: Mapping[str, Any] | None, *, what: str, needs: str) -> Any:
        """Write, exactly once; `needs` names the permission in GitHub's words, such as `actions: write`.

        Raises:
            UnknownOutcomeError: the answer was lost, so the write may have taken effect.
            PermanentError: there are no credentials, or GitHub refuses.
        """
        if not self.has_credentials:
            raise PermanentError(f"GitHub cannot {what} without credentials: set HEALFLOW_GITHUB__TOKEN or an App")
        return self._json(verb, path, {}, body, what=what, needs=needs)[1]

    def redirect_of(self, path: str, *, what: str, needs: str = "") -> str:
        """The address to which GitHub sends whoever asks for `path`; it is not followed.

        Raises:
            NotFoundError: there is nothing there, any more or at all.
        """
        with self._translating("GET", what, needs):
            status, headers, output = self._connect().requestJson("GET", path)
        location = str(headers.get("location") or "")
        if status not in (301, 302, 303, 307, 308) or not location:
            raise translate(status, _object(output), headers, what=what, needs=needs)
        return location

    def git_remote(self, repository: str) -> GitRemote:
        """Where and how git fetches a repository: https://docs.github.com/en/apps/creating-github-apps/\
authenticating-with-a-github-app/authenticating-as-a-github-app-installation#using-an-installation-access-token-to-authenticate-git-access"""
        repository_path(repository)
        url = f"{self._settings.git_url or _git_host(self._settings.api_url)}/{repository}.git"
        with self._translating("GET", f"get a token to fetch {repository}", "contents: read"):
            auth = self._connect().auth
            token = auth.token if auth is not None else None
        if token is None or not url.startswith("http"):
            return GitRemote(url=url)
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        return GitRemote(url=url, authorization=SecretStr(f"Basic {basic}"))

    def login(self) -> str:
        """The account that writes with our credentials, as GitHub shows it; an App's ends in `[bot]`."""
        if self._login is None:
            self._login = self._ask_login()
        return self._login

    def _ask_login(self) -> str:
        if self._settings.token is None and self._settings.app_id is not None:
            from github import GithubIntegration

            integration = GithubIntegration(
                auth=self._app_auth(), base_url=self._settings.api_url, timeout=self.timeout_seconds
            )
            with self._translating("GET", "tell who our App is", ""), integration:
                return f"{integration.get_app().slug}[bot]"
        try:
            return str(self.get("/user", what="tell whose token ours is")["login"])
        except PermanentError:
            return "github-actions[bot]"  # the token of a workflow job may not ask: GitHub answers 403

    def _json(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
        *,
        what: str,
        needs: str,
    ) -> tuple[dict[str, Any], Any]:
        with self._translating(verb, what, needs):
            return self._connect().requestJsonAndCheck(
                verb, path, parameters=dict(query) or None, input=dict(body) if body is not None else None
            )

    @contextmanager
    def _translating(self, verb: str, what: str, needs: str) -> Iterator[None]:
        import jwt
        import requests
        from github import GithubException
        from github.GithubException import RateLimitExceededExceedsMaxWait

        writes = verb != "GET"
        try:
            yield
        except RateLimitExceededExceedsMaxWait as error:
            raise TransientError(
                f"GitHub asks to wait {error.wait or 0:.0f} s before it will {what} (rate limit)",
                retry_after_seconds=error.wait,
            ) from error
        except GithubException as error:
            headers = {str(name).lower(): value for name, value in (error.headers or {}).items()}
            raise translate(error.status, error.data, headers, what=what, needs=needs, writes=writes) from error
        except requests.RequestException as error:
            kind = UnknownOutcomeError if writes else TransientError
            raise kind(f"GitHub could not {what}: {_reason(error)}") from error
        except jwt.PyJWTError as error:
            raise PermanentError("HEALFLOW_GITHUB__PRIVATE_KEY is no private key in PEM") from error
        except RuntimeError as error:  # PyGithub's word for a redirect to another host
            raise PermanentError(f"GitHub cannot {what}: {str(error)[:300]}") from error

    def _connect(self) -> "Requester":
        if self._requester is None:
            from github import Github

            from tasks.clients.github.retrying import bounded_retry

            self._requester = Github(
                auth=self._auth(),
                base_url=self._settings.api_url,
                timeout=self.timeout_seconds,
                user_agent="healflow",
                per_page=PAGE_SIZE,
                retry=bounded_retry(tries=self._tries, max_wait_seconds=self._max_wait_seconds),
                seconds_between_requests=None,
                seconds_between_writes=self._settings.seconds_between_writes or None,
            ).requester
        return self._requester

    def _auth(self) -> "Auth | None":
        from github import Auth

        if self._settings.token is not None:
            return Auth.Token(self._settings.token.get_secret_value())
        if self._settings.app_id is None or self._settings.installation_id is None:
            return None
        return self._app_auth().get_installation_auth(self._settings.installation_id)

    def _app_auth(self) -> "AppAuth":
        from github import Auth

        key = self._settings.private_key
        if self._settings.app_id is None or key is None:
            raise PermanentError("no GitHub App is set up")
        return Auth.AppAuth(self._settings.app_id, key.get_secret_value())


def _git_host(api_url: str) -> str:
    """`https://api.github.com` -> `https://github.com`, and `https://HOST/api/v3` -> `https://HOST`."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def _reason(error: "RequestException") -> str:
    """What lies behind an error of the connection, such as "too many 502 error responses"."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    return f"it could not be reached ({type(error).__name__})" if reason is None else str(reason).rpartition(": ")[2]


def _object(text: object) -> Any:
    import json

    try:
        return json.loads(str(text))
    except ValueError:
        return None


def repository_path(repository: str) -> str:
    """`/repos/OWNER/NAME`.

    Raises:
        PermanentError: it is no `owner/name`.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise PermanentError(f"{repository[:80]!r} is not a repository on GitHub: owner/name is wanted")
    return f"/repos/{repository}"


def check_branch(name: str) -> str:
    """The name of a branch, escaped for an address.

    Raises:
        PermanentError: it breaks the rules of https://git-scm.com/docs/git-check-ref-format.
    """
    from urllib.parse import quote

    if not _BRANCH.fullmatch(name):
        raise PermanentError(f"{name[:80]!r} is not the name of a branch")
    return quote(name, safe="/")


def check_commit(name: str) -> str:
    """A full commit id, unchanged.

    Raises:
        PermanentError: it is none.
    """
    if not _COMMIT.fullmatch(name):
        raise PermanentError(f"{name[:80]!r} is not the full id of a commit")
    return name


def check_number(name: str) -> str:
    """GitHub's number of a run or job, unchanged.

    Raises:
        PermanentError: it is none.
    """
    if not _NUMBER.fullmatch(name):
        raise PermanentError(f"{name[:80]!r} is not a number of GitHub's")
    return name
