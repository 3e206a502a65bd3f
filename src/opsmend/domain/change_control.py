"""Whether opsmend may change anything now: a pause that people declared, and limits on how much it changes.

Pure: the state of one cluster goes in, the next state and an answer come out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.approval import Person
from opsmend.domain.record import Record, StrictRecord

RATE_WINDOW: Final = timedelta(hours=1)
"""The limits of a namespace and of the cluster are for one hour."""

REMEDY_WINDOW: Final = timedelta(hours=24)
"""The limit of remedies for one target is for a day: what comes back after three of them has another cause."""


LONGEST_REASON: Final = 500
"""Characters of the reason for a pause."""


class ChangeLimits(Record):
    """How much opsmend may change before people must look. Undoing counts nowhere and is never limited."""

    per_namespace: int = Field(default=20, ge=1)
    """Changes in one namespace within an hour."""
    per_cluster: int = Field(default=60, ge=1)
    """Changes in the cluster within an hour."""
    remedies_per_target: int = Field(default=3, ge=1)
    """Plans that change one object within 24 hours. After that the object is held for people until somebody releases it."""


class Pause(Record):
    """People want no changes now."""

    by: Person
    at: AwareDatetime
    reason: str = ""

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"changes are paused since {self.at:%Y-%m-%d %H:%M} UTC by {self.by}{reason}"


class PauseRequest(StrictRecord):
    by: Person
    reason: str = Field(default="", max_length=LONGEST_REASON)


class ResumeRequest(StrictRecord):
    by: Person


class ReleaseRequest(StrictRecord):
    """`target` is an object that is held for people, as `ChangeReservation` has it."""

    by: Person
    target: str


class ChangeReservation(StrictRecord):
    """A step that is about to be made. `step` is its marker: the same one is counted once, however often it is asked for."""

    step: str
    plan_hash: str
    namespace: str
    target: str
    limits: ChangeLimits = ChangeLimits()


class ChangeLeave(StrictRecord):
    """`reason` is a sentence when it was not granted."""

    granted: bool
    reason: str = ""


class MadeChange(Record):
    """A step that had leave."""

    at: AwareDatetime
    step: str
    plan_hash: str
    namespace: str
    target: str


class HeldTarget(Record):
    """An object that opsmend changed too often. People see to it until somebody releases it."""

    target: str
    since: AwareDatetime
    why: str


class ChangeControlState(Record):
    """Of one cluster. `changes` are those of the last 24 hours, the oldest first."""

    pause: Pause | None = None
    changes: tuple[MadeChange, ...] = ()
    held: tuple[HeldTarget, ...] = ()

    def without_old(self, now: datetime) -> "ChangeControlState":
        kept = tuple(change for change in self.changes if now - change.at < REMEDY_WINDOW)
        return self if len(kept) == len(self.changes) else self.model_copy(update={"changes": kept})

    def held_for_people(self, target: str) -> HeldTarget | None:
        return next((held for held in self.held if held.target == target), None)


def reserve(state: ChangeControlState, asked: ChangeReservation, now: datetime) -> tuple[ChangeControlState, ChangeLeave]:
    """Whether the step may be made now, and the state with it. A step that had leave keeps it: what has begun is finished."""
    state = state.without_old(now)
    if any(change.step == asked.step for change in state.changes):
        return state, ChangeLeave(granted=True)
    if state.pause:
        return state, ChangeLeave(granted=False, reason=str(state.pause))
    state = _hold_if_changed_too_often(state, asked, now)
    if held := state.held_for_people(asked.target):
        return state, ChangeLeave(granted=False, reason=held.why)
    if over := _over_the_rate(state, asked, now):
        return state, ChangeLeave(granted=False, reason=over)
    made = MadeChange(at=now, step=asked.step, plan_hash=asked.plan_hash, namespace=asked.namespace, target=asked.target)
    return state.model_copy(update={"changes": (*state.changes, made)}), ChangeLeave(granted=True)


def _hold_if_changed_too_often(state: ChangeControlState, asked: ChangeReservation, now: datetime) -> ChangeControlState:
    others = {change.plan_hash for change in state.changes if change.target == asked.target} - {asked.plan_hash}
    if len(others) < asked.limits.remedies_per_target or state.held_for_people(asked.target):
        return state
    why = (
        f"{asked.target} was changed by {len(others)} plans within 24 hours, and it still is not well: "
        "people see to it until somebody releases it"
    )
    return state.model_copy(update={"held": (*state.held, HeldTarget(target=asked.target, since=now, why=why))})


def _over_the_rate(state: ChangeControlState, asked: ChangeReservation, now: datetime) -> str | None:
    recent = [change for change in state.changes if now - change.at < RATE_WINDOW]
    here = [change for change in recent if change.namespace == asked.namespace]
    place = f"namespace {asked.namespace}" if asked.namespace else "objects without a namespace"
    for changes, most, where in (
        (here, asked.limits.per_namespace, place),
        (recent, asked.limits.per_cluster, "this cluster"),
    ):
        if len(changes) >= most:
            free = _oldest(changes) + RATE_WINDOW
            return f"the limit of {most} changes an hour in {where} is reached: the next one is possible at {free:%H:%M} UTC"
    return None


def _oldest(changes: Iterable[MadeChange]) -> datetime:
    return min(change.at for change in changes)
