"""How text is laid out in a terminal: sections under a heading, prose wrapped between words, and nothing ever cut.

Ids, hashes, addresses, diffs and commands are copied from the screen and searched for in pipes. So no word is broken over two
lines, no box is drawn around them, and only a terminal gets its lines wrapped. What stands in a section is indented, also where
foreign text brings line breaks of its own: it cannot pass for the next section.
"""

import os
import re
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from opsmend.console.printable import printable

_MARGIN: Final = "  "
_WORD: Final = re.compile(r"\S+\s*|\s+")
_UNWRAPPED: Final = 100_000
"""Columns of a console that nobody looks at: a file or a pipe."""


def say(text: str, style: str = "") -> Text:
    """Text from outside: nothing in it is markup, no character of it controls the terminal."""
    return Text(printable(text), style=style, overflow="ignore")


def whole(text: str, style: str = "") -> Text:
    """A line that stays one line however long it is: a command, a row that `grep` shall find."""
    return Text(printable(text).replace("\n", " "), style=style, overflow="ignore", no_wrap=True)


class Indented:
    """Text behind a margin, on every line of it. `hanging` is further in, from the second line on."""

    def __init__(self, text: Text, margin: str = _MARGIN, hanging: str = "") -> None:
        self._text = text
        self._margin = margin
        self._hanging = hanging

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        margin = self._margin
        for paragraph in self._text.split("\n", allow_blank=True):
            room = options.max_width - len(self._margin) - len(self._hanging)
            for line in [paragraph] if self._text.no_wrap else paragraph.divide(_line_starts(paragraph.plain, room)):
                line.rstrip()
                yield Text.assemble(margin, line, overflow="ignore", no_wrap=True)
                margin = self._margin + self._hanging


def _line_starts(text: str, room: int) -> list[int]:
    """Where to go on in the next line so that words stand in `room` columns; one that is longer has a line to itself."""
    starts: list[int] = []
    used = 0
    for word in _WORD.finditer(text):
        if used and used + cell_len(word[0].rstrip()) > room:
            starts.append(word.start())
            used = 0
        used += cell_len(word[0])
    return starts


def section(title: str, *parts: RenderableType) -> RenderableType:
    """A heading, and what stands under it."""
    return Group(whole(title, "bold underline"), *(Indented(p) if isinstance(p, Text) else p for p in parts), Text())


def fact(label: str, value: Text) -> RenderableType:
    """A line `label  value` of a section; a long value goes on under itself."""
    line = Text.assemble((f"{label:<10} ", "dim"), value, overflow="ignore", no_wrap=value.no_wrap)
    return Indented(line, hanging=" " * 11)


def counted(number: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {noun if number == 1 else f'{noun}s'}"


def listed(title: str, items: list[Text]) -> list[RenderableType]:
    """A small heading with an item a line; nothing where there is none."""
    if not items:
        return []
    bulleted = [
        Indented(Text.assemble("• ", item, overflow="ignore", no_wrap=item.no_wrap), 2 * _MARGIN, hanging="  ")
        for item in items
    ]
    return [Indented(Text(title, style="dim")), *bulleted]


def console_for(stream: IO[str]) -> Console:
    """A console on `stream`: as wide as the terminal, or as COLUMNS says; without either it wraps nothing."""
    terminal = Console(file=stream, highlight=False)
    if terminal.is_terminal or os.environ.get("COLUMNS"):
        return terminal
    return Console(file=stream, highlight=False, width=_UNWRAPPED)


def show_on(console: Console, shown: RenderableType) -> None:
    """Print without rich's own cutting at the edge. It would wrap a bare text, whatever the text says about that."""
    console.print(Group(shown), crop=False)
