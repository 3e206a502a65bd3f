"""The object of an action as it stands now."""

from opsmend.adapters.kubernetes.neighbourhood.workloads import read_revisions
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Revision


async def read_live(
    reading: Reading, action: Action, known: LiveObject | None = None, kept: tuple[Revision, ...] = ()
) -> LiveObject:
    """Unredacted, for a change must be exact. What `known` and the revisions `kept` have already is not read."""
    obj = known.object if known else _content(await reading.object(action.target))
    revisions = (known.revisions if known else ()) or kept
    if action.needed_template and not revisions:
        revisions = await read_revisions(reading, action.target, obj)
    return LiveObject(object=obj, revisions=revisions)


def _content(obj: JsonObject) -> JsonObject:
    """Without who wrote which field: that is no content, and often the bigger half of an object."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}
