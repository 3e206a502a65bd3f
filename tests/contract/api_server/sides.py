"""The two that must agree, and what each needs a way of its own for."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from tests.contract.embedded_cluster.kube import Kube

from opsmend.adapters.kubernetes.connection import Connection, connect_cluster
from opsmend.settings import KubernetesSettings


class Side(Protocol):
    """One of the two."""

    @property
    def kube(self) -> Kube:
        """As an administrator, in a namespace of its own."""
        ...

    def login(self, token: str) -> Kube:
        """As whoever holds `token`."""
        ...

    def kubeconfig(self, token: str = "") -> Path:
        """As an administrator, or as whoever holds `token`."""
        ...

    def expired_token(self, account: str) -> str:
        """Of that ServiceAccount of the namespace, and good until an hour ago."""
        ...

    def throttled(self, account: str) -> AbstractContextManager[str]:
        """A token of that ServiceAccount. While the context lasts, the server has no room for what its holder asks."""
        ...

    def hanging_writes(self) -> AbstractContextManager[None]:
        """While the context lasts, no write of a ConfigMap of the namespace is answered."""
        ...


@asynccontextmanager
async def adapter(side: Side, token: str = "", timeout: float = 10) -> AsyncIterator[Connection]:
    """Our own adapter, connected as opsmend connects it."""
    async with AsyncExitStack() as stack:
        settings = KubernetesSettings(request_timeout=timedelta(seconds=timeout))
        yield await connect_cluster(settings, stack, side.kubeconfig(token))
