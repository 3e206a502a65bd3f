"""The objects, one resource version for all of them, and a history that watches resume from.

A stored object is never altered in place: a write replaces it. Readers may keep what they got and must copy to change it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from opsmend_cluster.objects.kinds import JsonObject, Resource
from opsmend_cluster.objects.status import ApiError

HISTORY_LIMIT: Final = 10_000
"""Changes kept for watches: minutes of a busy demo. An older resourceVersion answers 410, as when etcd was compacted."""

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Change:
    """One write. `before` is the object that it replaced, for watches whose selector stops matching."""

    resource: Resource
    type: ChangeType
    version: int
    object: JsonObject
    before: JsonObject | None


class Store:
    def __init__(self) -> None:
        self._objects: dict[Resource, dict[str, dict[str, JsonObject]]] = {}
        self._version = 1
        self._history: deque[Change] = deque(maxlen=HISTORY_LIMIT)
        self._watchers: set[asyncio.Queue[Change | None]] = set()
        self._listeners: list[Callable[[Change], None]] = []

    @property
    def version(self) -> int:
        return self._version

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def all(self, resource: Resource, namespace: str = "") -> list[JsonObject]:
        """All objects of a kind (of one namespace, if named), in the order of their names."""
        by_namespace = self._objects.get(resource, {})
        if namespace:
            by_namespace = {namespace: by_namespace.get(namespace, {})}
        return [obj for _, objects in sorted(by_namespace.items()) for _, obj in sorted(objects.items())]

    def all_at(self, resource: Resource, namespace: str, version: int) -> list[JsonObject]:
        """Like `all`, as it was right after the write of `version`.

        Raises:
            ApiError: 410, the history does not reach back so far.
        """
        then = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in self.all(resource, namespace)}
        for change in reversed(self.changes_since(version)):
            metadata = change.object["metadata"]
            where = metadata.get("namespace", "")
            if change.resource is not resource or namespace not in ("", where):
                continue
            if change.before is None:
                then.pop((where, metadata["name"]), None)
            else:
                then[where, metadata["name"]] = change.before
        return [obj for _, obj in sorted(then.items())]

    def namespace_objects(self, namespace: str) -> Iterator[tuple[Resource, JsonObject]]:
        for resource in list(self._objects):
            for obj in self.all(resource, namespace):
                yield resource, obj

    def put(self, resource: Resource, obj: JsonObject) -> JsonObject:
        """Store `obj` (given away by the caller) under a new resource version."""
        metadata = obj["metadata"]
        objects = self._objects.setdefault(resource, {}).setdefault(metadata.get("namespace", ""), {})
        before = objects.get(metadata["name"])
        self._version += 1
        metadata["resourceVersion"] = str(self._version)
        objects[metadata["name"]] = obj
        self._publish(Change(resource, "ADDED" if before is None else "MODIFIED", self._version, obj, before))
        return obj

    def remove(self, resource: Resource, namespace: str, name: str) -> JsonObject:
        """Forget an object; returns its last state, under the resource version of its removal."""
        before = self._objects[resource][namespace].pop(name)
        self._version += 1
        last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self._version)}}
        self._publish(Change(resource, "DELETED", self._version, last, before))
        return last

    def _publish(self, change: Change) -> None:
        self._history.append(change)
        for queue in self._watchers:
            queue.put_nowait(change)
        for listener in self._listeners:
            listener(change)

    def compact(self) -> None:
        """Forget the history: what is older than now can be neither watched nor listed."""
        self._history.clear()

    def on_change(self, listener: Callable[[Change], None]) -> None:
        self._listeners.append(listener)

    def subscribe(self) -> asyncio.Queue[Change | None]:
        """All changes from now on, None when the store closes; hand the queue back to `unsubscribe`."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._watchers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Change | None]) -> None:
        self._watchers.discard(queue)

    def close(self) -> None:
        """End all watches."""
        for queue in self._watchers:
            queue.put_nowait(None)

    def changes_since(self, version: int) -> list[Change]:
        """What was written after `version`.

        Raises:
            ApiError: 410, the history does not reach back so far.
        """
        oldest = self._history[0].version if self._history else self._version + 1
        if version < oldest - 1:
            raise ApiError(410, "Expired", f"too old resource version: {version} ({oldest - 1})")
        return [change for change in self._history if change.version > version]
