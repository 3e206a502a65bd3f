"""Whether the changes of a plan still stand, and who took them back."""

from itertools import groupby
from typing import Final

from opsmend.adapters.kubernetes.live_object import read_live
from opsmend.adapters.kubernetes.neighbourhood.changes import changes_between
from opsmend.adapters.kubernetes.neighbourhood.fields import text
from opsmend.adapters.kubernetes.neighbourhood.managers import writer_since
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.requests import FIELD_MANAGER
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.object_digest import content_of, has_marker
from opsmend.domain.actions.planned_step import projected
from opsmend.domain.execution import AppliedChange, Reversion
from opsmend.domain.gitops import keeper_of
from opsmend.domain.record import JsonObject
from opsmend.errors import PlanStaleError, TargetGoneError

_FIELDS_NAMED: Final = 3
_ANYWHERE: Final = ""
"""The JSON pointer to the whole object."""


async def read_reversions(reading: Reading, changes: tuple[AppliedChange, ...]) -> tuple[Reversion, ...]:
    """One read an object; its changes stand or fall together, for later steps build upon earlier ones."""
    by_object = groupby(sorted(changes, key=_object), key=_object)
    found = [await _reversion(reading, list(group)) for _, group in by_object]
    return tuple(reversion for reversion in found if reversion)


def _object(change: AppliedChange) -> str:
    return str(change.action.target)


async def _reversion(reading: Reading, changes: list[AppliedChange]) -> Reversion | None:
    steps = tuple(change.step_id for change in changes)
    target = changes[0].action.target
    try:
        obj = await reading.object(target)
    except TargetGoneError:
        return Reversion(steps=steps, sentence=f"{target} was deleted after we had changed it")
    lost = await _lost_fields(reading, obj, changes)
    if not lost and all(has_marker(obj, change.marker) for change in changes):
        return None
    return Reversion(steps=steps, sentence=f"our change of {target} was reverted by {_told(obj, lost)}")


async def _lost_fields(reading: Reading, obj: JsonObject, changes: list[AppliedChange]) -> list[str]:
    """JSON pointers into `obj` to what differs from what our changes would make of it; none while they stand."""
    live = LiveObject(object=obj)
    try:
        return _differing(live, changes)
    except PlanStaleError:
        # A template that we went back to is only known by its revision, which is read once it is no longer in place.
        for change in changes:
            live = await read_live(reading, change.action, known=live)
    try:
        return _differing(live, changes)
    except PlanStaleError:
        return [_ANYWHERE]  # what we changed is not even there any more


def _differing(live: LiveObject, changes: list[AppliedChange]) -> list[str]:
    wanted = live
    for change in changes:
        wanted = projected(change.action, wanted)
    before, after = content_of(wanted.object), content_of(live.object)
    return [difference.path for difference in changes_between(before, after, before, after)]


def _told(obj: JsonObject, lost: list[str]) -> str:
    """`argocd-controller at 2026-11-25 10:02:07 UTC: it keeps spec.replicas. The object belongs to Argo CD (application a)`."""
    who, at = writer_since(obj, lost, FIELD_MANAGER)
    kept = ", ".join(path.strip("/").replace("/", ".") or "something else" for path in lost[:_FIELDS_NAMED])
    keeper = keeper_of(obj)
    sentence = f"{who or 'somebody whom managedFields do not name'}"
    sentence += f" at {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
    sentence += f": it keeps {text(kept, 300)}" if kept else ": our mark is gone"
    return sentence + (f". The object belongs to {text(keeper, 200)}" if keeper else "")
