"""What a deploy that failed says itself, as a clue beside those of the analyzers."""

import re

from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_cause import SYMPTOM, Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import DeployFailure, Signal

REFUSED = "deploy-refused"
"""The rule of a release that the API server did not take: it failed by that, whatever else is wrong in the cluster."""
_FIELD = re.compile(r"(?:is invalid:\s+(?:\* )?|\): \.)(?P<field>[A-Za-z][\w.\[\]/-]*): ")
_IMMUTABLE = re.compile(
    r"immutable|may not change once set|cannot change roleRef|updates to \w+ spec for fields other than"
)
_OWNED = re.compile(r'conflicts? with "(?P<who>[^"]+)"[^:\n]*:\s*(?:- )?\.(?P<field>[\w.\[\]"=/{},:-]+)')
_ADMISSION = (
    (F.K8S_QUOTA, re.compile(r"exceeded quota|failed quota")),
    (F.K8S_ADMISSION_WEBHOOK, re.compile(r"admission webhook \"|failed calling webhook")),
    (F.K8S_ADMISSION_PSS, re.compile(r"violates PodSecurity")),
    (F.DEP_API, re.compile(r"no matches for kind|could not find the requested resource")),
    (F.K8S_RBAC, re.compile(r"is forbidden: User |cannot \w+ resource")),
)


def class_of_refusal(message: str) -> F:
    """Why the API server does not take an object, by its own words."""
    return next((found for found, pattern in _ADMISSION if pattern.search(message)), F.DEP_APPLY_INVALID)


def deploy_clues(signal: Signal) -> tuple[Clue, ...]:
    """The clue of a signal that a deploy sent; none for any other."""
    failure, place = signal.deploy, signal.cluster
    if failure is None or place is None or not place.name:
        return ()
    target = ObjectRef(kind=place.kind, namespace=place.namespace, name=place.name)
    refused = failure.failure_class not in (F.DEP_ROLLOUT_TIMEOUT, F.DEP_SMOKE)
    clue = Clue(
        failure_class=failure.failure_class,
        rule=REFUSED if refused else "deploy-failed",
        cause=_refused(target, failure) if refused else _failed(target, place.revision, failure),
        target=target,
        quotes=tuple(Quote(source="deploy", text=line) for line in failure.said),
        confidence=0.95 if refused else 0.6,
        rank=10 if refused else SYMPTOM + 5,
    )
    return (clue,)


def _failed(target: ObjectRef, revision: str, failure: DeployFailure) -> str:
    said = failure.said[0][:400].rstrip(".")
    if failure.failure_class is F.DEP_SMOKE:
        return f"Since revision {revision} of {target} the release does not answer as it should: {said}."
    return f"Revision {revision} of {target} does not come out: {said}."


def _refused(target: ObjectRef, failure: DeployFailure) -> str:
    said = failure.said[0]
    found = _FIELD.search(said)
    more = f" {len(failure.said) - 1} more objects are refused." if len(failure.said) > 1 else ""
    if failure.failure_class is F.DEP_CONFLICT:
        owned = _OWNED.search(said)
        who, what = (owned["who"], owned["field"]) if owned else ("another manager", "a field")
        return f"{target} was not applied: {who} owns {what}, which the release sets, too.{more}"
    if found is None:
        return f"{target} was not applied: the API server refuses it.{more}"
    if _IMMUTABLE.search(said):
        return f"{target} was not applied: the release changes {found['field']}, which is immutable.{more}"
    return f"{target} was not applied: {found['field']} is not valid.{more}"
