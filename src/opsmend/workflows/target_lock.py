"""One mutator per target at a time, and one question about it, by nothing but Temporal's own rule that a workflow id runs once.

The lock is a workflow of its own with the id `lock:<target>`. Whoever manages to start it has the lock. It ends when its holder
releases it, or when the watchdog finds its holder closed (docs/decisions/0020). It outlives the single run of its holder: an
incident whose history is continued keeps its locks.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.opened import HeldLock
    from opsmend.errors import HumanNeededError

_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
"""Between two tries for a lock that somebody else holds, each pause twice the one before: whoever holds it may wait for days
for an answer, and a try is five events of history."""

_WHILE_IT_ENDS: Final = timedelta(seconds=1)
"""What a lock needs to end that was released without waiting for it."""

HOLDER: Final = "holder"
HOLDERS_CHAIN: Final = "holders-chain"
"""Memo of a lock: the workflow id of its holder, and the first run of the holder's chain of runs."""

STANDS_ALONE: Final = "a-lock-is-a-workflow-of-its-own"
"""Patch: the locks of runs that took them before it end with the run. It can go once no run is older than 0.2."""


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
    """The locks of one incident. `held` are those that it took in an earlier run."""

    def __init__(self, held: Iterable[HeldLock] = ()) -> None:
        self._carried = list(held)
        self._taken: list[ChildWorkflowHandle[Any, Any]] = []
        self._ending: set[str] = set()
        self._stand_alone = True

    @property
    def held(self) -> tuple[HeldLock, ...]:
        taken = (HeldLock(id=lock.id, run_id=lock.first_execution_run_id or "") for lock in self._taken)
        return (*self._carried, *taken)

    @property
    def outlive_the_run(self) -> bool:
        return self._stand_alone or not self._taken

    async def acquire(
        self,
        targets: Iterable[str],
        deadline: timedelta,
        told: Callable[[str], None] = lambda target: None,
        before_a_pause: Callable[[], None] = lambda: None,
    ) -> bool:
        """Whether somebody else held one of them first; `told` hears once of which target, before it is waited for.

        They are taken in sorted order, so that two holders cannot wait for each other. `before_a_pause` may raise.

        Raises:
            TargetLockedError: a lock was not free within `deadline`.
        """
        gives_up = workflow.now() + deadline
        waited = False
        for target in sorted(set(targets)):
            pause = _FIRST_PAUSE
            while (lock := await self._try(target)) is None:
                if target in self._ending:
                    self._ending.remove(target)
                    await workflow.sleep(_WHILE_IT_ENDS, summary=f"until our own lock of {target} has ended")
                    continue
                if not waited:
                    told(target)
                waited = True
                if workflow.now() + pause > gives_up:
                    raise TargetLockedError(f"{target} stayed locked by another change")
                before_a_pause()
                await workflow.sleep(pause, summary=f"waiting for the lock of {target}")
                pause = min(2 * pause, _LONGEST_PAUSE)
            self._taken.append(lock)
        return waited

    async def release(self) -> None:
        """All of them. One that somebody ended by hand is released as well."""
        while self._taken:
            lock = self._taken.pop()
            with suppress(FailureError):
                await lock.signal(TargetLock.release)
                await lock
        while self._carried:
            held = self._carried.pop()
            self._ending.add(held.id.removeprefix(_PREFIX))
            with suppress(FailureError):
                await workflow.get_external_workflow_handle_for(TargetLock.run, held.id, run_id=held.run_id).signal(
                    TargetLock.release
                )

    async def _try(self, target: str) -> ChildWorkflowHandle[Any, Any] | None:
        """None while somebody else holds it."""
        self._stand_alone = workflow.patched(STANDS_ALONE)
        info = workflow.info()
        try:
            return await workflow.start_child_workflow(
                TargetLock.run,
                info.workflow_id,
                id=f"{_PREFIX}{target}",
                parent_close_policy=ParentClosePolicy.ABANDON if self._stand_alone else ParentClosePolicy.TERMINATE,
                memo={HOLDER: info.workflow_id, HOLDERS_CHAIN: info.first_execution_run_id},
                static_summary=f"{target} is in the hands of {info.workflow_id}",
            )
        except WorkflowAlreadyStartedError:
            return None


_PREFIX: Final = "lock:"


@asynccontextmanager
async def locked(targets: Iterable[str], deadline: timedelta) -> AsyncIterator[None]:
    """Hold the locks of all `targets`. Raises as `TargetLocks.acquire`."""
    locks = TargetLocks()
    try:
        await locks.acquire(targets, deadline)
        yield
    finally:
        await locks.release()
