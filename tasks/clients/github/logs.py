"""A job's log as a stream: GitHub answers with a signed address elsewhere, which is read without our credentials."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from tasks.clients.github.connection import Connection, check_number, repository_path
from tasks.errors import NotFoundError, PermanentError, TransientError

if TYPE_CHECKING:
    import httpx

_CHUNK_BYTES = 1 << 16
_GONE = (403, 404, 410)
"""What the storage answers when the log was deleted or the signature of the address is too old."""


class Logs:
    """Opens logs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, repository: str, job_id: str) -> BinaryIO:
        """The raw log of one job; at most one chunk of it is in memory. The caller closes it.

        Raises:
            PermanentError: the log has expired or was deleted.
            TransientError: it cannot be read now; reading on may raise it too.
        """
        return open_signed(
            self.address(repository, job_id),
            what=f"log of job {job_id} of {repository}",
            timeout_seconds=self._connection.timeout_seconds,
        )

    def address(self, repository: str, job_id: str) -> str:
        """The signed address of the log, good for one minute.

        Raises:
            PermanentError: the log has expired or was deleted.
        """
        path = f"{repository_path(repository)}/actions/jobs/{check_number(job_id)}/logs"
        what = f"read the log of job {job_id} of {repository}"
        try:
            return self._connection.redirect_of(path, what=what, needs="actions: read")
        except NotFoundError as error:
            raise _expired(f"log of job {job_id} of {repository}", str(error)) from error


def _expired(what: str, told: str) -> PermanentError:
    return PermanentError(
        f"the {what} has expired or was deleted ({told}); run the job again to get a new one, or keep logs longer "
        "(repository settings, Actions, retention)"
    )


def open_signed(address: str, *, what: str, timeout_seconds: float) -> BinaryIO:
    """What lies at a signed address, as a stream, read without our credentials; the caller closes it.

    Raises:
        PermanentError: it has expired or was deleted.
        TransientError: it cannot be read now; reading on may raise it too.
    """
    import httpx

    if urlsplit(address).scheme not in ("https", "http"):
        raise PermanentError(f"the {what} lies at no address that can be read")
    # A client of its own: no header, cookie or netrc entry of the API's goes to the log's host.
    client = httpx.Client(timeout=timeout_seconds, follow_redirects=True, max_redirects=3)
    try:
        response = client.send(client.build_request("GET", address), stream=True)
    except httpx.HTTPError as error:
        client.close()
        raise TransientError(f"the {what} could not be fetched ({type(error).__name__})") from error
    if response.status_code == 200:
        return io.BufferedReader(_LogStream(client, response, what), _CHUNK_BYTES)
    response.close()
    client.close()
    if response.status_code in _GONE:
        raise _expired(what, f"its storage answered {response.status_code}")
    raise TransientError(f"the {what} could not be fetched: its storage answered {response.status_code}")


class _LogStream(io.RawIOBase):
    """The body of a response as a raw stream."""

    def __init__(self, client: "httpx.Client", response: "httpx.Response", what: str) -> None:
        self._client, self._response, self._what = client, response, what
        self._chunks: Iterator[bytes] = response.iter_bytes(_CHUNK_BYTES)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        import httpx

        if not self._rest:
            try:
                self._rest = memoryview(next(self._chunks, b""))
            except httpx.HTTPError as error:
                raise TransientError(f"the {self._what} broke off ({type(error).__name__})") from error
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)

    def close(self) -> None:
        if not self.closed:
            self._response.close()
            self._client.close()
        super().close()
