"""The tools that explain: what is wrong, what changed, what is remembered; and the one that proposes."""

import io
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field
from rich.console import Console

from deployments.cli.cluster_text import print_causes
from deployments.cli.render import render_story
from deployments.mcp.arguments import IncidentId, Limit, Name, Namespace, NamespaceOrAll
from deployments.mcp.looking import Looking
from deployments.mcp.scope import RefusedError
from deployments.mcp.text import table_text
from flows.explain_cluster import read_namespaces
from flows.propose_remedy import propose_remedy
from tasks.clients.ledger import Ledger
from tasks.collect.redact import redact
from tasks.diagnose.analyzers.cluster.rollout import changes_of
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, dig, mappings_of
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.incident import Incident
from tasks.domain.plan import Remedy
from tasks.plan.cluster import BOUNDED_DRAFTERS, CLUSTER_DRAFTERS
from tasks.remember import read_story

REVISION = "deployment.kubernetes.io/revision"
WIDTH = 160
KNOWN = tuple(sorted({*CLUSTER_DRAFTERS, *BOUNDED_DRAFTERS}))


def _known(remedy: str) -> str:
    if remedy not in KNOWN:
        raise ValueError(f"the known remedies are {', '.join(KNOWN)}")
    return remedy


ClusterRemedy = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(KNOWN)})]
"""One of the remedies that have a drafter."""


