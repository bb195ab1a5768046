"""Programs that are told to use more memory than they may have, as manifests alone show it."""

import pytest

from tasks.diagnose.analyzers.cluster.memory import find_memory_wishes
from tests.unit.diagnose.cluster.analyzers.noticing import noticed, read_in

POD = """
apiVersion: v1
kind: Pod
metadata: {name: eater, namespace: shop}
spec: {containers: [{name: app, image: a, command: COMMAND, resources: {limits: {memory: 256Mi}}}]}
"""


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("[stress, --vm, '1', --vm-bytes, 300M]", 1),
        ("[java, -Xmx1g, -jar, a.jar]", 1),
        ("[node, --max-old-space-size=512, a.js]", 1),
        ("[sh, -c, 'tail /dev/zero']", 1),
        ("[stress, --vm, '1', --vm-bytes, 100M]", 0),
        ("[java, -Xmx128m, -jar, a.jar]", 0),
        ("[sh, -c, 'sleep 3600']", 0),
    ],
)
def test_what_a_command_wants_is_held_against_the_limit(command: str, found: int) -> None:
    assert len(read_in(find_memory_wishes, POD.replace("COMMAND", command))) == found


def test_cluster_that_runs_tells_by_itself() -> None:
    assert (
        noticed(find_memory_wishes, lambda state: state.workload("web", {"command": ["tail", "/dev/zero"]}) and None)
        == set()
    )
