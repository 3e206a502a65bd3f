"""Ids of incidents as people type them: a beginning or an end is enough where only one has it."""

from collections.abc import Iterable
from typing import Final

from opsmend.errors import IncidentNotFoundError

_START: Final = "incident:"
_ON_REQUEST: Final = "investigation:"
"""Looked into because a person asked. It ends as the incident of the same target does."""
_MOST_NAMED: Final = 5


def is_whole(given: str) -> bool:
    """Whether it has all parts of an id: `incident:<cluster>:<namespace>:<kind>:<name>` or `incident:group:<digest>`."""
    parts = given.removeprefix(_START).removeprefix(_ON_REQUEST).split(":")
    begins_so = given.startswith((_START, _ON_REQUEST))
    return begins_so and (len(parts) >= 4 or parts[0] == "group") and all((parts[0], parts[-1]))


def the_one_meant(given: str, ids: Iterable[str]) -> str:
    """Raises IncidentNotFoundError unless `given` is, begins or ends exactly one of `ids`, with or without `incident:`."""
    known = list(dict.fromkeys(ids))
    meant = [known_id for known_id in known if _is_meant(given, known_id)]
    found = [known_id for known_id in meant if known_id.startswith(_START)] or meant
    if given in known or len(found) == 1:
        return given if given in known else found[0]
    if not found:
        raise IncidentNotFoundError(f"There is no incident {given}, and none whose id begins or ends so.")
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise IncidentNotFoundError(f"{given} stands for several incidents: {', '.join(found[:_MOST_NAMED])}{more}.")


def _is_meant(given: str, known: str) -> bool:
    """Ends count from a `:` on: `web` is `…:deployment:web`, not `…:deployment:my-web`."""
    return bool(given) and (known.startswith((given, _START + given)) or known.endswith(f":{given}"))
