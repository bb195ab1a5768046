"""Asks one URL whether it answers: for the smoke test after a deploy."""

import time
from collections.abc import Callable

from tasks.errors import BadInputError

REQUEST_SECONDS = 5.0


def wait_for_answer(
    url: str,
    *,
    timeout_seconds: float,
    answers_in_a_row: int = 1,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Empty once the URL answers with 2xx, `answers_in_a_row` times a second apart; else what was wrong the last time,
    after `timeout_seconds`.

    Raises:
        BadInputError: it is no http or https address.
    """
    import httpx

    if not url.startswith(("http://", "https://")):
        raise BadInputError(f"a smoke test needs an http or https address, not {url[:200]!r}")
    until, missing = clock() + timeout_seconds, answers_in_a_row
    while True:
        try:
            # What answers is the service itself: a redirect is no answer, and a proxy's would be another's.
            status = httpx.get(url, timeout=REQUEST_SECONDS, trust_env=False).status_code
            said = "" if 200 <= status < 300 else f"{url} answered with HTTP {status}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = f"{url} does not answer ({type(error).__name__}: {error})"
        missing = answers_in_a_row if said else missing - 1
        if missing <= 0 or (said and clock() >= until):
            return said
        wait(1.0)
