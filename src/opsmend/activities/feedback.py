"""What people say of a diagnosis, and what comes of it in memory."""

from temporalio import activity

from opsmend.domain.ports.memory import Memory
from opsmend.domain.record import Record


class ForgetRequest(Record):
    run_id: str


class FeedbackActivities:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @activity.defn(name="memory.forget")
    async def forget(self, request: ForgetRequest) -> None:
        """Twice is harmless: what is not there is forgotten already."""
        await self._memory.forget(request.run_id)
