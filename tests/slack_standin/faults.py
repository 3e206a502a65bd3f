"""What can go wrong with Slack: its own refusals, and the faults that a test switches on."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class SlackError(Exception):
    """`{"ok": false, "error": code, …}`, which Slack sends with status 200."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


class Mode(StrEnum):
    UNAVAILABLE = "unavailable"
    """503 without JSON; nothing is done."""
    RATE_LIMITED = "rate_limited"
    """429 with Retry-After; nothing is done."""
    SLOW = "slow"
    """Done and answered after `seconds`."""
    ANSWER_LOST = "answer_lost"
    """Done, but the answer is a 500: the caller cannot know."""
    CONNECTION_LOST = "connection_lost"
    """Done, but the connection breaks before the answer."""
    REFUSED = "refused"
    """Slack's error `code`; nothing is done."""


@dataclass
class Fault:
    """Hits calls of `methods` (all when empty), `times` times (for ever when None)."""

    mode: Mode
    methods: frozenset[str] = frozenset()
    times: int | None = None
    seconds: float = 1
    """How long SLOW takes, or what Retry-After says."""
    code: str = "internal_error"


@dataclass
class Faults:
    """The faults switched on, first match wins."""

    active: list[Fault] = field(default_factory=list)

    def take(self, method: str) -> Fault | None:
        """The fault that hits this call, counted."""
        for fault in self.active:
            if (not fault.methods or method in fault.methods) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
