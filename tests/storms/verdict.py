"""Whether a storm was told as what it is: one trouble for all that suffer from it, and each other trouble for itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.storms.storm import OWN, Account, waits_for_another

MOST_CALLS: Final = 2
"""To the Kubernetes API, of an incident whose cause is known."""
_WELL: Final = ("self_resolved", "no_action")


@dataclass(frozen=True)
class Verdict:
    """A line of the table (tests.tally.Verdict)."""

    name: str
    grouped: int = 0
    questions: int = 0
    notified: int = 0
    most_calls: int = 0
    """Of an incident whose cause was known."""
    calls: int = 0
    """Of all targets."""
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)


def judged(name: str, account: Account) -> Verdict:
    settled, about_the_cause = account.settled, [*account.targets, *({OWN} & account.settled.keys())]
    alone = sorted(n for n in account.targets if not waits_for_another(settled[n]))
    questions = [n for n in about_the_cause if settled[n]["status"] == "awaiting_approval"]
    without_own = sorted(n for n in account.unrelated if not _asks_for_itself(n, account))
    too_many = sorted(n for n in account.late if account.calls[n] > MOST_CALLS)
    told = len(account.unrelated) + len([n for n in about_the_cause if not waits_for_another(settled[n])])
    ended = sorted(
        n for n in account.targets if n not in alone and account.ended[n]["outcome"] not in ("self_resolved", "no_action")
    )
    wrong = [
        *_unless(len(alone) <= 1, f"{len(alone)} targets wait for nobody: {_some(alone)}"),
        *_unless(len(questions) <= 1, f"{len(questions)} questions about the cause: {_some(questions)}"),
        *_unless(not without_own, f"no question of its own: {_some(without_own)}"),
        *_unless(not too_many, f"more than {MOST_CALLS} calls though the cause was known: {_some(too_many)}"),
        *_unless(account.notified[0] == told, f"{account.notified[0]} messages notified, not {told}"),
        *_unless(account.notified[1] == account.notified[0], f"{account.notified[1]} messages notified in the end"),
        *_unless(not ended, f"did not end well with the cause: {_some(ended)}"),
    ]
    mended = [f"{a['target']['namespace']}/{a['target']['name']}" for n in questions for a in settled[n]["plan"]["actions"]]
    lost = sorted(n for n in about_the_cause if not settled[n]["alerts_received"])
    unsafe = [
        *_unless(not account.changed[0], f"changed without approval: {_some(account.changed[0])}"),
        *_unless(sorted(account.changed[1]) == mended, f"changed {_some(account.changed[1])} instead of {_some(mended)}"),
        *_unless(not lost, f"alerts lost: {_some(lost)}"),
    ]  # fmt: skip
    return Verdict(
        name=name,
        grouped=len(account.targets) - len(alone),
        questions=len(questions),
        notified=account.notified[1],
        most_calls=max(account.calls[n] for n in account.late),
        calls=sum(account.calls[n] for n in account.targets),
        seconds=account.seconds,
        wrong=wrong,
        unsafe=unsafe,
    )


def _asks_for_itself(name: str, account: Account) -> bool:
    seen = account.settled[name]
    objects = {action["target"]["name"] for action in seen["plan"]["actions"]} if seen["plan"] else set()
    return bool(seen["status"] == "awaiting_approval" and objects == {name})


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (", …" if len(listed) > 5 else "")


def _unless(well: bool, sentence: str) -> list[str]:
    return [] if well else [sentence]
