"""The audit log held against what opsmend claims: for each incident and each account the same calls, equally often.

What counts, and why it must come out even:

- Every request that reached the server has an entry in the log, and one in the ledger, whatever was answered: a retry, a 429,
  a conflict, a refusal and a 401 (after which the same is asked with a fresh token) are requests of their own on both sides.
- Without a connection nothing was sent: neither side counts it.
- What was in flight when a drill kills the API server was sent, and so is in the ledger; the server died before it wrote. Only
  there the log may lack something, and no more than may be in flight at once.
- A worker asks once for the server's version as it starts, before or after the moment from which the log is read. That is not
  counted.
- Nobody else works with these accounts: any other call that names no incident and no look is claimed by nobody, and so is a
  difference.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from opsmend.settings import KubernetesSettings
from tests.drills.audit.claimed import Asked, Claims, account_of
from tests.drills.audit.seen import Seen

IN_FLIGHT: Final = KubernetesSettings.model_fields["concurrency"].default
"""Requests of one piece of work at once."""


@dataclass(frozen=True)
class Difference:
    """`claimed` and `seen` say how often."""

    work: str
    asked: Asked
    claimed: int
    seen: int


def differences(claims: Claims, log: Iterable[Seen], cut: frozenset[str] = frozenset()) -> list[Difference]:
    """`cut`: namespaces of the drills in which the API server was killed."""
    seen = _counted(log)
    found = []
    for work in sorted(claims.keys() | seen.keys()):
        told, logged = claims.get(work, Counter()), seen.get(work, Counter())
        kinds = [asked for asked in told | logged if told[asked] != logged[asked]]
        unlike = [Difference(work, asked, told[asked], logged[asked]) for asked in kinds]
        if not _cut_off(work, unlike, cut):
            found += unlike
    return found


def _counted(log: Iterable[Seen]) -> dict[str, Counter[Asked]]:
    found: dict[str, Counter[Asked]] = {}
    for one in log:
        if _is_asked_at_a_start(one):
            continue
        account = one.account or account_of(one.agent, one.call)
        found.setdefault(one.work, Counter())[Asked(one.agent, account, one.call)] += 1
    return found


def _is_asked_at_a_start(one: Seen) -> bool:
    return not one.agent and (one.call.verb, one.call.resource) == ("get", "/version")


def _cut_off(work: str, unlike: list[Difference], cut: frozenset[str]) -> bool:
    """Whether all that the log lacks of this work may have been in flight when the server was killed."""
    near = any(f":{namespace}:" in work for namespace in cut) or (bool(cut) and not work.startswith("incident:"))
    lost = [difference.claimed - difference.seen for difference in unlike]
    return near and all(number > 0 for number in lost) and sum(lost) <= IN_FLIGHT


def table(found: list[Difference]) -> Table:
    drawn = Table(title="The audit log is not what opsmend claims")
    for column in ("work", "agent", "account", "call", "claimed", "seen"):
        drawn.add_column(column)
    for difference in found:
        asked, call = difference.asked, difference.asked.call
        place = "/".join(filter(None, (call.namespace, call.name)))
        told = f"{call.verb} {call.resource} {place}{' (dry run)' if call.dry_run else ''}"
        drawn.add_row(difference.work, asked.agent, asked.account, told, str(difference.claimed), str(difference.seen))
    return drawn
