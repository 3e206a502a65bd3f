"""The reads of one piece of work: each made once, a few at a time, counted, and what could not be read kept with the reason."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.resources import RESOURCES, Resource, collection_path, path_of
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import ClusterExpiredError, OpsmendError, bounded

T = TypeVar("T")
Objects = list[JsonObject]

PAGE: Final = 200
"""Objects of a list that are asked for at once. 200 pods are about 2 MB; kubectl asks for 500."""
LIST_LIMIT: Final = 1000
"""Objects of a list that are looked at. Five pages: more pods than any workload needs to tell what is wrong with it."""

MOST_OBJECTS: Final = 5_000
"""Objects of one kind that are read where all are wanted: about 50 MB of pods."""

_REASON_LIMIT: Final = 300


class Reading:
    """Whatever is read twice is asked for once: what comes back must not be altered in place."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Semaphore(connection.concurrency)
        self._begun: dict[tuple[str, ...], asyncio.Task[Any]] = {}
        self.calls = 0
        self.unseen: list[str] = []

    async def object(self, ref: ObjectRef) -> JsonObject:
        path = path_of(ref)
        found: JsonObject = await self._once((path,), lambda: self._get(path, {}))
        return found

    async def list(
        self, resource: Resource | Kind, namespace: str, *, labels: str = "", fields: str = "", limit: int = LIST_LIMIT
    ) -> Objects:
        """At most `limit` objects, page by page; that there are more is noted as unseen."""
        found = RESOURCES[resource] if isinstance(resource, Kind) else resource
        path = collection_path(found, namespace)
        items: Objects = await self._once(
            (path, labels, fields, str(limit)), lambda: self._pages(path, _selecting(labels, fields), limit, found.plural)
        )
        return items

    async def first_page(
        self, resource: Resource, namespace: str, *, fields: str = "", limit: int = PAGE
    ) -> tuple[Objects, bool]:
        """The first page of a list, and whether that is all of it."""
        answer = await self._get(collection_path(resource, namespace), {"limit": str(limit)} | _selecting("", fields))
        return answer.get("items") or [], not _token(answer)

    async def log(self, pod: ObjectRef, query: dict[str, str]) -> str:
        path = f"{path_of(pod)}/log"
        async with self._turn:
            self.calls += 1
            return await self._connection.get_text(path, query)

    async def attempt(self, what: str, read: Awaitable[T], otherwise: T) -> T:
        """The result of `read`, or `otherwise` with `what` and the reason noted as unseen."""
        try:
            return await read
        except OpsmendError as e:
            self.unseen.append(f"{what}: {bounded(str(e), _REASON_LIMIT)}")
            return otherwise

    async def all(self, *reads: Awaitable[T]) -> tuple[T, ...]:
        """The results, once all are through, or the first failure: a read that went on after it would be billed to nobody."""
        results = await asyncio.gather(*reads, return_exceptions=True)
        if failed := [result for result in results if isinstance(result, BaseException)]:
            raise failed[0]
        return tuple(result for result in results if not isinstance(result, BaseException))

    async def _once(self, key: tuple[str, ...], read: Callable[[], Any]) -> Any:
        if key not in self._begun:
            self._begun[key] = asyncio.create_task(read())
        return await self._begun[key]

    async def _pages(self, path: str, selecting: dict[str, str], limit: int, plural: str) -> Objects:
        """A token of the next page is good for some minutes (410 afterwards): then the list begins anew, once."""
        items: Objects = []
        token, begun_anew = "", False
        while True:
            query = {"limit": str(min(PAGE, limit - len(items)))} | selecting | ({"continue": token} if token else {})
            try:
                answer = await self._get(path, query)
            except ClusterExpiredError:
                if not token:
                    raise
                if begun_anew:
                    self.unseen.append(f"{plural}: only the first {len(items)} were looked at: the rest expired meanwhile")
                    return items
                items, token, begun_anew = [], "", True
                continue
            items += answer.get("items") or []
            token = _token(answer)
            if token and len(items) >= limit:
                self.unseen.append(f"{plural}: only the first {len(items)} were looked at")
            if not token or len(items) >= limit:
                return items

    async def _get(self, path: str, query: dict[str, str]) -> JsonObject:
        async with self._turn:
            self.calls += 1
            return await self._connection.get(path, query)


def _selecting(labels: str, fields: str) -> dict[str, str]:
    return ({"labelSelector": labels} if labels else {}) | ({"fieldSelector": fields} if fields else {})


def _token(answer: JsonObject) -> str:
    return str(answer.get("metadata", {}).get("continue") or "")
