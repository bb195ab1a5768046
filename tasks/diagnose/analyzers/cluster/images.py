"""Images that cannot be pulled: not there, not allowed, too often asked for; or named so that they cannot be there."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    ailing_pods,
    containers_of,
    event_quote,
    events_saying,
    one_line,
    spec_quote,
    states_of,
    status_quote,
)
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_WAITING = re.compile(
    r"^(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|ImageInspectError|RegistryUnavailable|SignatureValidationFailed)$"
)
_KINDS = (
    (F.K8S_IMAGE_NEVER, r"ErrImageNeverPull|not present with pull policy of Never", "is not on the node, and may not be pulled (imagePullPolicy: Never)"),
    (F.K8S_IMAGE_RATE, r"toomanyrequests|rate limit|too many requests|\b429\b", "is not pulled: the registry limits how often it may be asked"),
    (F.K8S_IMAGE_AUTH, r"authorization failed|unauthorized|access denied|denied:|denied\b.*requested access|\b40[13]\b|no basic auth|authentication required|insufficient_scope|pull secret", "cannot be pulled: the registry does not let it, or it does not exist"),
    (F.K8S_IMAGE_NOTFOUND, r"InvalidImageName|invalid reference format|couldn't parse image", "has a name that is not valid"),
    (F.K8S_IMAGE_NOTFOUND, r"no match for platform|no matching manifest|exec format", "does not exist for this kind of machine"),
    (F.K8S_IMAGE_NOTFOUND, r"not found|manifest unknown|does not exist|no such host|404", "does not exist under this name and tag"),
)  # fmt: skip
_PLACEHOLDER = re.compile(
    r"(?:^|[/.:_-])(?:your[-_]?(?:company|org(?:ani[sz]ation)?|name|user(?:name)?|registry|image|repo|app|project|account)|my[-_]?(?:registry|org|company|account)|change[-_]?me|replace[-_]?me|placeholder|example\.(?:com|org)|todo|foo/bar|nonexistent|non-existent|does-?not-?exist|no-?such|invalid|fake|bogus)(?:$|[/.:_-])|[<>{}$]",
    re.I,
)
_VALID = re.compile(
    r"^(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$"
)


def find_image_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each image of a pod that cannot be pulled."""
    for pod in ailing_pods(snapshot):
        for state in states_of(pod):
            if _WAITING.match(state.waiting_reason):
                yield _explain(snapshot, pod, state.name, state.waiting_reason, state.waiting_message)
    if snapshot.desired_only:
        yield from _named_badly(snapshot)
    for item in snapshot.templates():
        yield from _without_secret(snapshot, item)


def _explain(snapshot: ClusterSnapshot, pod: KubeObject, container: str, reason: str, message: str) -> Clue:
    image = next((str(row.get("image")) for row in containers_of(pod.spec) if row.get("name") == container), "")
    events = [
        event
        for event in events_saying(snapshot, pod.ref, r"pull|image")
        if event.warning and (not image or image in event.message or "Error:" not in event.message)
    ]
    telling = [
        event for event in events if "Failed to pull" in event.message or "InspectFailed" in event.reason
    ] or events
    said = one_line(" ".join((reason, message, *(event.message for event in telling[-1:]))))
    found = re.search(r"image \\?\"([^\"\\]+)", said)
    image = image or (found[1] if found else "of the container")
    target = snapshot.workload_of(pod)
    failure_class, why = next(
        ((kind, why) for kind, pattern, why in _KINDS if re.search(pattern, said, re.I)),
        (F.K8S_IMAGE_NOTFOUND, "cannot be pulled"),
    )
    absent = _absent_secret(snapshot, pod) if failure_class is F.K8S_IMAGE_AUTH else None
    if absent is not None:
        why = f"cannot be pulled: its pull secret {absent.name} does not exist"
    return Clue(
        failure_class=failure_class,
        rule="cluster-image",
        cause=f"{target}: the image {image} {why}.",
        target=absent or target,
        victims=(target, pod.ref) if absent else (pod.ref,),
        quotes=(
            status_quote(pod, f"container {container} waiting: {reason} {message}"),
            *(event_quote(event) for event in telling[-1:]),
        ),
        confidence=0.95 if telling or message else 0.7,
        rank=20,
        transient=failure_class is F.K8S_IMAGE_RATE,
    )


def _pull_secrets(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[str]:
    """The names of the secrets with which its images are pulled: its own, and those of its account."""
    account = str(item.pod_spec.get("serviceAccountName") or "default")
    found = snapshot.find("ServiceAccount", item.namespace, account)
    rows = [*mappings_of(item.pod_spec.get("imagePullSecrets"))]
    rows += mappings_of(found.raw.get("imagePullSecrets")) if found is not None else []
    yield from dict.fromkeys(str(row["name"]) for row in rows if row.get("name"))


def _absent_secret(snapshot: ClusterSnapshot, pod: KubeObject) -> ObjectRef | None:
    """The pull secret that is not there; the kubelet says so, or all secrets were read."""
    said = events_saying(snapshot, pod.ref, r"^FailedToRetrieveImagePullSecret")
    for name in _pull_secrets(snapshot, pod):
        told = any(re.search(rf"[(, ]{re.escape(name)}[), ]", event.message) for event in said)
        known = snapshot.find("Secret", pod.namespace, name)
        if known is None and (told or snapshot.knows("Secret", pod.namespace)):
            return ObjectRef(kind="Secret", namespace=pod.namespace, name=name)
    return None


def _without_secret(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    """Nothing is broken by a pull secret that is not there while the images are on the nodes, or public."""
    for name in _pull_secrets(snapshot, item) if snapshot.knows("Secret", item.namespace) else ():
        if snapshot.find("Secret", item.namespace, name) is None:
            yield Clue(
                failure_class=F.K8S_IMAGE_AUTH,
                rule="cluster-pull-secret",
                cause=f"{item.ref} names the pull secret {name}, which does not exist.",
                target=ObjectRef(kind="Secret", namespace=item.namespace, name=name),
                victims=(item.ref,),
                quotes=(spec_quote(item, f"imagePullSecrets: {name}"),),
                confidence=0.7 if snapshot.desired_only else 0.6,
                hint=not snapshot.desired_only,
            )


def _named_badly(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """A manifest can only show that a name is no name, or one that was meant to be replaced."""
    for item in snapshot.templates():
        for container in containers_of(item.pod_spec):
            image = str(container.get("image") or "")
            valid, placeholder = _VALID.match(image), _PLACEHOLDER.search(image)
            if valid and not placeholder:
                continue
            why = (
                "looks like a placeholder, so that it can hardly be pulled"
                if valid
                else "is no valid reference to an image, so that it cannot be pulled"
            )
            yield Clue(
                failure_class=F.K8S_IMAGE_NOTFOUND,
                rule="cluster-image-name",
                cause=f"{item.ref}: the image {image or '(none)'} {why}.",
                target=item.ref,
                quotes=(spec_quote(item, f"container {container.get('name')} image: {image}"),),
                confidence=0.6 if valid else 0.9,
                rank=20,
            )