class HealingTools:
    """One method for each tool."""

    def __init__(self, looking: Looking, ledger: Ledger) -> None:
        self._looking, self._ledger = looking, ledger

    def triage(self, namespace: NamespaceOrAll = "") -> str:
        """What is wrong in a namespace, or in all that may be read, and why: each cause with the object that has to
        change, quoted evidence, who suffers, and what changed last. Reads pods, events, logs, services, volumes,
        policies and more in one pass; ask this before looking at single objects."""
        _, found = self.explain(namespace)
        return _printed(lambda console: print_causes(found, console, where=namespace or "the cluster"))

    def explain(self, namespace: str) -> tuple[ClusterSnapshot, ClusterExplanation]:
        """The state and its causes within the scope; what lies outside of it is not told."""
        scope, now = self._looking.scope, self._looking.now
        named = (scope.check(namespace),) if namespace else scope.named
        snapshot = read_namespaces(self._looking.settings.kubernetes, named, now=now)
        found = diagnose_cluster(snapshot, namespace=namespace or None)
        return snapshot, found.model_copy(
            update={"causes": self._visible(found.causes), "hints": self._visible(found.hints)}
        )

    def _visible(self, causes: tuple[ClusterCause, ...]) -> tuple[ClusterCause, ...]:
        """Those whose object may be read; a cause elsewhere that an allowed namespace suffers from is named bare."""
        kept = list[ClusterCause]()
        for cause in causes:
            victims = tuple(ref for ref in cause.victims if self._may_read(ref))
            if self._may_read(cause.target):
                kept.append(cause.model_copy(update={"victims": victims, "victim_count": len(victims)}))
            elif victims:
                bare = cause.diagnosis.model_copy(update={"evidence_ids": ()})
                kept.append(cause.model_copy(update={"victims": victims, "diagnosis": bare}))
        return tuple(kept)

    def _may_read(self, ref: ObjectRef) -> bool:
        return not ref.namespace or self._looking.scope.allows(ref.namespace)

    def rollout_history(self, namespace: Namespace, name: Name) -> str:
        """The revisions of a Deployment that are still kept, newest first: images, ready pods, and what each changed
        in the pod template (image, command, environment, probes, resources, volumes)."""
        target = self._looking.read("Deployment", namespace, name)
        sets = self._looking.listed("ReplicaSet", namespace)
        kept = sorted((item for item in sets if item.owner == target.ref and _revision(item)), key=_revision)
        if not kept:
            return f"no revisions of {target.ref} are kept"
        parts = []
        for number, item in enumerate(kept):
            pair = (target, *kept[max(0, number - 1) : number + 1])
            changed = [quote.text for quote in changes_of(ClusterSnapshot(objects=pair), target.ref)]
            images = ", ".join(str(row.get("image")) for row in mappings_of(dig(item.pod_spec, "containers")))
            now = " (current)" if target.annotations.get(REVISION) == item.annotations.get(REVISION) else ""
            ready = f"{item.status.get('readyReplicas') or 0} of {item.status.get('replicas') or 0} pods ready"
            made = dig(item.raw, "metadata", "creationTimestamp")
            parts.append(
                "\n".join(
                    [f"revision {_revision(item)}{now}: {images}; {ready}; ReplicaSet {item.name}, made {made}"]
                    + [f"  {text}" for text in changed]
                )
            )
        return "\n".join(reversed(parts))

    def propose_remedy(
        self,
        namespace: Namespace,
        kind: Annotated[str, Field(pattern=r"^[A-Za-z]{1,63}$", description="Its kind, as triage names it.")],
        name: Name,
        remedy: Annotated[
            ClusterRemedy | None, Field(description="Has to be what fits; null takes what the playbook would.")
        ] = None,
        reason: Annotated[str, Field(max_length=500, description="Why, for the people who decide.")] = "",
    ) -> str:
        """Propose a known remedy for an object that triage found broken. Changes nothing: it opens an incident, whose
        plan Healflow drafts itself, policy judges, and a person answers where policy asks. Commands, patches and
        parameters of your own are not taken. Returns the incident's id; follow it with incidents_show."""
        snapshot, found = self.explain(namespace)
        proposal = propose_remedy(
            self._looking.settings,
            snapshot,
            found,
            ObjectRef(kind=kind, namespace=namespace, name=name),
            remedy=Remedy(remedy) if remedy else None,
            reason=redact(" ".join(reason.split())),
            now=self._looking.now,
        )
        action, incident = proposal.plan.actions[0], proposal.incident
        return "\n".join(
            [
                f"incident: {incident.id}",
                f"status: {incident.status}; nothing was changed. Policy decides, and where it asks, a person: "
                f"'healflow show {incident.id}', then 'healflow approve' or 'reject'",
                f"cause: {proposal.cause.diagnosis.cause}",
                f"would do: {action.summary} ({action.name}, risk {action.risk})",
                f"undo: {action.undo}",
                action.preview,
            ]
        ).rstrip()

    def incidents_list(
        self,
        in_flight: Annotated[bool, Field(description="Only those that have not ended.")] = False,
        limit: Limit = 20,
    ) -> str:
        """Healflow's incidents, newest first: what failed, where its heal stands, and the cause."""
        stored = self._ledger.incidents.newest(limit=1000, in_flight_only=in_flight)
        shown = [row.incident for row in stored if self._may_see(row.incident)][:limit]
        if not shown:
            return "no incidents"
        rows = []
        for incident in shown:
            story = read_story(self._ledger, incident.id)
            cause = story.diagnosis.cause if story.diagnosis else incident.signal.title
            rows.append((incident.id, incident.status, f"{incident.opened_at:%Y-%m-%d %H:%M}", _place(incident), cause))
        return table_text(("INCIDENT", "STATUS", "OPENED (UTC)", "WHERE", "CAUSE"), rows)

    def incidents_show(self, incident_id: IncidentId) -> str:
        """One incident whole: quoted evidence, diagnosis, plan with its diff, the decision of policy, who answered,
        the proof, the outcome."""
        story = read_story(self._ledger, self._seen(incident_id).id)
        return _printed(lambda console: render_story(story, console))

    def incidents_similar(self, incident_id: IncidentId) -> str:
        """What became of earlier incidents with the same cause as this one: what was done, and whether it held."""
        story = read_story(self._ledger, self._seen(incident_id).id)
        if story.diagnosis is None:
            return f"{story.incident.id} is not diagnosed yet; ask again when its status is no longer open"
        seen = [row for row in story.similar if self._may_see(self._ledger.incidents.get(row.incident_id).incident)]
        rows = [
            (row.incident_id, row.status, ", ".join(row.action_names) or "nothing", f"{row.ended_at:%Y-%m-%d %H:%M}")
            for row in seen
        ]
        return table_text(("INCIDENT", "ENDED", "DONE", "ON (UTC)"), rows) if rows else "none like it has ended so far"

    def _seen(self, incident_id: str) -> Incident:
        incident = self._ledger.incidents.get(incident_id).incident
        if not self._may_see(incident):
            raise RefusedError(f"{incident_id} is about a namespace that may not be read; {self._looking.scope.told}")
        return incident

    def _may_see(self, incident: Incident) -> bool:
        target = incident.signal.cluster
        return target is None or not target.namespace or self._looking.scope.allows(target.namespace)


def _printed(render: Callable[[Console], None]) -> str:
    text = io.StringIO()
    render(Console(file=text, width=WIDTH, highlight=False, color_system=None))
    return text.getvalue().rstrip()


def _revision(item: KubeObject) -> int:
    told = str(item.annotations.get(REVISION) or "")
    return int(told) if told.isdigit() else 0


def _place(incident: Incident) -> str:
    target = incident.signal.cluster
    if target is None:
        return f"{incident.signal.repository} {incident.signal.branch}".strip()
    return "/".join(part for part in (target.namespace, target.kind, target.name) if part)
