"""GitHub: reads runs, logs and changes; writes re-runs, branches of our own, pull requests, comments and statuses.

What another account could lose is never written: no branch but `healflow/…`, no comment that is not ours.
"""

from tasks.clients.github.client import GithubClient
from tasks.clients.github.failures import UnknownOutcomeError

__all__ = ["GithubClient", "UnknownOutcomeError"]
