"""create, update, patch, delete and deletecollection."""

from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.bodies import read_object, read_options
from opsmend_cluster.api.context import Call
from opsmend_cluster.objects.kinds import PODS, SERVICE_ACCOUNTS, SERVICES, JsonObject, Resource
from opsmend_cluster.objects.selectors import field_matcher, label_matcher
from opsmend_cluster.objects.status import ApiError, bad_request
from opsmend_cluster.writes.deletion import delete
from opsmend_cluster.writes.managed_fields import server_side_apply
from opsmend_cluster.writes.patching import APPLY_PATCH, apply_patch
from opsmend_cluster.writes.schema import UnknownFieldError, WrongTypeError

_RETURNS_DELETED = (PODS, SERVICES, SERVICE_ACCOUNTS)
"""Kinds whose deletion answers with the object; the others answer with a Status."""


def create(call: Call) -> Answer:
    body = read_object(call.raw, call.content_type)
    request = call.request
    if request.resource.namespaced and not request.namespace:
        raise bad_request("an empty namespace may not be set during creation")
    namespace = (body.get("metadata") or {}).get("namespace")
    if namespace and namespace != request.namespace and request.resource.namespaced:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    return Answer(call.cluster.registry.create(request.resource, request.namespace, body, call.writer), 201)


def update(call: Call) -> Answer:
    body = read_object(call.raw, call.content_type)
    request, registry = call.request, call.cluster.registry
    before = registry.require(request.resource, request.namespace, request.name)
    return Answer(registry.update(request.resource, before, body, call.writer, subresource=request.subresource))


def patch(call: Call) -> Answer:
    request, registry = call.request, call.cluster.registry
    media = call.content_type.partition(";")[0].strip()
    if media == APPLY_PATCH:
        return _apply(call)
    before = registry.require(request.resource, request.namespace, request.name)
    patched = apply_patch(before, call.raw, media)
    try:
        return Answer(registry.update(request.resource, before, patched, call.writer, subresource=request.subresource))
    except (WrongTypeError, UnknownFieldError) as error:
        # What a body gets 400 for, a patch gets 422 for.
        cause = {"field": "patch", "reason": "FieldValueInvalid", "message": f"Invalid value: {error}"}
        raise ApiError(422, "Invalid", f' "" is invalid: patch: Invalid value: {error}', {"causes": [cause]}) from error


def _apply(call: Call) -> Answer:
    request, registry = call.request, call.cluster.registry
    if not request.query.get("fieldManager"):
        raise bad_request('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
    config = read_object(call.raw, call.content_type)
    config.setdefault("metadata", {}).setdefault("name", request.name)
    before = call.cluster.store.get(request.resource, request.namespace, request.name)
    applied = server_side_apply(before, config, call.writer.manager, force=request.flag("force"))
    if before is None:
        return Answer(registry.create(request.resource, request.namespace, applied, call.writer), 201)
    return Answer(registry.update(request.resource, before, applied, call.writer, subresource=request.subresource))


def delete_one(call: Call) -> Answer:
    request, cluster = call.request, call.cluster
    obj = cluster.registry.require(request.resource, request.namespace, request.name)
    options = _options(call)
    dry_run = request.dry_run or options.get("dryRun") == ["All"]
    left = delete(cluster.store, request.resource, obj, options, dry_run=dry_run)
    if "deletionTimestamp" in left["metadata"] or request.resource in _RETURNS_DELETED:
        return Answer(left)
    return Answer(_deleted(request.resource, obj))


def _options(call: Call) -> JsonObject:
    options = read_options(call.raw, call.content_type)
    query = call.request.query
    if "propagationPolicy" in query:
        options["propagationPolicy"] = query["propagationPolicy"]
    if "gracePeriodSeconds" in query:
        if not query["gracePeriodSeconds"].isdigit():
            raise bad_request(f"gracePeriodSeconds: {query['gracePeriodSeconds']!r} is not a number of seconds")
        options["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    return options


def _deleted(resource: Resource, obj: JsonObject) -> JsonObject:
    details = {"name": obj["metadata"]["name"], "group": resource.group, "kind": resource.plural, "uid": obj["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def delete_collection(call: Call) -> Answer:
    request, store = call.request, call.cluster.store
    if request.resource.namespaced and not request.namespace:
        raise ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
    by_label = label_matcher(request.query.get("labelSelector", ""))
    by_field = field_matcher(request.resource, request.query.get("fieldSelector", ""))
    chosen = [o for o in store.all(request.resource, request.namespace) if by_label(o) and by_field(o)]
    options = _options(call)
    left = [delete(store, request.resource, obj, options, dry_run=request.dry_run) for obj in chosen]
    metadata = {"resourceVersion": str(store.version)}
    kind = f"{request.resource.kind}List"
    return Answer({"kind": kind, "apiVersion": request.resource.api_version, "metadata": metadata, "items": left})
