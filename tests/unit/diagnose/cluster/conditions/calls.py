"""Calls that nobody answers: the port of a service, a policy that lets nobody out, and callers that do not say whom they
asked. Each with what looks alike and is another story.
"""

from typing import Any

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State, ago
from tests.unit.diagnose.cluster.conditions.table import Condition, Plant, fault, hint, well

DB = "Service/shop/db"
POLICY = "NetworkPolicy/shop/few-out"
NAMELESS = "httpx.ConnectTimeout: timed out"
CALM = [f"INFO request {number} done" for number in range(80)]


def shop(state: State, *, db: Raw | None = None, target: Any = None, variables: Raw | None = None) -> None:
    """`api` asks `db`, whose container is as given."""
    state.workload("db", db or {})
    state.service("db", port=5432, target=target, clusterIP="10.43.0.9")
    named = {"DB_HOST": "db", "DB_PORT": "5432"} if variables is None else variables
    state.workload("api", {"env": [{"name": name, "value": value} for name, value in named.items()]})


def says(*lines: str, db: Raw | None = None, target: Any = 9999, log: str = "", variables: Raw | None = None) -> Plant:
    """`api` crashes with these lines; `log` is what `db` says when it begins."""

    def plant(state: State) -> None:
        shop(state, db=db, target=target, variables=variables)
        state.crash("api", *lines)
        if log:
            state.log(state.pods("db")[0], log)

    return plant


def goes_on(state: State, *lines: str) -> None:
    """`api` is ready, and says these lines among many."""
    shop(state, target=9999)
    state.log(state.pods("api")[0], *(line for one in lines for line in (*CALM, one)))


def seldom_refused(state: State) -> None:
    goes_on(state, *["ERROR sync failed: dial tcp 10.43.0.9:5432: connect: connection refused"] * 4)


def refused_once(state: State) -> None:
    goes_on(state, "ERROR sync failed: dial tcp 10.43.0.9:5432: connect: connection refused", *["INFO ok"] * 9)


def probe_refused(state: State) -> None:
    """The command of the readiness probe asks another service."""
    shop(state, target=9999)
    for pod in state.unready("api"):
        state.tell(
            pod,
            "Unhealthy",
            "Readiness probe failed: curl: (7) Failed to connect to db port 5432 after 1 ms: Could not connect to server",
        )


def probe_of_itself(state: State) -> None:
    shop(state)
    for pod in state.unready("api"):
        state.tell(
            pod,
            "Unhealthy",
            'Readiness probe failed: Get "http://10.42.0.12:8080/": dial tcp 10.42.0.12:8080: connect: connection refused',
        )


def kept_in(*lines: str, egress: list[Raw] | None = None, variables: Raw | None = None) -> Plant:
    """A policy on `api`, which says these lines."""

    def plant(state: State) -> None:
        state.put("Namespace", "kube-system", namespace="")
        dns = state.workload("coredns", labels={"k8s-app": "kube-dns"}, namespace="kube-system")
        assert dns
        shop(state, variables=variables)
        chosen = {"matchLabels": {"app": "api"}}
        rules = [DNS] if egress is None else egress
        state.put("NetworkPolicy", "few-out", spec={"podSelector": chosen, "policyTypes": ["Egress"], "egress": rules})
        state.crash("api", *lines)

    return plant


def of_a_config(state: State) -> None:
    """The host stands in a ConfigMap."""
    kept_in(NAMELESS, variables={})(state)
    state.put("ConfigMap", "api", data={"DB_URL": "postgres://db:5432/shop"})
    named = [{"configMapRef": {"name": "api"}}]
    for item in (*state.pods("api"), state.get("Deployment", "api")):
        spec = item["spec"] if item["kind"] == "Pod" else item["spec"]["template"]["spec"]
        spec["containers"][0]["envFrom"] = named


def two_named(state: State) -> None:
    """Of two services that it may have asked, one has no pod that is ready."""
    shop(state, variables={"DB": "db:5432", "CACHE": "cache:6379"})
    state.workload("cache")
    state.service("cache", port=6379)
    state.crash("api", "httpx.ConnectError: All connection attempts failed")
    state.crash("cache", "Fatal error loading the DB: Permission denied")


def just_begun(state: State) -> None:
    """`db` became ready after the caller had given up."""
    shop(state)
    for pod in state.pods("db"):
        pod["status"]["conditions"][2]["lastTransitionTime"] = ago(0.5)
    state.crash("api", "dial tcp 10.43.0.9:5432: connect: connection refused")


