"""An incident's state, small enough to be told: Temporal refuses to carry an answer of 2 MiB, and people an endless page."""

from typing import Any, Final

from opsmend.domain.incident import IncidentState, TimelineEntry
from opsmend.errors import bounded

TOLD_LIMIT: Final = 1_500_000
"""Bytes of JSON. What the API makes of a state is somewhat larger, and stays below 2 MB."""

_CUTS: Final = ((4000, 400), (1000, 200), (300, 50))
"""Characters of a text and items of a list, from bad to worse. No model of ours has 50 fields, so none loses one."""


def fitting(state: IncidentState) -> IncidentState:
    """`state` itself, unless it is too large: then its long texts and lists are cut as far as needed, and a note says so."""
    if _size(state) <= TOLD_LIMIT:
        return state
    content = state.model_dump(mode="json")
    for characters, items in _CUTS:
        cut = IncidentState.model_validate(_cut(content, characters, items))
        if _size(cut) <= TOLD_LIMIT:
            break
    said = f"too large to be told whole: texts are cut to {characters} characters, lists to {items} entries"
    note = TimelineEntry(at=state.opened_at, event="state.cut", detail=said)
    return cut.model_copy(update={"timeline": (*cut.timeline, note)})


def _cut(part: Any, characters: int, items: int) -> Any:
    if isinstance(part, str):
        return bounded(part, characters)
    if isinstance(part, list):
        kept = part if len(part) <= items else [*part[: items // 2], *part[-(items // 2) :]]
        return [_cut(item, characters, items) for item in kept]
    if isinstance(part, dict):
        return {key: _cut(part[key], characters, items) for key in list(part)[:items]}
    return part


def _size(state: IncidentState) -> int:
    return len(state.model_dump_json().encode())
