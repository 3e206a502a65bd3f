"""Which of many patterns can match a text at all, by words that it must hold: most texts hold none, and need not be tried."""

from collections.abc import Iterable
from typing import Any

import re2


class Needles:
    """`words_of` has for each pattern the words, in any case and ASCII, of which a text must hold one.

    RE2 looks for all words of all patterns at once, some 30 µs for 16 KB.
    """

    def __init__(self, words_of: Iterable[Iterable[str]]) -> None:
        self._patterns: dict[str, list[int]] = {}
        for position, words in enumerate(words_of):
            for word in words:
                self._patterns.setdefault(word.lower(), []).append(position)
        self._set: Any = re2.Set.SearchSet(bytewise(case_sensitive=False))
        for word in self._patterns:
            self._set.Add(re2.escape(word).encode())
        self._set.Compile()
        self._of_word = tuple(self._patterns.values())

    def may_match(self, data: bytes) -> list[int]:
        """The positions of the patterns that can match `data`, a text in UTF-8."""
        return sorted({position for word in self._set.Match(data) or () for position in self._of_word[word]})


def bytewise(*, case_sensitive: bool = True) -> Any:
    """Options of a pattern that looks at a text's bytes one by one: what is looked for is ASCII."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = case_sensitive
    return options


def as_bytes(text: str) -> bytes:
    """In UTF-8, also what is no text: JSON may hold half a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")
