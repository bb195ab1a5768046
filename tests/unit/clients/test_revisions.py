"""Verified revisions: of the right workload and cluster only, the newest first, each once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ObjectRef
from tasks.domain.rollout import VerifiedRevision

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def verified(number: int, **changed: Any) -> VerifiedRevision:
    values = {
        "context": "home",
        "ref": CART,
        "revision": number,
        "replica_set": f"cart-{number}",
        "replica_set_uid": f"uid-{number}",
        "commit": "a" * 40,
        "deployed_at": NOW,
        "verified_at": NOW + timedelta(minutes=number),
    }
    return VerifiedRevision.model_validate({**values, **changed})


def test_nothing_is_verified_before_it_is_recorded(ledger: Ledger) -> None:
    assert ledger.revisions.last_verified("home", CART) is None


def test_other_clusters_and_workloads_do_not_count(ledger: Ledger) -> None:
    ledger.revisions.record_verified(verified(1, context="away"))
    ledger.revisions.record_verified(verified(2, ref=CART.model_copy(update={"namespace": "other"})))
    assert ledger.revisions.last_verified("home", CART) is None
    assert [one.revision for one in ledger.revisions.verified_in("home", "other")] == [2]


def test_newest_is_the_last_and_the_same_one_again_is_renewed(ledger: Ledger) -> None:
    for one in (verified(1), verified(2), verified(1, commit="b" * 40, verified_at=NOW + timedelta(hours=1))):
        ledger.revisions.record_verified(one)
    found = ledger.revisions.last_verified("home", CART)
    assert found is not None
    assert (found.revision, found.commit) == (1, "b" * 40)
    assert len(ledger.revisions.verified_of("home", CART)) == 2
