"""Which requests are sent again by themselves: reads, and only after a wait that is short enough to sit out."""

from types import TracebackType

from github import GithubRetry
from github.GithubException import RateLimitExceededExceedsMaxWait
from urllib3.connectionpool import ConnectionPool
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""A write that was answered with 502 may have taken effect: it is looked for, not sent again."""


class BoundedRetry(GithubRetry):
    """GithubRetry sleeps as long as a Retry-After header says, whatever `max_rate_limit_wait` is; this does not."""

    def increment(  # type: ignore[override]
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Retry:
        """Count one failed try.

        Raises:
            RateLimitExceededExceedsMaxWait: GitHub asks for a longer wait than is sat out here.
        """
        asked = self.get_retry_after(response) if response is not None else None
        if response is not None and asked is not None and asked > (self.max_rate_limit_wait or 0.0):
            response.drain_conn()
            response.close()
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise RateLimitExceededExceedsMaxWait(response.status, None, headers, "GitHub asks to wait", wait=asked)
        return super().increment(method, url, response, error, _pool, _stacktrace)  # type: ignore[arg-type]


def bounded_retry(*, tries: int, max_wait_seconds: float) -> BoundedRetry:
    """The policy for one connection: so many more tries for reads, none for writes."""
    return BoundedRetry(
        total=tries,
        max_rate_limit_wait=max_wait_seconds,
        secondary_rate_wait=max_wait_seconds,
        allowed_methods=SAFE_METHODS,
        backoff_factor=0.2,
    )
