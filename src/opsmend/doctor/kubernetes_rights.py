"""What our credential may do in the cluster, asked of the cluster itself (SelfSubjectAccessReview): nothing is changed."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack

from opsmend.adapters.kubernetes.access import can_i, ping
from opsmend.adapters.kubernetes.connection import Connection, connect_cluster
from opsmend.adapters.kubernetes.executors import executor_of
from opsmend.adapters.kubernetes.rights import INVESTIGATE, MEND, Right, changes_of
from opsmend.doctor.examination import NotSetUp
from opsmend.domain.actions import ACTIONS
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import ClusterForbiddenError
from opsmend.settings import Settings


async def answers(settings: Settings) -> str:
    async with AsyncExitStack() as stack:
        pong = await ping(await connect_cluster(settings.kubernetes, stack))
    others = (
        ""
        if settings.kubernetes.cluster
        else " Alerts of any other name are taken for it too: see OPSMEND_KUBERNETES__CLUSTER."
    )
    return f"{pong.version}, called {settings.kubernetes.name} in incident ids.{others}"


async def may_read(settings: Settings) -> str:
    """Raises ClusterForbiddenError that lists what is missing."""
    async with AsyncExitStack() as stack:
        missing = await _missing(await connect_cluster(settings.kubernetes, stack), INVESTIGATE)
    if missing:
        raise ClusterForbiddenError(f"An investigation may not {_listed(missing)} in all namespaces.")
    return f"All {len(INVESTIGATE)} rights that an investigation needs."


async def may_change(settings: Settings) -> str:
    """Raises ClusterForbiddenError that lists the actions which cannot run."""
    if settings.kubernetes.executor:
        raise NotSetUp(
            f"Changes are made by ServiceAccount {settings.kubernetes.executor} of their own namespace: "
            "`opsmend doctor --namespace NAME` asks whether it may."
        )
    needed = {action.model_fields["type"].default: changes_of(action) for action in ACTIONS}
    async with AsyncExitStack() as stack:
        connection = await connect_cluster(settings.kubernetes, stack)
        missing = set(await _missing(connection, dict.fromkeys(right for rights in needed.values() for right in rights)))
    barred = {name: [right for right in rights if right in missing] for name, rights in needed.items()}
    told = [f"{name} ({_listed(rights)})" for name, rights in barred.items() if rights]
    if told:
        raise ClusterForbiddenError(f"Not allowed in all namespaces: {'; '.join(told)}.")
    return f"All {len(needed)} actions are allowed in all namespaces."


async def may_change_in(namespace: str, settings: Settings) -> str:
    """Asked as whoever would make the change: with a token of the namespace's executor where one is set.

    Raises ClusterForbiddenError that says what is missing.
    """
    anything = ObjectRef(kind=Kind.DEPLOYMENT, namespace=namespace, name="any")
    async with AsyncExitStack() as stack:
        connection = await connect_cluster(settings.kubernetes, stack)
        executor = executor_of(settings.kubernetes, connection)
        acting = await stack.enter_async_context((await executor.grant(anything)).acting())
        missing = await _missing(acting, MEND, namespace)
    if missing:
        raise ClusterForbiddenError(f"Not allowed in namespace {namespace}: {_listed(missing)}.")
    who = f"ServiceAccount {settings.kubernetes.executor}" if settings.kubernetes.executor else "This credential"
    return f"{who} may carry out every action there."


async def _missing(connection: Connection, rights: Iterable[Right], namespace: str = "") -> list[Right]:
    gate = asyncio.Semaphore(connection.concurrency)

    async def allowed(right: Right) -> bool:
        async with gate:
            return (await can_i(connection, right, namespace)).allowed

    asked = list(rights)
    answered = await asyncio.gather(*(allowed(right) for right in asked))
    return [right for right, yes in zip(asked, answered, strict=True) if not yes]


def _listed(rights: Iterable[Right]) -> str:
    return ", ".join(map(str, rights))
