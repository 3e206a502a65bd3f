"""The diff of an object that a person reads before answering.

Values of environment variables and ConfigMaps are shown where the change is about them, and nowhere else: not on the lines
around it, and not where they only move.
"""

import difflib
import io
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import yaml

from opsmend.domain.actions.object_digest import content_of
from opsmend.domain.record import JsonObject

DIFF_LIMIT: Final = 6_000
"""Characters of a diff that a plan keeps: about 150 lines, more than a person reads before answering, little for a history."""

NOT_SHOWN: Final = "[not shown]"
"""Stands for a value that the change leaves as it is."""

Redact = Callable[[str], str]
Path = tuple[str, ...]


def readable_diff(before: JsonObject, after: JsonObject, redact: Redact) -> str:
    """Unified diff of the content of an object as YAML, redacted, cut at DIFF_LIMIT with a sentence that says so.

    Each side is redacted as a whole: between the lines of a diff a value may stand far from the name that makes it a secret.
    Lines are compared as they are, so that a secret that changes is seen to change.
    """
    name = f"{before.get('kind', 'object')}/{before.get('metadata', {}).get('name', '')}"
    kind = (str(before.get("kind", "")),)
    old_values, new_values = (dict(_values(content_of(side), kind)) for side in (before, after))
    kept = {path for path, value in old_values.items() if new_values.get(path) == value}
    old, new = (_Side.of(_marked(content_of(side), kind, kept), redact) for side in (before, after))
    lines: list[str] = []
    for group in difflib.SequenceMatcher(None, old.lines, new.lines).get_grouped_opcodes(3):
        spans = (group[0][1], group[-1][2], group[0][3], group[-1][4])
        lines.append(f"@@ -{_range(*spans[:2])} +{_range(*spans[2:])} @@")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [f" {line}" for line in old.context[i1:i2]]
            else:
                lines += [f"-{line}" for line in old.shown[i1:i2]] + [f"+{line}" for line in new.shown[j1:j2]]
    head = [f"--- {name} now", f"+++ {name} planned"] if lines else []
    return _bounded_lines(redact("\n".join([*head, *lines])))


class _Side(NamedTuple):
    """One of the two objects, line by line."""

    lines: list[str]
    shown: list[str]
    """Where they differ: redacted, without the values that stay as they are."""
    context: list[str]
    """Where they agree: without any value."""

    @classmethod
    def of(cls, content: JsonObject, redact: Redact) -> "_Side":
        """Raises ValueError should the redaction not keep the number of lines: then nothing is shown."""
        lines, places = _as_yaml(content)
        redacted = redact("\n".join(lines)).split("\n") if lines else []
        shown = [line for _, line in zip(lines, redacted, strict=True)]
        context = list(shown)
        for place in places:
            _hide(context, lines, place)
            if place.kept:
                _hide(shown, lines, place)
        return cls(lines, shown, context)


class _Value(str):
    """A value that is only shown where it changes."""

    __slots__ = ("kept",)

    kept: bool


class _Place(NamedTuple):
    """Where a value stands in the YAML: from `column` of its first line to the last one."""

    first: int
    column: int
    last: int
    kept: bool


def _values(content: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Each value of an environment variable or a ConfigMap, under the names that lead to it, the kind of the object first."""
    for step, item in _steps(content):
        if _is_value((*path, step), item):
            yield (*path, step), item
        else:
            yield from _values(item, (*path, step))


def _marked(content: Any, path: Path, kept: set[Path]) -> Any:
    """A copy with these values told apart from all else."""
    if _is_value(path, content):
        value = _Value(content)
        value.kept = path in kept
        return value
    if isinstance(content, dict):
        return {key: _marked(item, (*path, str(key)), kept) for key, item in content.items()}
    if isinstance(content, list):
        return [_marked(item, (*path, step), kept) for step, item in _steps(content)]
    return content


def _steps(content: Any) -> Iterator[tuple[str, Any]]:
    """The items of an object by key, of a list by name where they have one: a variable put first changes no other."""
    if isinstance(content, dict):
        yield from ((str(key), item) for key, item in content.items())
    elif isinstance(content, list):
        for position, item in enumerate(content):
            yield str(item.get("name", position) if isinstance(item, dict) else position), item


def _is_value(path: Path, item: Any) -> bool:
    of_config = len(path) == 3 and path[:2] in (("ConfigMap", "data"), ("ConfigMap", "binaryData"))
    of_environment = len(path) > 2 and (path[-3], path[-1]) == ("env", "value")
    return isinstance(item, str) and (of_config or of_environment)


def _hide(shown: list[str], lines: list[str], place: _Place) -> None:
    for number in range(place.first, place.last + 1):
        line = lines[number]
        if number > place.first:
            shown[number] = f"{line[: len(line) - len(line.lstrip())]}{NOT_SHOWN}" if line.strip() else line
        elif not line[place.column :].lstrip().startswith("|"):
            shown[number] = f"{line[: place.column].rstrip()} {NOT_SHOWN}"


def _range(start: int, stop: int) -> str:
    """As in the header of a hunk: lines count from 1, and a single line needs no length."""
    length = stop - start
    return f"{start + 1}" if length == 1 else f"{start + bool(length)},{length}"


def _bounded_lines(text: str) -> str:
    if len(text) <= DIFF_LIMIT:
        return text
    kept = text[:DIFF_LIMIT].rpartition("\n")[0] or text[:DIFF_LIMIT]
    missing = text[len(kept) :].lstrip("\n")
    return f"{kept}\n… {len(missing.splitlines())} more lines ({len(missing)} characters) of this diff are left out here."


def _as_yaml(content: JsonObject) -> tuple[list[str], list[_Place]]:
    """Keys in order, as kubectl prints them: the server keeps no order either."""
    text = io.StringIO()
    dumper = _ReadableDumper(text, allow_unicode=True, width=120, default_flow_style=False)
    dumper.open()
    dumper.represent(content)
    dumper.close()
    return text.getvalue().rstrip("\n").split("\n"), dumper.places


class _ReadableDumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that a diff shows the line that differs, no aliases, and notes values."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.places: list[_Place] = []

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def process_scalar(self) -> None:
        value, first, column = getattr(self.event, "value", None), self.line, self.column
        super().process_scalar()
        if isinstance(value, _Value):
            # A block ends after its last line, anything else on it.
            last = self.line if self.column else self.line - 1
            self.places.append(_Place(first, column, last, value.kept))


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_ReadableDumper.add_representer(str, _represent_text)
_ReadableDumper.add_representer(_Value, _represent_text)
