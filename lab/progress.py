"""Tells how far a number of slow steps is: which one begins, how long it took, how many are left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Progress:
    """`total` steps of one kind, some of them at the same time."""

    def __init__(self, doing: str, total: int, tell: Callable[[str], None]) -> None:
        self._doing = doing
        self._total = total
        self._tell = tell
        self._done = 0
        self._lock = Lock()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Tells when it begins, and its seconds when it has succeeded."""
        began = time.monotonic()
        self._tell(f"{self._doing} {name}")
        yield
        with self._lock:
            self._done += 1
            self._tell(f"{self._doing} {name} took {time.monotonic() - began:.0f} s ({self._done} of {self._total})")
