"""Runs the controllers: when something changed, or when one asked to be woken; never in between."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from opsmend_cluster.objects.kinds import EVENTS, LEASES, NAMESPACES
from opsmend_cluster.objects.status import ApiError
from opsmend_cluster.objects.store import Change, Store
from opsmend_cluster.timing import Timing

Controller = Callable[[str], float]
"""Brings one namespace up to date; returns when it wants to run again (monotonic), infinity for not before a change."""

_UNCONTROLLED: Final = (EVENTS, LEASES)
_RETRY_SECONDS: Final = 30.0
NEVER: Final = float("inf")

log = logging.getLogger(__name__)


class ControlLoop:
    def __init__(self, store: Store, controllers: list[Controller], timing: Timing) -> None:
        self._store = store
        self._controllers = controllers
        self._timing = timing
        self._dirty: set[str] = set()
        self._wakes: dict[str, float] = {}
        self._changed = asyncio.Event()
        store.on_change(self._note)

    def _note(self, change: Change) -> None:
        if change.resource in _UNCONTROLLED:
            return
        if not change.object["metadata"].get("namespace") and change.resource is not NAMESPACES:
            self.touch_all()
        elif change.resource is NAMESPACES:
            self.touch(change.object["metadata"]["name"])
        else:
            self.touch(change.object["metadata"]["namespace"])

    def touch(self, namespace: str) -> None:
        self._dirty.add(namespace)
        self._changed.set()

    def touch_all(self) -> None:
        for namespace in self._store.all(NAMESPACES):
            self.touch(namespace["metadata"]["name"])

    async def run(self) -> None:
        """For ever; cancel it to stop."""
        while True:
            await self._wait()
            now = time.monotonic()
            due = {namespace for namespace, wake in self._wakes.items() if wake <= now}
            namespaces, self._dirty = self._dirty | due, set()
            self._changed.clear()
            for namespace in sorted(namespaces):
                self._sync(namespace)
            await asyncio.sleep(self._timing.tick)

    def _sync(self, namespace: str) -> None:
        self._wakes[namespace] = min(self._controlled(controller, namespace) for controller in self._controllers)
        if self._wakes[namespace] == NEVER:
            del self._wakes[namespace]

    def _controlled(self, controller: Controller, namespace: str) -> float:
        """Somebody's odd object (a write that the API refuses, a field that makes no sense) is tried again later and stops no
        other namespace and no other controller."""
        try:
            return controller(namespace)
        except (ApiError, LookupError, ValueError):
            log.exception("a controller stumbled over an object of namespace %s", namespace)
            return time.monotonic() + self._timing.real(_RETRY_SECONDS)

    async def _wait(self) -> None:
        if self._dirty:
            return
        wake = min(self._wakes.values(), default=NEVER)
        try:
            await asyncio.wait_for(self._changed.wait(), None if wake == NEVER else max(0.0, wake - time.monotonic()))
        except TimeoutError:
            return
