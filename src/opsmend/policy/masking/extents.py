"""Where a value ends that begins at a place in a text: in quotes, in a list, at a space, at the end of its line or later."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Span(NamedTuple):
    """Of a value. `bare` when nothing but its characters say where it ends."""

    start: int
    end: int
    bare: bool = False


_LONGEST: Final = 4096
"""Characters of a value whose end is looked for. Values may lie within each other: without a bound it takes quadratic time."""

_QUOTED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<quote>\"\"\"|''')(?P<value>(?:(?!(?P=quote))[\s\S]){{1,{_LONGEST}}}+)(?=(?P=quote))",
        rf"(?P<quote>\\+[\"'])(?P<value>[^\n]{{0,{_LONGEST}}}?)(?=(?P=quote)|\n|\Z)",
        r"\"(?P<value>(?:\\.|[^\"\\\n])*+)",
        r"'(?P<value>(?:\\.|[^'\\\n])*+)",
        r"`(?P<value>[^`\n]*+)",
        r"\{(?P<value>[^{}\n:=\"']{1,512}+)(?=\})",
    )
)
"""The last is ODBC's."""
_OVER_LINES: Final = re.compile(r"\"(?P<value>(?:[^\"\\]|\\.){1,1024}+)(?=\"[ \t]*+(?:\n|\Z))", re.DOTALL)
_LIST: Final = re.compile(rf"\[(?P<items>[^\[\]{{}}\n]{{1,{_LONGEST}}})\]")
_ITEM: Final = re.compile(r"\"(?P<double>[^\"\n]*+)\"|'(?P<single>[^'\n]*+)'|(?P<bare>[^\s,\"']++)")
_LINE: Final = re.compile(r"(?P<value>[^\s\"'`{\[|>&*][^\n\\]*+(?:\\(?:\n[ \t]*+(?=\S)|.)[^\n\\]*+)*+)")
"""Up to the end of the line, or of the lines that a backslash joins to it."""
_COMMENT: Final = re.compile(r"[ \t]+(?:#.*)?\Z|[,;]+\Z")
_WORD: Final = re.compile(
    r"(?P<value>\$[({][^)}\n]{0,128}[)}]|\{\{[^}\n]{0,128}\}\}|<[^<>\n]{0,128}>"
    r"|[^\s\"'`,;&{\[<>|)}\]\\=](?:[^\s\"'`,;&<>|)}\]\\]|[<>|)}\]](?=\w)|[,;&](?=[^\s,;&=:\"'\\]{1,64}+(?:[\s,;&\"'\\)}\]]|\Z))"
    r"|\\(?![nrt\"'\\u])){0,2048}+)"
)
"""Up to where what goes on with another name, a bracket that closes, or an escaped line break."""


def quoted(text: str, at: int) -> Span | None:
    """What the quotes at `at` hold, up to the end of the line where they do not close."""
    found = next((match for pattern in _QUOTED if (match := pattern.match(text, at))), None)
    return Span(*found.span("value")) if found else None


def quoted_over_lines(text: str, at: int) -> Span | None:
    """What quotes hold that close on a later line, as a shell allows."""
    found = _OVER_LINES.match(text, at)
    return Span(*found.span("value")) if found and "\n" in found["value"] else None


def items(text: str, at: int) -> Iterator[Span]:
    """Those of the list at `at`; nothing where there is none on one line."""
    found = _LIST.match(text, at)
    for item in _ITEM.finditer(text, *found.span("items")) if found else ():
        group = item.lastgroup or "bare"
        yield Span(*item.span(group), bare=group == "bare")


def line(text: str, at: int) -> Span | None:
    """The rest of the line, without a comment."""
    found = _LINE.match(text, at)
    return Span(found.start("value"), found.start("value") + len(_COMMENT.sub("", found["value"]))) if found else None


def word(text: str, at: int) -> Span | None:
    """What stands there without a space in it."""
    found = _WORD.match(text, at)
    return Span(*found.span("value"), bare=True) if found else None
