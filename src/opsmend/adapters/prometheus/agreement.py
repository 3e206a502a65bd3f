"""Whether a series of Prometheus' and an alert of ours are about the same thing."""

from typing import Final

_NOT_IDENTITY: Final = frozenset({"__name__", "alertname"})


def agree(theirs: dict[str, str], ours: dict[str, str], but: set[str] | frozenset[str] = frozenset()) -> bool:
    """Whether no label that both have differs. `but`: labels that the rule itself sets on the alert."""
    shared = (theirs.keys() & ours.keys()) - but - _NOT_IDENTITY
    return all(theirs[name] == ours[name] for name in shared)
