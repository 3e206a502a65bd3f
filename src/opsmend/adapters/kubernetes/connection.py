"""One cluster's API server over HTTP: credentials, timeouts, and its errors in our words.

Answers stay plain JSON. The client's typed models are left out on purpose: building them costs many times the CPU of
parsing the JSON, and the snapshot keeps a small part of each object.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config
from kubernetes.aio.config.config_exception import ConfigException
from pydantic import SecretStr

from opsmend.adapters.kubernetes.requests import api_call, user_agent
from opsmend.adapters.kubernetes.statuses import error_for
from opsmend.agents import work
from opsmend.domain.record import JsonObject
from opsmend.errors import ClusterUnavailableError, OtherClusterError, SettingsError, bounded
from opsmend.policy.redaction import redact
from opsmend.settings import KubernetesSettings

JSON_PATCH: Final = "application/json-patch+json"

Refresh = Callable[[], Awaitable[None]]


class Connection:
    """Calls raise what statuses.error_for says; a call that gets no answer raises ClusterUnavailableError.

    Every call is entered into the ledger of the work that makes it, and says in its User-Agent whose it is.
    """

    def __init__(self, client: ApiClient, settings: KubernetesSettings, refresh: Refresh | None = None) -> None:
        """`refresh` renews the credentials of `client`; it is called once when the server no longer takes them."""
        self._client = client
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=settings.request_timeout.total_seconds())
        self._refresh = refresh
        self._cluster = settings.cluster
        self.concurrency = settings.concurrency

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self._client.configuration.host)

    def require_cluster(self, cluster: str) -> None:
        """Nothing of `cluster` may be read or changed here unless it is the connected one.

        Raises:
            OtherClusterError: it is not. A connection that was given no name stands for every cluster.
        """
        if self._cluster is not None and cluster != self._cluster:
            raise OtherClusterError(
                f"this is about cluster {cluster}, and opsmend is connected to {self._cluster} only "
                "(OPSMEND_KUBERNETES__CLUSTER): nothing was looked at or changed"
            )

    async def get(self, path: str, query: dict[str, str] | None = None) -> JsonObject:
        return _parsed(await self._call("GET", path, query, {"Accept": "application/json"}))

    async def get_text(self, path: str, query: dict[str, str] | None = None) -> str:
        """For logs, which need not be UTF-8."""
        return (await self._call("GET", path, query, {"Accept": "*/*"})).decode(errors="replace")

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        return _parsed(await self._call("POST", path, None, {"Accept": "application/json"}, body))

    async def json_patch(self, path: str, operations: list[JsonObject], query: dict[str, str]) -> JsonObject:
        """The object as the server now has it, or would have it with `dryRun`."""
        headers = {"Accept": "application/json", "Content-Type": JSON_PATCH}
        return _parsed(await self._call("PATCH", path, query, headers, operations))

    @asynccontextmanager
    async def acting_as(self, token: SecretStr) -> AsyncIterator["Connection"]:
        """The same server by this bearer token alone, until the context ends. Nothing renews it."""
        configuration = deepcopy(self._client.configuration)
        # The server goes by a client certificate before it looks at any token.
        configuration.cert_file = configuration.key_file = None
        configuration.refresh_api_key_hook = None
        configuration.api_key_prefix = {}
        configuration.api_key = {"BearerToken": f"Bearer {token.get_secret_value()}"}
        async with ApiClient(configuration) as client:
            yield Connection(client, self._settings)

    async def _call(
        self, method: str, path: str, query: dict[str, str] | None, headers: dict[str, str], body: Any = None
    ) -> bytes:
        status, content, retry_after = await self._send(method, path, query, headers, body)
        if status == 401 and self._refresh is not None:
            # Tokens of cloud clusters live for minutes; a 401 did nothing, so that asking again is safe for any method.
            await self._refresh()
            status, content, retry_after = await self._send(method, path, query, headers, body)
        if status == 403:
            # A server that has just started knows no roles yet, and refuses everything until it has read them.
            await self._must_be_ready()
            status, content, retry_after = await self._send(method, path, query, headers, body)
        if not 200 <= status < 300:
            raise error_for(status, f"{method} {path}: HTTP {status}: {_reason(content)}", retry_after)
        return content

    async def _must_be_ready(self) -> None:
        """Raises ClusterUnavailableError.

        The role `system:public-info-viewer`, which every cluster has by default, lets everybody ask. So a server that refuses
        even this has not read its roles yet.
        """
        status, content, retry_after = await self._send("GET", "/readyz", None, {"Accept": "*/*"}, None)
        if status == 403:
            raise ClusterUnavailableError(
                "GET /readyz: HTTP 403: the server refuses even this, so it has just started and knows no roles yet. "
                "If this lasts, give opsmend's accounts the role system:public-info-viewer again."
            )
        if status >= 500:
            raise error_for(status, f"GET /readyz: HTTP {status}: {_reason(content)}", retry_after)

    async def _send(
        self, method: str, path: str, query: dict[str, str] | None, headers: dict[str, str], body: Any
    ) -> tuple[int, bytes, str | None]:
        doing, call, size, sent = work.current(), api_call(method, path, query), 0, False
        try:
            _, url, sent_headers, _, _ = await self._client.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params=dict(headers),
                auth_settings=["BearerToken"],
            )
            # The client's own name would overwrite one that was given with the other headers.
            sent_headers["User-Agent"] = user_agent(doing)
            sent = True
            response = await self._client.call_api(method, url, sent_headers, body, _request_timeout=self._timeout)
            content = await response.read()
            size = len(content)
            return response.status, content, response.getheader("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            # Without a connection nothing was sent. Any other failure may have come after the server had done the work.
            sent = sent and not isinstance(e, aiohttp.ClientConnectorError)
            raise ClusterUnavailableError(f"{method} {path}: no answer ({type(e).__name__}: {bounded(redact(str(e)))})") from e
        finally:
            if doing is not None and sent:
                doing.enter(call, size)


async def connect_cluster(settings: KubernetesSettings, stack: AsyncExitStack, kubeconfig: Path | None = None) -> Connection:
    """A connection that is closed with `stack`. Nothing is sent yet.

    Credentials come from `kubeconfig`, else from where kubectl looks (KUBECONFIG, ~/.kube/config), else from the pod.

    Raises:
        SettingsError: no usable credentials.
    """
    configuration = Configuration()

    async def load() -> None:
        await _load(configuration, settings, kubeconfig)

    await load()
    client = await stack.enter_async_context(ApiClient(configuration))
    return Connection(client, settings, refresh=load)


async def _load(configuration: Configuration, settings: KubernetesSettings, kubeconfig: Path | None) -> None:
    try:
        await load_kube_config(
            config_file=str(kubeconfig) if kubeconfig else None,
            context=settings.context,
            client_configuration=configuration,
            persist_config=False,
        )
    except ConfigException as e:
        if kubeconfig or settings.context:
            raise SettingsError(f"KUBECONFIG or OPSMEND_KUBERNETES__CONTEXT cannot be used: {bounded(str(e))}") from e
        _load_from_pod(configuration)
    except (yaml.YAMLError, OSError, TypeError, ValueError, AttributeError, LookupError) as e:
        # The loader takes a well-formed file for granted and stumbles over any other.
        why = bounded(" ".join(str(e).split()))
        raise SettingsError(f"The file that KUBECONFIG names is no kubeconfig: {why}") from e


def _load_from_pod(configuration: Configuration) -> None:
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException as e:
        raise SettingsError(
            f"No cluster: KUBECONFIG names no usable file, and this is no pod ({bounded(str(e)).rstrip('.')})."
        ) from e


def _parsed(content: bytes) -> JsonObject:
    try:
        value = json.loads(content)
    except ValueError as e:
        raise ClusterUnavailableError(f"the answer is no JSON ({len(content)} bytes): is this the Kubernetes API?") from e
    if not isinstance(value, dict):
        raise ClusterUnavailableError("the answer is no JSON object: is this the Kubernetes API?")
    return value


def _reason(content: bytes) -> str:
    """The message of the Status object that the API sends with an error, or what else was sent."""
    text = content[:4096].decode(errors="replace")
    try:
        status = json.loads(content)
    except ValueError:
        return bounded(redact(text))
    message = status.get("message") if isinstance(status, dict) else None
    return bounded(redact(str(message)[:4096] if message else text))
