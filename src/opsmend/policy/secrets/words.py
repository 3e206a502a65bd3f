"""The lists of words in words.toml."""

import tomllib
from functools import cache
from importlib.resources import files


def words(of: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(_lists()[of].split())


@cache
def _lists() -> dict[str, str]:
    return tomllib.loads(files("opsmend.policy.secrets").joinpath("words.toml").read_text(encoding="utf-8"))
