"""The tools that look at the cluster. Their docstrings are what an agent reads when it chooses one."""

from typing import Annotated

from pydantic import Field

from deployments.mcp.arguments import (
    ApiVersion,
    FieldSelector,
    Kind,
    LabelSelector,
    Limit,
    Name,
    Namespace,
    NamespaceOrAll,
)
from deployments.mcp.looking import Looking
from deployments.mcp.text import table_text, yaml_text
from deployments.mcp.usage import node_usage, pod_usage

Text = Annotated[str, Field(max_length=63, pattern=r"^[A-Za-z0-9./-]*$", description="Only what holds this text.")]


class ClusterTools:
    """One method for each tool."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking

    def cluster_info(self) -> str:
        """Which cluster this is, its version, which namespaces may be read and how long answers may be. Start here."""
        return self._looking.about()

    def namespaces_list(self) -> str:
        """The namespaces of the cluster that may be read, with their state and age."""
        return self._looking.table("Namespace", limit=500)

    def api_resources(self, containing: Text = "") -> str:
        """The kinds that the cluster serves, custom ones too: kind, apiVersion, plural, short names. Use it to find
        what to pass to resources_list and resources_get."""
        return self._looking.kinds(containing)

    def pods_list(
        self,
        namespace: NamespaceOrAll = "",
        label_selector: LabelSelector = "",
        field_selector: FieldSelector = "",
        limit: Limit = 100,
    ) -> str:
        """Pods as 'kubectl get pods' shows them: ready containers, status (CrashLoopBackOff, ImagePullBackOff, …),
        restarts, age. To learn why pods fail, 'triage' is one call."""
        return self._looking.table(
            "Pod", namespace=namespace, labels=label_selector, fields=field_selector, limit=limit
        )

    def pods_get(self, namespace: Namespace, name: Name) -> str:
        """One pod as YAML: specification, conditions, the state and last state of each container with exit codes.
        Secrets in it are masked."""
        return yaml_text(self._looking.read("Pod", namespace, name).raw)

    def pods_log(
        self,
        namespace: Namespace,
        name: Name,
        container: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,63}$", description="Empty: the only one.")] = "",
        previous: Annotated[
            bool, Field(description="The log before the last restart: where a crash says why it crashed.")
        ] = False,
        tail: Annotated[int, Field(ge=1, le=10_000, description="The last so many lines, up to the set limit.")] = 100,
    ) -> str:
        """The end of a container's log, with secrets masked and capped in lines and bytes. For a container that
        restarts, ask with previous=true."""
        return self._looking.log(namespace, name, container, previous=previous, tail=tail)

    def pods_top(self, namespace: NamespaceOrAll = "", limit: Limit = 100) -> str:
        """What each pod's containers use now in CPU and memory, the hungriest first. Needs the metrics API."""
        return pod_usage(self._looking.listed("PodMetrics", namespace, api_version="metrics.k8s.io/v1beta1"), limit)

    def nodes_top(self) -> str:
        """What each node uses now in CPU and memory, in units and as a share of what it can give. Needs the metrics
        API."""
        self._looking.scope.check_cluster_objects("Node")
        used = self._looking.listed("NodeMetrics", "", api_version="metrics.k8s.io/v1beta1")
        return node_usage(used, self._looking.listed("Node", ""))

    def events_list(
        self,
        namespace: NamespaceOrAll = "",
        kind: Annotated[str, Field(pattern=r"^[A-Za-z]{0,63}$", description="Only about this kind; empty: all.")] = "",
        name: Annotated[str, Field(pattern=r"^[a-z0-9.:-]{0,253}$", description="Only about this object.")] = "",
        warnings_only: Annotated[bool, Field(description="Leave out what is normal.")] = False,
        limit: Limit = 100,
    ) -> str:
        """Events, newest first: what the scheduler, the kubelet and the controllers say about objects."""
        found = self._looking.events(namespace, kind=kind, name=name, warnings_only=warnings_only)
        if not found:
            return "no events found; Kubernetes forgets them after an hour"
        rows = [
            (
                event.about.namespace,
                "Warning" if event.warning else "Normal",
                event.reason,
                f"{event.about.kind}/{event.about.name}",
                f"x{event.count}",
                event.message,
            )
            for event in found[:limit]
        ]
        more = f"\n[{len(found) - limit} older ones are not shown]" if len(found) > limit else ""
        return table_text(("NAMESPACE", "TYPE", "REASON", "ABOUT", "COUNT", "MESSAGE"), rows) + more

    def resources_list(
        self,
        kind: Kind,
        api_version: ApiVersion = "",
        namespace: NamespaceOrAll = "",
        label_selector: LabelSelector = "",
        field_selector: FieldSelector = "",
        limit: Limit = 100,
    ) -> str:
        """Objects of any kind, custom ones too, as 'kubectl get' shows them."""
        return self._looking.table(
            kind, api_version, namespace=namespace, labels=label_selector, fields=field_selector, limit=limit
        )

    def resources_get(
        self, kind: Kind, name: Name, namespace: NamespaceOrAll = "", api_version: ApiVersion = ""
    ) -> str:
        """One object of any kind as YAML. Of a Secret only the names of its keys are told, and what is named like a
        secret elsewhere is masked."""
        return yaml_text(self._looking.read(kind, namespace, name, api_version).raw)

    def helm_list(self, namespace: NamespaceOrAll = "") -> str:
        """Helm's releases with revision and status, read from labels; their values are never read."""
        found = self._looking.listed("Secret", namespace, labels="owner=helm")
        rows = [
            (item.namespace, str(item.labels.get("name")), str(item.labels.get("version")), item.labels.get("status"))
            for item in found
        ]
        rows.sort(key=lambda row: (row[0], row[1], int(row[2]) if row[2].isdigit() else 0))
        told = [tuple(str(cell) for cell in row) for row in rows]
        return table_text(("NAMESPACE", "RELEASE", "REVISION", "STATUS"), told) if told else "no releases found"
