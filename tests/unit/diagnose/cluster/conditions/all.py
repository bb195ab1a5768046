"""Every condition, and what of the two lists it is held against has no state of a cluster to show it."""

from tests.unit.diagnose.cluster.conditions import calls, fates, network, pods, storage, unseen, workloads
from tests.unit.diagnose.cluster.conditions.table import Condition

CONDITIONS: tuple[Condition, ...] = (
    *pods.CONDITIONS,
    *network.CONDITIONS,
    *calls.CONDITIONS,
    *fates.CONDITIONS,
    *storage.CONDITIONS,
    *workloads.CONDITIONS,
    *unseen.CONDITIONS,
)
SHOWN_ELSEWHERE = {
    "node.bootstrap": "the console of a machine shows it, before there is a cluster",
    "api.unreachable": "a capture that gets no answer says so: tests/unit/diagnose/cluster/test_joining.py",
    "dep.no-rollback": "the roll back remedy finds it: tests/unit/plan/test_roll_back_verified.py",
    "dep.smoke": "the deploy flow finds it by asking the service: tests/cluster/test_deploy.py",
    "k8s.slow": "logs that grow slower show it: tests/unit/diagnose/cluster/test_complaints.py",
    "loop.ineffective": "the ledger shows it, over several heals",
    "loop.storm": "causes are joined, one for all of their victims: tests/unit/diagnose/cluster/test_joining.py",
    "loop.target-mismatch": "a plan is checked against its diagnosis, not a cluster",
    "llm.down / budget": "the provider of a model shows it",
    "llm.injection": "the intake of outside text holds it off",
    "TestGatewayAnalyzersConcurrentScheme": "about threads of that program",
    "TestFetchLatestEvent": "events are sorted by their time in the snapshot: test_snapshot.py",
}
