"""The KeepLastGood workflow: one look at the watched namespaces, started by a schedule every few minutes."""

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.last_good import LastGoodActivities, NamespaceLook
    from opsmend.activities.policy import PolicyActivities, WatchCheck
    from opsmend.agents.patience import KEEP, on
    from opsmend.agents.queues import SECURITY, SRE
    from opsmend.domain.last_good import LastGoodKept
    from opsmend.domain.record import Record
    from opsmend.errors import bounded


class KeepLastGoodRequest(Record):
    """`cluster` as incidents call it."""

    cluster: str
    namespaces: tuple[str, ...]


class LookedAround(Record):
    """`refused` says which namespaces were left out, and why: policy protects them, or they could not be read."""

    kept: tuple[LastGoodKept, ...] = ()
    refused: tuple[str, ...] = ()


@workflow.defn(name="KeepLastGood")
class KeepLastGood:
    """What runs well in the watched namespaces, and with which configuration. Waits on nothing but its activities."""

    @workflow.run
    async def run(self, request: KeepLastGoodRequest) -> LookedAround:
        checked = await workflow.execute_activity_method(
            PolicyActivities.check_watched,
            WatchCheck(cluster=request.cluster, namespaces=request.namespaces),
            **on(SECURITY, KEEP, "Leave out the namespaces that policy protects"),
        )
        kept, refused = [], list(checked.refused)
        for namespace in checked.namespaces:
            try:
                kept.append(await keep_namespace(request.cluster, namespace))
            except FailureError as failure:
                if is_cancelled_exception(failure):
                    raise
                refused.append(f"{namespace}: {bounded(str(failure.__cause__ or failure))}")
        return LookedAround(kept=tuple(kept), refused=tuple(refused))


async def keep_namespace(cluster: str, namespace: str) -> LastGoodKept:
    """Have SRE note what the healthy workloads of one namespace run with.

    Raises:
        FailureError: it could not be done in time; the next look may.
    """
    return await workflow.execute_activity_method(
        LastGoodActivities.keep,
        NamespaceLook(cluster=cluster, namespace=namespace),
        **on(SRE, KEEP, f"Keep what runs well in {namespace}"),
    )
