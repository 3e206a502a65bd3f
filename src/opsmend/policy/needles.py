"""Whether a text holds any of many words, in one pass: most texts hold none, and the patterns need not be tried on them."""

from collections.abc import Iterable
from typing import Any

import re2


class Needles:
    """`words` in any case, ASCII. RE2 looks for all of them at once, some 30 µs for 16 KB."""

    def __init__(self, words: Iterable[str]) -> None:
        self._set: Any = re2.Set.SearchSet(bytewise(case_sensitive=False))
        for word in words:
            self._set.Add(re2.escape(word).encode())
        self._set.Compile()

    def found_in(self, data: bytes) -> list[int]:
        """The positions of those of the words that `data`, text in UTF-8, holds."""
        return self._set.Match(data) or []

    def any_in(self, text: str) -> bool:
        return bool(self.found_in(as_bytes(text)))


def bytewise(*, case_sensitive: bool = True) -> Any:
    """Options of a pattern that looks at a text's bytes one by one: what is looked for is ASCII."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = case_sensitive
    return options


def as_bytes(text: str) -> bytes:
    """In UTF-8, also what is no text: JSON may hold half a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")
