"""Text from outside, made harmless for a terminal."""

import unicodedata
from typing import Final

_LAYOUT: Final = frozenset("\n\t")


def printable(text: str) -> str:
    """`text` with every control, escape and direction character spelt out (`\\x1b`), so that it cannot move the cursor,
    colour, hide or reorder what is around it. Newlines and tabs stay."""
    return "".join(char if char in _LAYOUT or unicodedata.category(char)[0] != "C" else _spelt(char) for char in text)


def _spelt(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
