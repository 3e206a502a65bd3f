"""get and list."""

from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.context import Call
from opsmend_cluster.api.pages import page
from opsmend_cluster.api.tables import table
from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.selectors import Matcher, field_matcher, label_matcher


def get(call: Call) -> Answer:
    request = call.request
    obj = call.cluster.registry.require(request.resource, request.namespace, request.name)
    return Answer(shown(call, obj))


def list_objects(call: Call) -> Answer:
    objects, metadata = page(call, matcher(call))
    if _wants_table(call):
        return Answer(_table(call, objects, metadata))
    items = [_without_type(obj) for obj in objects]
    resource = call.request.resource
    return Answer({"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata, "items": items})


def _without_type(obj: JsonObject) -> JsonObject:
    """Items of a typed list carry no kind and apiVersion of their own, on the real server too."""
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def matcher(call: Call) -> Matcher:
    """Of the objects that the request's selectors choose."""
    request = call.request
    by_label = label_matcher(request.query.get("labelSelector", ""))
    by_field = field_matcher(request.resource, request.query.get("fieldSelector", ""))
    return lambda obj: by_label(obj) and by_field(obj)


def shown(call: Call, obj: JsonObject) -> JsonObject:
    """The object, or the table of it that kubectl asks for."""
    return _table(call, [obj], {"resourceVersion": obj["metadata"]["resourceVersion"]}) if _wants_table(call) else obj


def _wants_table(call: Call) -> bool:
    return "as=Table" in call.accept


def _table(call: Call, objects: list[JsonObject], metadata: JsonObject) -> JsonObject:
    return table(call.request.resource.kind, objects, metadata, call.request.query.get("includeObject", "Metadata"))
