"""The gateway: webhooks in, committed to the ledger before they are answered."""

from deployments.gateway.app import make_app

__all__ = ["make_app"]
