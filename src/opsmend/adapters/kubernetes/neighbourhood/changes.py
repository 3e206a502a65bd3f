"""What differs between two pod templates, path by path."""

import json
from collections.abc import Iterator
from typing import Any, Final

from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Change

_ABSENT: Final = object()
_VALUE_LIMIT: Final = 300
_CHANGES_LIMIT: Final = 60


def changes_between(
    before: JsonObject, after: JsonObject, shown_before: JsonObject, shown_after: JsonObject
) -> tuple[Change, ...]:
    """Found on the true documents, told with the values of their redacted twins: a changed password is a change, unnamed.

    Items of a list are matched by their `name` where all have one, so that a variable put first does not look as if all had
    changed. Paths count positions in `after`, and in `before` for what is gone.
    """
    found = _walk(before, after, shown_before, shown_after, "")
    return tuple(change for change, _ in zip(found, range(_CHANGES_LIMIT), strict=False))


def _walk(before: Any, after: Any, shown_before: Any, shown_after: Any, path: str) -> Iterator[Change]:
    if before is not _ABSENT and after is not _ABSENT and before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            step = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from _walk(
                before.get(key, _ABSENT), after.get(key, _ABSENT), _at(shown_before, key), _at(shown_after, key), step
            )
    elif isinstance(before, list) and isinstance(after, list):
        for old, new in _matched(before, after):
            yield from _walk(
                _ABSENT if old is None else before[old],
                _ABSENT if new is None else after[new],
                _at(shown_before, old),
                _at(shown_after, new),
                f"{path}/{old if new is None else new}",
            )
    else:
        yield Change(path=path, before=_shown(before, shown_before), after=_shown(after, shown_after))


def _matched(before: list[Any], after: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Pairs of positions, None where the other side has no such item."""
    old, new = _positions(before), _positions(after)
    if old is None or new is None:
        old, new = {i: i for i in range(len(before))}, {i: i for i in range(len(after))}
    for name, position in new.items():
        yield old.get(name), position
    for name, position in old.items():
        if name not in new:
            yield position, None


def _positions(items: list[Any]) -> dict[Any, int] | None:
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if None in names or len(set(names)) < len(names):
        return None
    return {name: position for position, name in enumerate(names)}


def _at(shown: Any, key: Any) -> Any:
    if isinstance(shown, dict):
        return shown.get(key, _ABSENT)
    if isinstance(shown, list) and isinstance(key, int) and key < len(shown):
        return shown[key]
    return _ABSENT


def _shown(value: Any, shown: Any) -> str | None:
    if value is _ABSENT:
        return None
    if shown is _ABSENT:
        return "[redacted]"
    told = shown if isinstance(shown, str) else json.dumps(shown)
    return told[:_VALUE_LIMIT]
