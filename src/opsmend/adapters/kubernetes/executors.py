"""With whose rights a change is made: by a token of the namespace's executor that lives for minutes, or by our own.

The token is asked for when a change is rehearsed, so after its approval, and serves the dry run and the change that follows.
It stands in no error, log or history: a SecretStr holds it until it is sent.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
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


class Grant(Protocol):
    """The right to change one object."""

    def acting(self) -> AbstractAsyncContextManager[Connection]:
        """A connection that may change it, until the context ends.

        Raises:
            ClusterForbiddenError: it may not, whatever was granted; the message says how to grant it.
        """
        ...


class Executor(Protocol):
    async def grant(self, target: ObjectRef) -> Grant:
        """The right to change `target`, for ten minutes at least.

        Raises:
            ClusterForbiddenError: nobody granted that here; the message says how to.
        """
        ...


def executor_of(settings: KubernetesSettings, connection: Connection) -> Executor:
    if settings.executor is None:
        return OwnRights(connection)
    return NamespaceExecutor(connection, settings.executor, settings.executor_namespace)


class OwnRights:
    """Executor and its Grant. Whatever the kubeconfig may do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def grant(self, target: ObjectRef) -> Grant:
        return self

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Connection]:
        yield self._connection


class NamespaceExecutor:
    """Executor. The ServiceAccount `account` in the target's namespace; for nodes, `<account>-nodes` in `home`."""

    def __init__(self, connection: Connection, account: str, home: str) -> None:
        self._connection = connection
        self._account = account
        self._home = home

    async def grant(self, target: ObjectRef) -> Grant:
        namespace = target.namespace or self._home
        account = self._account if target.namespace else f"{self._account}-nodes"
        with _told_how_to_grant(target, namespace, account):
            return _TokenGrant(self._connection, target, namespace, account, await self._token(namespace, account))

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


@dataclass(frozen=True)
class _TokenGrant:
    connection: Connection
    target: ObjectRef
    namespace: str
    account: str
    token: SecretStr

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Connection]:
        with _told_how_to_grant(self.target, self.namespace, self.account):
            async with self.connection.acting_as(self.token) as acting:
                yield acting


@contextmanager
def _told_how_to_grant(target: ObjectRef, namespace: str, account: str) -> Iterator[None]:
    try:
        yield
    except ClusterCredentialError:
        raise  # no right that somebody could grant would help
    except ClusterForbiddenError as e:
        where = f"-n {namespace} -f deploy/rbac/namespace.yaml" if target.namespace else "-f deploy/rbac/nodes.yaml"
        raise ClusterForbiddenError(
            f"ServiceAccount {namespace}/{account} may not change {target}: `kubectl apply {where}` grants it ({e})"
        ) from e
