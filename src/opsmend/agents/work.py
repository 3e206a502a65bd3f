"""Who is at work in this process, for which workflow, what that work has asked of the Kubernetes API, and what of it is done.

The interceptor of activities says who (`at_work`), adapters enter each call (`current`), and a node puts the bill into its
result (`agents.node.spent`). It is ambient because it belongs to no call in between: neither agents nor actions care.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from opsmend.domain.call_ledger import ApiCall, CallLedger, CountedCall


class Work:
    """One execution of an activity. `earlier` is what its failed tries had asked: they count too.

    `done` names the parts that the next try must not repeat; adapters add to it.
    """

    def __init__(self, agent: str, workflow_id: str, earlier: CallLedger, done: Iterable[str] = ()) -> None:
        self.agent = agent
        self.workflow_id = workflow_id
        self.ledger = earlier
        self.done = set(done)

    def enter(self, call: ApiCall, size: int) -> None:
        """One call, with the bytes of its answer."""
        self.ledger += CallLedger(counted=(CountedCall(**call.model_dump()),), calls=1, bytes=size)

    @property
    def details(self) -> tuple[Any, ...]:
        """The ledger, and what is done, as heartbeats and failures carry them; nothing while there is nothing to tell."""
        if not (self.ledger.calls or self.done):
            return ()
        return self.ledger.model_dump(mode="json"), *([sorted(self.done)] if self.done else ())


def ledger_in(details: Sequence[Any]) -> CallLedger:
    """What `Work.details` put into a heartbeat or a failure."""
    return CallLedger.model_validate(details[0]) if details else CallLedger()


def done_in(details: Sequence[Any]) -> tuple[str, ...]:
    """The same for what was done."""
    return tuple(map(str, details[1])) if len(details) > 1 else ()


_CURRENT: Final[ContextVar[Work | None]] = ContextVar("opsmend_work", default=None)


def current() -> Work | None:
    """None outside of any activity: `opsmend doctor`, a test, a script."""
    return _CURRENT.get()


@contextmanager
def at_work(work: Work) -> Iterator[None]:
    """Everything that runs inside, tasks started there included, is part of `work`."""
    before = _CURRENT.set(work)
    try:
        yield
    finally:
        _CURRENT.reset(before)
