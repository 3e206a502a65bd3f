"""Faults on demand: the API answers errors or hangs for the next requests that match, before it looks at them."""

import re
import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.status import ApiError


class Fault(BaseModel):
    """What goes wrong, for which requests, how often or how long (whichever ends first; neither: until cleared)."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal[429, 500, 503, "hang", "disconnect", "late_500"]
    """`hang` never answers; `disconnect` carries the request out and closes without an answer; `late_500` carries it out and
    answers 500: the client cannot know that it worked."""
    method: str = "*"
    """An HTTP method, or `*`."""
    path: str = ".*"
    """Regular expression searched in the path with its query (`dryRun=All` can be told apart)."""
    requests: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)
    retry_after_seconds: int = Field(default=1, ge=0)
    skip: int = Field(default=0, ge=0)
    """How many matching requests pass unharmed first."""


class Armed:
    """A fault that waits for requests."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.hits = 0
        self._skip = fault.skip
        self._path = re.compile(fault.path)
        self._until = None if fault.seconds is None else time.monotonic() + fault.seconds

    @property
    def spent(self) -> bool:
        used_up = self.fault.requests is not None and self.hits >= self.fault.requests
        return used_up or (self._until is not None and time.monotonic() > self._until)

    def takes(self, method: str, target: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.spent or self.fault.method not in ("*", method) or not self._path.search(target):
            return False
        if self._skip:
            self._skip -= 1
            return False
        self.hits += 1
        return True


class Faults:
    def __init__(self) -> None:
        self._armed: list[Armed] = []

    def arm(self, fault: Fault) -> None:
        self._armed.append(Armed(fault))

    def clear(self) -> None:
        self._armed.clear()

    def hit(self, method: str, target: str) -> Fault | None:
        """The fault that this request meets, if any."""
        return next((armed.fault for armed in self._armed if armed.takes(method, target)), None)

    def report(self) -> list[JsonObject]:
        return [{**a.fault.model_dump(mode="json"), "hits": a.hits, "spent": a.spent} for a in self._armed]


def injected(fault: Fault) -> ApiError:
    """The error of a fault that answers."""
    match fault.answer:
        case 429:
            details = {"retryAfterSeconds": fault.retry_after_seconds}
            return ApiError(429, "TooManyRequests", "Too many requests, please try again later.", details)
        case 503:
            return ApiError(503, "ServiceUnavailable", "the server is currently unable to handle the request", {})
        case _:
            return ApiError(500, "InternalError", "Internal error occurred: injected by a fault of the embedded cluster", {})
