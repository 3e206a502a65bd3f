"""Whose first message may be posted in chat now, and what people see of those that have to wait. Pure.

A storm must not bury a channel. An incident that needs a person never comes here: its message and its call are posted at once.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.alert import GRAVITY, Severity
from opsmend.domain.ports.chat import StormDigest
from opsmend.domain.record import Record
from opsmend.domain.untold import Untold

MINUTE: Final = timedelta(minutes=1)

_AT_LEAST: Final = timedelta(seconds=1)
_AT_MOST: Final = timedelta(minutes=15)
"""Until it asks again. Others may have left the line by then, because they called."""

_GONE_AFTER: Final = timedelta(minutes=5)
"""Who has not asked again for so long after it was due was ended by hand."""

_NAMED: Final = 5
"""Namespaces and incidents that the digest names."""


class Waiting(Record):
    incident: Untold
    since: AwareDatetime
    due: AwareDatetime
    """When it will ask again."""


class Line(Record):
    """By run of an incident: who got room lately and when, and who waits for it."""

    granted: dict[str, AwareDatetime] = Field(default_factory=dict)
    waiting: dict[str, Waiting] = Field(default_factory=dict)


def ask(line: Line, incident: Untold, most: int, now: datetime, within: timedelta = MINUTE) -> tuple[Line, timedelta]:
    """The line afterwards, and how long `incident` has to wait; zero: its message may be posted now.

    There is room for `most` messages `within` that time. The gravest come first, and of equally grave ones the oldest.
    Who has got room and asks again, because Slack did not take the message, has it still.
    """
    granted = {run: at for run, at in line.granted.items() if now - at < within}
    waiting = dict(line.waiting)
    came = waiting.pop(incident.run_id, None)
    if incident.run_id in granted:
        return Line(granted=granted, waiting=waiting), timedelta(0)
    since = came.since if came else now
    before = sum(_place(other.incident, other.since) <= _place(incident, since) for other in waiting.values())
    free = [now] * (most - len(granted)) + [at + within for at in sorted(granted.values())[-most:]]
    at = free[before % most] + before // most * within
    if at <= now:
        granted[incident.run_id] = now
        return Line(granted=granted, waiting=waiting), timedelta(0)
    wait = min(max(at - now, _AT_LEAST), _AT_MOST)
    waiting[incident.run_id] = Waiting(incident=incident, since=since, due=now + wait)
    return Line(granted=granted, waiting=waiting), wait


def without(line: Line, run_id: str) -> Line:
    """It has a message, as it called."""
    return line.model_copy(update={"waiting": {run: who for run, who in line.waiting.items() if run != run_id}})


def without_the_gone(line: Line, now: datetime) -> Line:
    return line.model_copy(update={"waiting": {run: who for run, who in line.waiting.items() if now - who.due < _GONE_AFTER}})


def digest(line: Line, since: datetime) -> StormDigest:
    """`since` is when the first of them had to wait."""
    waiting = sorted(line.waiting.values(), key=lambda who: _place(who.incident, who.since))
    severities = Counter(who.incident.severity for who in waiting)
    namespaces = Counter(who.incident.target.namespace for who in waiting)
    return StormDigest(
        key=f"storm:{since.isoformat()}",
        since=since,
        waiting=len(waiting),
        severities={severity: severities[severity] for severity in Severity if severities[severity]},
        namespaces=dict(sorted(namespaces.items(), key=lambda n: (-n[1], n[0]))[:_NAMED]),
        more_namespaces=max(len(namespaces) - _NAMED, 0),
        gravest=tuple(who.incident for who in waiting[:_NAMED]),
    )


def _place(incident: Untold, since: datetime) -> tuple[int, datetime, str]:
    return GRAVITY[incident.severity], since, incident.run_id
