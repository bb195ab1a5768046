"""What an agent may look at: the namespaces, and how much of it in one answer."""

from tasks.errors import ForbiddenError
from tasks.settings import KubernetesSettings, McpSettings


class RefusedError(ForbiddenError):
    """The settings do not let the agent see that."""


class Scope:
    """The namespaces that may be read."""

    def __init__(self, mcp: McpSettings, kubernetes: KubernetesSettings) -> None:
        self._allowed, self._protected = mcp.namespaces, kubernetes.protected_namespaces
        self._cluster_objects = mcp.cluster_objects

    def allows(self, namespace: str) -> bool:
        """Whether that namespace may be read."""
        return namespace in self._allowed if self._allowed else namespace not in self._protected

    def check(self, namespace: str) -> str:
        """The namespace, when it may be read.

        Raises:
            RefusedError: it may not.
        """
        if not self.allows(namespace):
            raise RefusedError(f"the namespace {namespace!r} may not be read here; {self.told}. Ask about one of those")
        return namespace

    def check_cluster_objects(self, kind: str) -> None:
        """Raises RefusedError when objects of the cluster itself may not be read."""
        if not self._cluster_objects:
            raise RefusedError(
                f"{kind} belongs to no namespace, and such objects may not be read here; an operator can set "
                "HEALFLOW_MCP__CLUSTER_OBJECTS"
            )

    @property
    def named(self) -> tuple[str, ...] | None:
        """The only namespaces that may be read, `None` when it is all but some."""
        return self._allowed or None

    @property
    def field_selector(self) -> str:
        """What leaves the forbidden namespaces out of a list of all."""
        return ",".join(f"metadata.namespace!={name}" for name in self._protected)

    @property
    def told(self) -> str:
        """The rule in a sentence."""
        if self._allowed:
            return f"HEALFLOW_MCP__NAMESPACES allows {', '.join(self._allowed)}"
        return (
            f"all but {', '.join(self._protected)} may be read (HEALFLOW_MCP__NAMESPACES can name others)"
            if self._protected
            else "all may be read"
        )
