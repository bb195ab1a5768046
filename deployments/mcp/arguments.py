"""The arguments of the tools: each with its pattern, so that what is no name never becomes part of a path."""

from typing import Annotated

from pydantic import Field

from tasks.domain.cluster import NAMESPACE

NAME = r"^[A-Za-z0-9:_]([A-Za-z0-9:._-]{0,251}[A-Za-z0-9:_])?$"
"""Kubernetes' own names, and those of RBAC, which may hold colons; no slash, no percent sign, no `..` alone."""
SELECTOR = r"^[A-Za-z0-9_./=!,() -]{0,500}$"

Namespace = Annotated[str, Field(pattern=f"^{NAMESPACE}$", description="A namespace.")]
NamespaceOrAll = Annotated[
    str,
    Field(
        pattern=f"^({NAMESPACE})?$",
        description="A namespace; empty for all that may be read.",
    ),
]
Name = Annotated[str, Field(pattern=NAME, description="The object's name, whole.")]
Kind = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$",
        description="A kind (Deployment), its plural (deployments) or short name (deploy); api_resources lists them.",
    ),
]
ApiVersion = Annotated[
    str,
    Field(
        pattern=r"^(([a-z0-9][a-z0-9.-]{0,200}/)?v[0-9][a-z0-9]{0,20})?$",
        description="GROUP/VERSION such as apps/v1; empty for the one that the cluster prefers.",
    ),
]
LabelSelector = Annotated[
    str, Field(pattern=SELECTOR, description="As for kubectl -l, such as app=cart,tier!=cache; empty for none.")
]
FieldSelector = Annotated[
    str,
    Field(pattern=SELECTOR, description="As for kubectl --field-selector, such as status.phase=Failed; empty: none."),
]
Limit = Annotated[int, Field(ge=1, le=500, description="The most rows to give.")]
IncidentId = Annotated[
    str, Field(pattern=r"^[a-z0-9-]{1,64}$", description="An incident's id or its unambiguous beginning.")
]