DNS: Raw = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"port": 53, "protocol": "UDP"}],
}
OTHER_DNS: Raw = {"to": [{"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}], "ports": [{"port": 53}]}
WORLD: Raw = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]}
REFUSALS = (
    "wget: can't connect to remote host (10.43.0.9): Connection refused",
    "curl: (7) Failed to connect to db port 5432 after 2 ms: Couldn't connect to server",
    "curl: (7) Failed to connect to db.shop.svc.cluster.local port 5432 after 0 ms: Could not connect to server",
    'connection to server at "db" (10.43.0.9), port 5432 failed: Connection refused',
    "redis.exceptions.ConnectionError: Error 111 connecting to db:5432. Connection refused.",
    "java.net.ConnectException: Connection refused: db/10.43.0.9:5432",
    "ERROR 2003 (HY000): Can't connect to MySQL server on 'db:5432' (111)",
)
CONDITIONS: tuple[Condition, ...] = (
    *(fault(f"a port on which nobody listens, as a client says: {line[:40]}", says(line), F.K8S_SVC_PORT, DB) for line in REFUSALS),
    fault("a port on which nobody listens, in several lines", says("could not connect to server: Connection refused", 'Is the server running on host "db" (10.43.0.9) and accepting'), F.K8S_SVC_PORT, DB),
    fault("a port on which nobody listens, of a client that does not say whom it asked", says("httpx.ConnectError: [Errno 111] Connection refused"), F.K8S_SVC_PORT, DB),
    fault("a port beside the one that the command tells, of a caller that is refused", says("dial tcp 10.43.0.9:5432: connect: connection refused", db={"args": ["--port=5433"]}, target=5432), F.K8S_SVC_PORT, DB),
    fault("a port beside the one that the log of the server tells", says("dial tcp 10.43.0.9:5432: connect: connection refused", log="listening on IPv4 address 0.0.0.0:5433"), F.K8S_SVC_PORT, DB),
    fault("a service sends to the name of a port, and no pod names any", lambda s: shop(s, target="pg"), F.K8S_SVC_PORT, DB),
    hint("a port beside the one that the command tells, and nobody is refused", lambda s: shop(s, db={"args": ["--port=5433"]}), F.K8S_SVC_PORT, DB),
    fault("a program has used up its own connections", says("HikariPool-1 - Connection is not available, request timed out after 30000ms", target=5432), F.K8S_CRASH_DEP, "Deployment/shop/api"),
    well("the port that the command tells", lambda s: shop(s, db={"args": ["--port=5432"]})),
    well("the port of a variable", lambda s: shop(s, db={"env": [{"name": "PORT", "value": "8080"}]}, target=8080)),
    fault("a ready program is refused by a service now and then", seldom_refused, F.K8S_SVC_PORT, DB),
    hint("a ready program was refused once", refused_once, F.K8S_CRASH_DEP, "Deployment/shop/api"),
    fault("the command of a probe is refused by a service", probe_refused, F.K8S_SVC_PORT, DB),
    fault("a probe is refused by its own pod", probe_of_itself, F.K8S_PROBE_READY, "Deployment/shop/api"),
    fault("a caller gave up before the other side was ready", just_begun, F.K8S_CRASH_DEP, DB),
    fault("one of two services that may have been asked has no ready pod", two_named, F.K8S_CRASH_PERM, "Deployment/shop/cache"),
    fault("a policy keeps in who does not say whom it asked", kept_in(NAMELESS), F.K8S_NETPOL, POLICY),
    fault("a policy keeps in who reads the host from a ConfigMap", of_a_config, F.K8S_NETPOL, POLICY),
    fault("a policy keeps in who asks outside", kept_in("requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='api.stripe.com', port=443): Max retries exceeded"), F.K8S_NETPOL, POLICY),
    fault("a policy lets names go to the wrong namespace", kept_in("dial tcp: lookup db: i/o timeout", egress=[OTHER_DNS]), F.K8S_NETPOL, POLICY),
    fault("a policy lets go where it asks, and nobody answers there", kept_in("requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='api.stripe.com', port=443): Max retries exceeded", egress=[DNS, WORLD]), F.K8S_CRASH_DEP, "Deployment/shop/api"),
    fault("a policy lets go to the service it is told to ask", kept_in(NAMELESS, egress=[DNS, {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]), F.K8S_CRASH_DEP, DB),
)  # fmt: skip
