"""Keeping the configuration of watched namespaces while it is good."""

from temporalio import activity

from opsmend.agents import work
from opsmend.agents.sre.last_good import GoodKeeper
from opsmend.domain.last_good import LastGoodKept
from opsmend.domain.record import Handed


class NamespaceLook(Handed):
    cluster: str
    namespace: str


class LastGoodActivities:
    def __init__(self, keeper: GoodKeeper) -> None:
        self._keeper = keeper

    @activity.defn(name="last_good.keep")
    async def keep(self, look: NamespaceLook) -> LastGoodKept:
        """Look at one namespace, note what its healthy workloads run with. Twice is harmless: a second look is just newer."""
        kept = await self._keeper.keep(look.cluster, look.namespace)
        doing = work.current()
        return kept.model_copy(update={"calls": doing.ledger}) if doing else kept
