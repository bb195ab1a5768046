"""Changes single places of a pod template: back to what an earlier revision had, or a probe to a declared port."""

from collections.abc import Sequence
from typing import Self

from pydantic import Json as JsonText
from pydantic import model_validator

from tasks.act.cluster_change import (
    MISSING,
    ROLLING_KINDS,
    ChangeEngine,
    Operation,
    TargetParameters,
    change_spec,
    only_paths,
    value_at,
)
from tasks.act.context import ClusterContext
from tasks.act.revisions import kept_template
from tasks.act.spec import Right
from tasks.domain.cluster import Json, KubeObject
from tasks.domain.plan import Remedy, Risk
from tasks.domain.pod_template import PROBES, Place, put_back
from tasks.errors import PermanentError

_PROBE_PORT = only_paths(
    r"/spec/template/spec/containers/\d+/(?:liveness|readiness|startup)Probe/(?:httpGet|tcpSocket|grpc)/port"
)


class PatchWorkloadParameters(TargetParameters):
    """Either places and the revision that they are taken from, or the ports of probes."""

    revision: str = ""
    revision_uid: str = ""
    places: JsonText[tuple[Place, ...]] = ()
    """Their values are read when the change is made."""
    operations: JsonText[tuple[Operation, ...]] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.places) == bool(self.operations) or bool(self.places) != bool(self.revision and self.revision_uid):
            raise ValueError("name places with their revision, or operations")
        return self


def _derive(context: ClusterContext, wanted: PatchWorkloadParameters, live: KubeObject) -> Sequence[Operation]:
    if wanted.operations:
        if any(row.op != "set" or not isinstance(row.value, int | str) for row in wanted.operations):
            raise PermanentError("the port of a probe is a number or a name")
        return _PROBE_PORT(context, wanted, live)
    template = kept_template(context, live, wanted.revision, wanted.revision_uid)
    found = [row for place in wanted.places if (row := _operation(live, template, place)) is not None]
    if not found:
        raise PermanentError(f"{live.ref} has these values already")
    return found


def _operation(live: KubeObject, template: Json, place: Place) -> Operation | None:
    back = put_back(live.pod_template, template, place)
    if back is None:
        raise PermanentError(
            f"{live.ref} and its earlier revision do not both have a container {place.container[:60]!r}"
        )
    path = f"/spec/template{back.path}"
    if back.value is not None:
        return Operation(path=path, value=back.value)
    if place.field in PROBES:
        raise PermanentError(f"the earlier revision has no {place.field}, and a probe is never taken away")
    return Operation(op="remove", path=path) if value_at(live.raw, path) is not MISSING else None


SPEC = change_spec(
    Remedy.PATCH_WORKLOAD,
    Risk.MEDIUM,
    ChangeEngine(parameters=PatchWorkloadParameters, kinds=ROLLING_KINDS, derive=_derive),
    also=(
        Right(group="apps", resource="replicasets", verbs=("get",)),
        Right(group="apps", resource="controllerrevisions", verbs=("get",)),
    ),
)
