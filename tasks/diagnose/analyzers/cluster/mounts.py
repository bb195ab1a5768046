"""From which ConfigMap or Secret the files of a container come."""

import re

from tasks.diagnose.analyzers.cluster.reading import containers_of
from tasks.domain.cluster import KubeObject, ObjectRef, dig, mappings_of

_PATH = re.compile(r"(?<![\w:/.])(/[\w.@-]+(?:/[\w.@-]+)+)")


def mounted_source(pod: KubeObject, container: str, text: str) -> tuple[str, ObjectRef | None]:
    """The first path in the text that lies in what the container mounts from a ConfigMap or Secret, and that object."""
    chosen = next((row for row in containers_of(pod.spec) if row.get("name") == container), None)
    if chosen is None:
        return "", None
    sources = {row.get("name"): _object_of(pod, row) for row in mappings_of(pod.spec.get("volumes"))}
    for path in (found.rstrip(".") for found in _PATH.findall(text)):
        for mount in mappings_of(chosen.get("volumeMounts")):
            place, source = str(mount.get("mountPath") or "").rstrip("/"), sources.get(mount.get("name"))
            if source is not None and place and (path == place or path.startswith(f"{place}/")):
                return path, source
    return "", None


def _object_of(pod: KubeObject, volume: object) -> ObjectRef | None:
    config, secret = dig(volume, "configMap", "name"), dig(volume, "secret", "secretName")
    name = config or secret
    kind = "ConfigMap" if config else "Secret"
    return ObjectRef(kind=kind, namespace=pod.namespace, name=str(name)) if name else None
