"""One mutator per target at a time, and one question about it, by nothing but Temporal's own rule that a workflow id runs once.

The lock is held by a child workflow with the id `lock:<target>`. Whoever manages to start it has the lock; it ends when its
holder releases it, and Temporal ends it (parent close policy) when the holder is gone for any reason.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from opsmend.errors import HumanNeededError

_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
"""Between two tries for a lock that somebody else holds, each pause twice the one before: whoever holds it may wait for days
for an answer, and a try is five events of history."""


class TargetLockedError(HumanNeededError):
    """Another incident held the target for longer than we wait."""


@workflow.defn(name="TargetLock")
class TargetLock:
    """Stands for one held lock; ends on `release`."""

    def __init__(self) -> None:
        self._released = False

    @workflow.run
    async def run(self, holder: str) -> None:
        workflow.set_current_details(f"held by {holder}")
        await workflow.wait_condition(lambda: self._released)

    @workflow.signal
    def release(self) -> None:
        self._released = True


class TargetLocks:
    """The locks of all `targets`, to be released by whoever tried to acquire them, also in vain."""

    def __init__(self, targets: Iterable[str]) -> None:
        self._targets = sorted(set(targets))
        self._held: list[ChildWorkflowHandle[Any, Any]] = []

    async def acquire(self, deadline: timedelta, told: Callable[[str], None] = lambda target: None) -> bool:
        """Whether somebody else held one of them first; `told` hears once of which target, before it is waited for.

        They are taken in sorted order, so that two holders cannot wait for each other.

        Raises:
            TargetLockedError: a lock was not free within `deadline`.
        """
        gives_up = workflow.now() + deadline
        waited = False
        for target in self._targets:
            pause = _FIRST_PAUSE
            while (lock := await _try(target)) is None:
                if not waited:
                    told(target)
                waited = True
                if workflow.now() + pause > gives_up:
                    raise TargetLockedError(f"{target} stayed locked by another change")
                await workflow.sleep(pause, summary=f"waiting for the lock of {target}")
                pause = min(2 * pause, _LONGEST_PAUSE)
            self._held.append(lock)
        return waited

    async def release(self) -> None:
        while self._held:
            lock = self._held.pop()
            await lock.signal(TargetLock.release)
            await lock


@asynccontextmanager
async def locked(targets: Iterable[str], deadline: timedelta) -> AsyncIterator[None]:
    """Hold the locks of all `targets`. Raises as `TargetLocks.acquire`."""
    locks = TargetLocks(targets)
    try:
        await locks.acquire(deadline)
        yield
    finally:
        await locks.release()


async def _try(target: str) -> ChildWorkflowHandle[Any, Any] | None:
    """None while somebody else holds it."""
    try:
        return await workflow.start_child_workflow(
            TargetLock.run,
            workflow.info().workflow_id,
            id=f"lock:{target}",
            parent_close_policy=ParentClosePolicy.TERMINATE,
            static_summary=f"{target} is in the hands of {workflow.info().workflow_id}",
        )
    except WorkflowAlreadyStartedError:
        return None
