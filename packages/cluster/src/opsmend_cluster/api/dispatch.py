"""From a request to its handler."""

from collections.abc import Callable
from typing import Final

from opsmend_cluster.api import evictions, pod_metrics, reads, subresources, token_requests, watches, writes
from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.context import Call
from opsmend_cluster.objects.kinds import ACCESS_REVIEWS, POD_METRICS
from opsmend_cluster.objects.status import method_not_allowed

Handler = Callable[[Call], Answer]

_MAIN: Final[dict[str, Handler]] = {
    "get": reads.get, "list": reads.list_objects, "watch": watches.watch, "create": writes.create, "update": writes.update,
    "patch": writes.patch, "delete": writes.delete_one, "deletecollection": writes.delete_collection,
}  # fmt: skip
_STATUS: Final[dict[str, Handler]] = {"get": reads.get, "update": writes.update, "patch": writes.patch}
_SUBRESOURCES: Final[dict[str, dict[str, Handler]]] = {
    "status": _STATUS,
    "scale": {"get": subresources.scale, "update": subresources.scale, "patch": subresources.scale},
    "log": {"get": subresources.pod_log},
    "eviction": {"create": evictions.evict},
    "token": {"create": token_requests.request_token},
}


def dispatch(call: Call) -> Answer:
    """Raises:
    ApiError: whatever is wrong; 405 for a verb that the resource does not have.
    """
    request = call.request
    if request.subresource:
        handler = _SUBRESOURCES[request.subresource].get(request.verb)
    elif request.resource is POD_METRICS:
        handler = {"get": pod_metrics.get, "list": pod_metrics.list_all}.get(request.verb)
    elif request.resource is ACCESS_REVIEWS:
        handler = subresources.review_access if request.verb == "create" else None
    else:
        handler = _MAIN.get(request.verb) if request.verb in request.resource.verbs else None
    if handler is None:
        raise method_not_allowed()
    return handler(call)
