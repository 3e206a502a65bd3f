"""The object of an action as it stands now."""

from opsmend.adapters.kubernetes.neighbourhood.workloads import read_revisions
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.workload_fields import template_of
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.snapshot import Revision


async def read_live(
    reading: Reading, action: Action, known: LiveObject | None = None, kept: tuple[Revision, ...] = ()
) -> LiveObject:
    """Unredacted, for a change must be exact. What `known` and the revisions `kept` have already is not read."""
    obj = known.object if known else _content(await reading.object(action.target))
    revisions = known.revisions if known else ()
    if action.needed_template and not revisions:
        revisions = _sufficient(kept, action, obj) or await read_revisions(reading, action.target, obj)
    return LiveObject(object=obj, revisions=revisions)


def _sufficient(kept: tuple[Revision, ...], action: Action, obj: JsonObject) -> tuple[Revision, ...]:
    """Those that are whole, if the template that `action` takes is among them, and the present one, which its inverse takes."""
    needed = {action.needed_template, digest(template_of(obj))}
    found = tuple(revision for revision in kept if revision.template_digest in needed and revision.whole)
    return found if {revision.template_digest for revision in found} == needed else ()


def _content(obj: JsonObject) -> JsonObject:
    """Without who wrote which field: that is no content, and often the bigger half of an object."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}
