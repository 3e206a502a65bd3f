"""Lists in pages: all pages of one list show the same moment, or the list has expired."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from opsmend_cluster.api.context import Call
from opsmend_cluster.api.query import number, resource_version
from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.selectors import Matcher
from opsmend_cluster.objects.status import ApiError, bad_request

_ENCODING: Final = "meta.k8s.io/v1"
_NOW: Final = -1
"""The version of a token that goes on in the present, whatever was written since the first page."""
_EXPIRED: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with "
    "the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time "
    "the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class _Token:
    """Where the next page begins, and as of which version. Encoded as the real server encodes it."""

    version: int
    start: str

    @classmethod
    def read(cls, text: str) -> "_Token":
        try:
            found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if found["v"] != _ENCODING:
                raise ValueError(f"server does not recognize this encoded version {found['v']}")
            return cls(int(found["rv"]), str(found["start"]))
        except (ValueError, TypeError, KeyError) as error:
            raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error

    def text(self) -> str:
        content = {"v": _ENCODING, "rv": self.version, "start": self.start}
        return urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def page(call: Call, matches: Matcher) -> tuple[list[JsonObject], JsonObject]:
    """The objects of the page that is asked for, and the metadata of the list.

    Raises:
        ApiError: 400, no such token; 410, what it goes on from is no longer kept.
    """
    query, store = call.request.query, call.cluster.store
    size = number(query, "limit")
    token = _Token.read(query["continue"]) if query.get("continue") else _Token(_NOW, "")
    if token.start and query.get("resourceVersion"):
        raise bad_request("specifying resource version is not allowed when using continue")
    version = store.version if token.version == _NOW else token.version
    if not token.start and query.get("resourceVersionMatch") == "Exact":
        version = resource_version(query)
    objects = [obj for obj in _as_of(call, token, version) if matches(obj) and _key(obj) >= token.start]
    metadata: JsonObject = {"resourceVersion": str(version)}
    if size <= 0 or len(objects) <= size:
        return objects, metadata
    metadata["continue"] = _Token(version, f"{_key(objects[size - 1])}\0").text()
    if not query.get("labelSelector") and not query.get("fieldSelector"):
        metadata["remainingItemCount"] = len(objects) - size
    return objects[:size], metadata


def _as_of(call: Call, token: _Token, version: int) -> list[JsonObject]:
    try:
        return call.cluster.store.all_at(call.request.resource, call.request.namespace, version)
    except ApiError as error:
        if not token.start:
            raise ApiError(410, "Expired", "The resourceVersion for the provided list is too old.") from error
        going_on = _Token(_NOW, token.start).text()
        raise ApiError(410, "Expired", _EXPIRED, metadata={"continue": going_on}) from error


def _key(obj: JsonObject) -> str:
    """In the order of the store, and no prefix of another key."""
    metadata = obj["metadata"]
    return f"{metadata.get('namespace', '')}\1{metadata['name']}"
