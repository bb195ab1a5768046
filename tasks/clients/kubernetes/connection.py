"""One connection to a Kubernetes API server, in raw JSON: errors translated, reads retried, writes sent once.

Raw because typed models reject a whole list for one odd object, and cost five times as much.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tasks.domain.cluster import Json, mapping_of, mappings_of
from tasks.errors import (
    BadInputError,
    ConflictError,
    FieldConflictError,
    ForbiddenError,
    HealflowError,
    NotFoundError,
    PermanentError,
    TransientError,
)
from tasks.settings import KubernetesSettings

JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches"""
_MAX_MESSAGE = 1_000
_DEFAULT_KUBECONFIG = "~/.kube/config"
_TEST_FAILED = "the server rejected our request due to an error in our request"
"""All that the API server says when a `test` of a JSON patch fails."""
_MANAGER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"(?: |$)')
"""How the API server names who has a field, quoted as Go does:
https://github.com/kubernetes-sigs/structured-merge-diff, and apimachinery's managedfields/internal/conflict.go"""
_BUSY = (429, 500, 502, 503, 504)
Query = Mapping[str, str | int | bool]


class Connection:
    """Speaks HTTP with the API server that a kubeconfig (or the pod's own account) names."""

    def __init__(self, settings: KubernetesSettings, *, acting: bool = False, read_only: bool = False) -> None:
        """`acting` uses the healer's context, where one is set; else what is read is read as the observer. With
        `read_only` nothing but GET is ever sent.

        Raises:
            PermanentError: there is no usable kubeconfig, and this is no pod.
        """
        self._timeout, self._read_only = settings.request_timeout_seconds, read_only
        context = settings.healer_context if acting and settings.healer_context else settings.context
        self._client, self.name = _client(settings, context)

    def close(self) -> None:
        """Give the sockets back."""
        self._client.close()

    @property
    def host(self) -> str:
        """The address of the API server."""
        return str(self._client.configuration.host)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json | Sequence[Json] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        """One call; the answer is an object.

        Raises:
            NotFoundError: what the path names does not exist.
            ForbiddenError: the account may not do that.
            ConflictError: the object is not as the request supposes (HTTP 409, or a JSON patch whose test fails).
            BadInputError: the API server refuses the request's content.
            TransientError: it is busy or cannot be reached.
        """
        text = self.read_bytes(method, path, query=query, body=body, content_type=content_type, accept=accept)
        try:
            answer = json.loads(text) if text else {}
        except ValueError as error:
            raise TransientError(f"the API server answered {method} {path} with something that is no JSON") from error
        return answer if isinstance(answer, dict) else {}

    def read_bytes(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json | Sequence[Json] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        """As `request`, with the answer as it came."""
        import urllib3

        if self._read_only and method != "GET":
            raise ForbiddenError(f"{method} {path} was not sent: this connection only reads")
        told = urlencode(
            {key: str(value).lower() if isinstance(value, bool) else value for key, value in (query or {}).items()}
        )
        url = f"{self.host}{path}" + (f"?{told}" if told else "")
        headers = {"Accept": accept, "User-Agent": "healflow"}
        if body is not None:
            headers["Content-Type"] = content_type
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        retries = urllib3.Retry(2, backoff_factor=0.3, status_forcelist=_BUSY, raise_on_status=False)
        try:
            response = self._client.rest_client.pool_manager.request(
                method,
                url,
                headers=headers,
                body=None if body is None else json.dumps(body).encode(),
                timeout=urllib3.Timeout(connect=10, read=self._timeout),
                retries=retries if method == "GET" else False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise TransientError(
                f"the API server {self.host} cannot be reached ({_short(getattr(error, 'reason', error))})"
            ) from error
        if response.status >= 400:
            raise _refusal(method, path, response.status, bytes(response.data), response.headers.get("Retry-After"))
        return bytes(response.data)


def _client(settings: KubernetesSettings, context: str | None) -> tuple[Any, str]:
    import yaml
    from kubernetes import config
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION as FROM_ENVIRONMENT

    named = str(settings.kubeconfig.expanduser()) if settings.kubeconfig else None
    told = named or (FROM_ENVIRONMENT if FROM_ENVIRONMENT != _DEFAULT_KUBECONFIG else None)
    try:
        client = config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=named, context=context, persist_config=False
        )
        _, active = config.list_kube_config_contexts(config_file=named)  # type: ignore[no-untyped-call]
        return client, context or str(active["name"])
    except yaml.YAMLError as error:
        raise PermanentError(f"{told or 'the kubeconfig'} cannot be used: it is no YAML ({_short(error)})") from error
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        if told or context:
            raise PermanentError(
                f"{told or 'the kubeconfig'} cannot be used ({_short(error)}); KUBECONFIG or "
                "HEALFLOW_KUBERNETES__KUBECONFIG names one"
            ) from error
    configuration = Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException as error:
        raise PermanentError(
            "no cluster is known here: set KUBECONFIG or HEALFLOW_KUBERNETES__KUBECONFIG to a kubeconfig"
        ) from error
    return ApiClient(configuration), "in-cluster"


def _short(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _refusal(method: str, path: str, status: int, text: bytes, retry_after: str | None) -> HealflowError:
    told = _message(text)
    message = f"{method} {path}: {told or f'HTTP {status}'}"
    if status == 500 and "failed to create typed patch object" in told:
        return BadInputError(message, status_code=422)  # the API server calls an unknown field its own error
    if status in _BUSY:
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
        return TransientError(message, retry_after_seconds=seconds)
    if status in (401, 403):
        why = "; it does not know this account, whose token or certificate may have ended" if status == 401 else ""
        return ForbiddenError(message + why)
    if status == 404:
        return NotFoundError(message)
    if status == 409 or (method == "PATCH" and status == 422 and told == _TEST_FAILED):
        fields = _conflicting(text)
        return FieldConflictError(message, fields=fields) if fields else ConflictError(message)
    return BadInputError(message, status_code=status)


def _conflicting(text: bytes) -> dict[str, tuple[str, ...]]:
    """The fields by the manager that has them, as the API server tells a conflict of an apply."""
    try:
        causes = mappings_of(mapping_of(mapping_of(json.loads(text)).get("details")).get("causes"))
    except ValueError:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for row in causes:
        manager = _MANAGER.match(str(row.get("message")))
        if row.get("reason") == "FieldManagerConflict":
            name = manager[1] if manager else str(row.get("message"))
            found[name] = (*found.get(name, ()), str(row.get("field")))
    return found


def _message(text: bytes) -> str:
    try:
        answer = json.loads(text)
    except ValueError:
        return text[:_MAX_MESSAGE].decode("utf-8", "replace")
    told = str(mapping_of(answer).get("message") or "")
    if len(told) <= _MAX_MESSAGE:
        return told
    return (
        f"{told[: _MAX_MESSAGE // 2]} … {told[-_MAX_MESSAGE // 2 :]}"  # the reason stands behind the value it is about
    )
