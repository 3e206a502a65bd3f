"""watch: changes as they come, from a version on that is still kept."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.context import Call
from opsmend_cluster.api.query import number, resource_version
from opsmend_cluster.api.reads import matcher, shown
from opsmend_cluster.objects.kinds import JsonObject, Resource
from opsmend_cluster.objects.selectors import Matcher
from opsmend_cluster.objects.status import ApiError
from opsmend_cluster.objects.store import Change


def watch(call: Call) -> Answer:
    """A version that is no longer kept is told within the stream, which then ends: the answer itself is a 200."""
    query = call.request.query
    seconds = number(query, "timeoutSeconds") or 3600
    return Answer(stream=_events(call, resource_version(query), matcher(call), seconds))


async def _events(call: Call, version: int, matches: Matcher, seconds: int) -> AsyncIterator[bytes]:
    store = call.cluster.store
    ends = time.monotonic() + seconds
    # Before it is looked at what there is: no change falls in between.
    queue = store.subscribe()
    try:
        for event in _start(call, version, matches):
            yield _line(event)
        while (left := ends - time.monotonic()) > 0:
            try:
                change = await asyncio.wait_for(queue.get(), left)
            except TimeoutError:
                return
            if change is None:
                return
            event_now = _event(call, change, matches)
            if event_now is not None:
                yield _line(event_now)
    except ApiError as error:
        yield _line({"type": "ERROR", "object": error.body()})
    finally:
        store.unsubscribe(queue)


def _start(call: Call, version: int, matches: Matcher) -> list[JsonObject]:
    """What was since `version`; where none is named, what there is.

    Raises:
        ApiError: 410, the history does not reach back so far.
    """
    store, request = call.cluster.store, call.request
    if version:
        found = [event for change in store.changes_since(version) if (event := _event(call, change, matches)) is not None]
    else:
        objects = store.all(request.resource, request.namespace)
        found = [{"type": "ADDED", "object": shown(call, obj)} for obj in objects if matches(obj)]
    return [*found, _bookmark(request.resource, store.version)] if request.flag("sendInitialEvents") else found


def _event(call: Call, change: Change, matches: Matcher) -> JsonObject | None:
    """What a watch shows of a change: an object that stops matching is gone for it, one that starts to is new."""
    request = call.request
    if change.resource is not request.resource:
        return None
    metadata = change.object["metadata"]
    if request.namespace not in ("", metadata.get("namespace", "")) or request.name not in ("", metadata["name"]):
        return None
    before = change.before is not None and matches(change.before)
    now = change.type != "DELETED" and matches(change.object)
    if not before and not now:
        return None
    kind = "MODIFIED" if before and now else ("ADDED" if now else "DELETED")
    return {"type": kind, "object": shown(call, change.object)}


def _bookmark(resource: Resource, version: int) -> JsonObject:
    metadata = {"resourceVersion": str(version), "annotations": {"k8s.io/initial-events-end": "true"}}
    return {"type": "BOOKMARK", "object": {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}}


def _line(event: JsonObject) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"
