"""Corrects which pods a Service leads to, and on which of their ports."""

from tasks.act.cluster_change import ChangeEngine, PatchObjectParameters, change_spec, only_paths
from tasks.domain.plan import Remedy, Risk

SPEC = change_spec(
    Remedy.PATCH_SERVICE,
    Risk.MEDIUM,
    ChangeEngine(
        parameters=PatchObjectParameters,
        kinds=("Service",),
        derive=only_paths(r"/spec/selector(/[^/]+)?|/spec/ports/\d+/targetPort"),
    ),
)
