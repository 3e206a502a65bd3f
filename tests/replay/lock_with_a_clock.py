"""The target's lock as somebody might change it who asks the machine for the time."""

from datetime import UTC, datetime

from temporalio import workflow


@workflow.defn(name="TargetLock")
class LockWithAClock:
    @workflow.run
    async def run(self, holder: str) -> None:
        await workflow.wait_condition(lambda: datetime.now(UTC).year < 2000)

    @workflow.signal
    def release(self) -> None:
        """As before."""
