"""Drafts the correction of the one place of a workload that the diagnosis blames, and of nothing beside it."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.domain.pod_template import LISTED, PROBES, Place, PlaceField, container_of, entries_that_differ, put_back
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import (
    deployment_of,
    diff_of,
    identity,
    revision_of,
    revisions_of,
    serves,
    template_of,
)
from tasks.plan.cluster.probe_port import correct_probe_port

_IMAGE: tuple[PlaceField, ...] = ("image",)
_REFERENCES: tuple[PlaceField, ...] = ("env", "envFrom", "volumes")
_BLAMED: Mapping[F, tuple[PlaceField, ...]] = MappingProxyType(
    {
        F.K8S_PROBE_READY: ("readinessProbe", "ports"),
        F.K8S_CRASH_LIVENESS: ("livenessProbe", "startupProbe"),
        F.K8S_IMAGE_NOTFOUND: _IMAGE,
        F.K8S_IMAGE_AUTH: _IMAGE,
        F.K8S_IMAGE_NEVER: _IMAGE,
        F.K8S_CRASH_CMD: ("command", "args"),
        F.K8S_CRASH_ENV: ("env", "envFrom"),
        F.K8S_CRASH_CONFIG: _REFERENCES,
        F.K8S_MOUNT: _REFERENCES,
        F.K8S_CONFIG_KEY: _REFERENCES,
    }
)
_BY_ENTRY = ("env", "volumes")


def patch_workload(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """What is blamed as the earlier revision had it; without one, a probe's port as the container declares it."""
    target = deployment_of(cause, snapshot)
    newest, earlier = revisions_of(target, snapshot)
    if earlier is None:
        return correct_probe_port(cause, snapshot, target)
    if serves(newest, target, snapshot):
        raise Unfit("the newest revision has all its pods ready")
    now, then = template_of(newest), template_of(earlier)
    places = _blamed_places(cause, now, then)
    patched = _with_places(now, then, places)
    if patched == then:
        raise Unfit("nothing else differs from the earlier revision, so that a rollback is the same")
    named = ", ".join(_told(place) for place in places)
    parameters = {
        **identity(target),
        "revision": earlier.name,
        "revision_uid": str(dig(earlier.raw, "metadata", "uid")),
        "places": json.dumps([place.model_dump(mode="json") for place in places]),
    }
    action = Action(
        name=Remedy.PATCH_WORKLOAD,
        target=str(target.ref),
        parameters=parameters,
        risk=Risk.MEDIUM,
        summary=f"Give {target.ref} the {named} of revision {revision_of(earlier)} again, and leave the rest as it is",
        undo=f"give {target.ref} the {named} of revision {revision_of(newest)} again",
        preview=diff_of(now, patched, str(target.ref)),
    )
    return action, target


def _blamed_places(cause: ClusterCause, now: Json, then: Json) -> tuple[Place, ...]:
    fields = _BLAMED.get(cause.diagnosis.failure_class, ())
    names = [str(row.get("name")) for kind in LISTED for row in mappings_of(dig(now, "spec", kind))]
    places = [place for name in names for field in fields if (place := _place(cause, now, then, name, field))]
    if "volumes" in fields and (volumes := _place(cause, now, then, "", "volumes")):
        places.append(volumes)
    containers = {place.container for place in places if place.container}
    if len(containers) > 1:
        containers = {name for name in containers if _mentions(cause.diagnosis.cause, name)}
        if len(containers) != 1:
            raise Unfit("several containers differ from the earlier revision")
        places = [place for place in places if place.container in ("", *containers)]
    if not places:
        raise Unfit("what is blamed does not differ from the earlier revision")
    return tuple(places)


def _place(cause: ClusterCause, now: Json, then: Json, name: str, field: PlaceField) -> Place | None:
    if bool(name) == (field == "volumes"):
        return None
    here = container_of(now, name) if name else mapping_of(now.get("spec"))
    there = container_of(then, name) if name else mapping_of(then.get("spec"))
    if here is None or there is None or here.get(field) == there.get(field):
        return None
    if field in PROBES and there.get(field) is None:
        raise Unfit(f"the earlier revision has no {field}, and a probe is not taken away to make something pass")
    if field not in _BY_ENTRY:
        return Place(container=name, field=field)
    entries = _blamed_entries(cause, here, there, field)
    return Place(container=name, field=field, entries=entries) if entries else None


def _blamed_entries(cause: ClusterCause, here: Json, there: Json, field: str) -> tuple[str, ...]:
    """Those that the diagnosis names, or that refer to what it names; a bad configuration may name none of them."""
    differ = entries_that_differ(here, there, field)
    rows = [row for side in (here, there) for row in mappings_of(side.get(field))]
    named = tuple(
        name
        for name in differ
        if _mentions(cause.diagnosis.cause, name)
        or any(_refers(row, cause.target.name) for row in rows if row.get("name") == name)
    )
    return named or (differ if cause.diagnosis.failure_class is F.K8S_CRASH_CONFIG else ())


def _refers(row: Any, name: str) -> bool:
    if isinstance(row, Mapping):
        return any(
            (key in ("name", "secretName") and value == name) or _refers(value, name) for key, value in row.items()
        )
    return isinstance(row, list | tuple) and any(_refers(one, name) for one in row)


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) is not None


def _with_places(now: Json, then: Json, places: Sequence[Place]) -> Json:
    found: Any = copy.deepcopy(json.loads(json.dumps(now, default=str)))
    for place in places:
        back = put_back(now, then, place)
        if back is None:
            continue
        *way, last = back.path.split("/")[1:]
        holder = found
        for step in way:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        if back.value is None:
            holder.pop(last, None)
        else:
            holder[last] = back.value
    return mapping_of(found)


def _told(place: Place) -> str:
    entries = f" {', '.join(place.entries)}" if place.entries else ""
    return f"{place.field}{entries}" + (f" of container {place.container}" if place.container else "")
