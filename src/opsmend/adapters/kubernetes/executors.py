"""With whose rights a change is made: by a token of the namespace's executor that lives for minutes, or by our own.

The token is asked for when the change is made, so after its approval, and is forgotten with the activity that made it. It
stands in no error, log or history: a SecretStr holds it until it is sent.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

from pydantic import SecretStr

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.resources import SERVICE_ACCOUNTS, collection_path
from opsmend.domain.record import JsonObject
from opsmend.domain.target import ObjectRef
from opsmend.errors import ClusterCredentialError, ClusterForbiddenError, ClusterUnavailableError, TargetGoneError
from opsmend.settings import KubernetesSettings

TOKEN_SECONDS: Final = 600
"""The least that the API grants; a change takes seconds.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

_TOKEN_REQUEST: Final[JsonObject] = {
    "apiVersion": "authentication.k8s.io/v1",
    "kind": "TokenRequest",
    # No audience named is the API server itself.
    "spec": {"audiences": [], "expirationSeconds": TOKEN_SECONDS},
}


class Executor(Protocol):
    def acting_on(self, target: ObjectRef) -> AbstractAsyncContextManager[Connection]:
        """A connection that may change `target`, for this one piece of work.

        Raises:
            ClusterForbiddenError: nobody granted that here; the message says how to.
        """
        ...


def executor_of(settings: KubernetesSettings, connection: Connection) -> Executor:
    if settings.executor is None:
        return OwnRights(connection)
    return NamespaceExecutor(connection, settings.executor, settings.executor_namespace)


class OwnRights:
    """Executor. Whatever the kubeconfig may do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acting_on(self, target: ObjectRef) -> AsyncIterator[Connection]:
        yield self._connection


class NamespaceExecutor:
    """Executor. The ServiceAccount `account` in the target's namespace; for nodes, `<account>-nodes` in `home`."""

    def __init__(self, connection: Connection, account: str, home: str) -> None:
        self._connection = connection
        self._account = account
        self._home = home

    @asynccontextmanager
    async def acting_on(self, target: ObjectRef) -> AsyncIterator[Connection]:
        namespace = target.namespace or self._home
        account = self._account if target.namespace else f"{self._account}-nodes"
        grant = (
            f"`kubectl apply -n {namespace} -f deploy/rbac/namespace.yaml` grants it"
            if target.namespace
            else "`kubectl apply -f deploy/rbac/nodes.yaml` grants it"
        )
        try:
            token = await self._token(namespace, account)
            async with self._connection.acting_as(token) as acting:
                yield acting
        except ClusterCredentialError:
            raise  # no right that somebody could grant would help
        except ClusterForbiddenError as e:
            raise ClusterForbiddenError(f"ServiceAccount {namespace}/{account} may not change {target}: {grant} ({e})") from e

    async def _token(self, namespace: str, account: str) -> SecretStr:
        path = f"{collection_path(SERVICE_ACCOUNTS, namespace)}/{account}/token"
        try:
            answer = await self._connection.post(path, _TOKEN_REQUEST)
        except TargetGoneError as e:
            raise ClusterForbiddenError(f"it does not exist: {e}") from e
        token = (answer.get("status") or {}).get("token")
        if not isinstance(token, str) or not token:
            raise ClusterUnavailableError(f"POST {path}: the answer holds no token")
        return SecretStr(token)
