"""What was asked of the Kubernetes API: how often which call, keyed as a kube-apiserver's audit log keys a request."""

from collections.abc import Mapping
from typing import Final, Protocol

from opsmend.domain.record import Record

MOST_KINDS: Final = 200
"""Different calls that a ledger tells apart; an ordinary incident makes about 25. What comes beyond is only counted."""

_KB: Final = 1024


class ApiCall(Record):
    """One request, by what RBAC and audit logs call it."""

    verb: str
    """get, list, create, patch."""
    resource: str
    """With group and subresource: `pods`, `deployments.apps`, `pods/log`, `serviceaccounts/token`."""
    namespace: str = ""
    name: str = ""
    """Empty for lists."""
    dry_run: bool = False


class CountedCall(ApiCall):
    times: int = 1


class CallLedger(Record):
    """`calls` and `bytes` count everything, `counted` the first MOST_KINDS different calls in the order they were first made.

    A call counts once it may have reached the API server, whatever became of it; `bytes` are those of the answers' bodies.
    """

    counted: tuple[CountedCall, ...] = ()
    calls: int = 0
    bytes: int = 0

    def __add__(self, other: "CallLedger") -> "CallLedger":
        times: dict[ApiCall, int] = {}
        for entry in (*self.counted, *other.counted):
            call = ApiCall(**entry.model_dump(exclude={"times"}))
            if call in times or len(times) < MOST_KINDS:
                times[call] = times.get(call, 0) + entry.times
        return CallLedger(
            counted=tuple(CountedCall(**call.model_dump(), times=count) for call, count in times.items()),
            calls=self.calls + other.calls,
            bytes=self.bytes + other.bytes,
        )

    def __str__(self) -> str:
        return _sums(self)


class Counted(Protocol):
    """A ledger, or another's view of one."""

    @property
    def calls(self) -> int: ...
    @property
    def bytes(self) -> int: ...


def told(ledgers: Mapping[str, Counted]) -> str:
    """`sre 15 calls, 96 KB; architect 2 calls, 12 KB`."""
    return "; ".join(f"{agent} {_sums(ledger)}" for agent, ledger in ledgers.items())


def _sums(ledger: Counted) -> str:
    return f"{ledger.calls} {'call' if ledger.calls == 1 else 'calls'}, {round(ledger.bytes / _KB)} KB"
