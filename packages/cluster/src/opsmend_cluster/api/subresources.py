"""scale, log, and the access review."""

from opsmend_cluster.api.access import SubjectAccess
from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.bodies import read_object
from opsmend_cluster.api.context import Call
from opsmend_cluster.kubelet.log_options import LogOptions
from opsmend_cluster.objects.kinds import PODS, JsonObject
from opsmend_cluster.objects.selectors import selector_text
from opsmend_cluster.objects.status import (
    bad_request,
    conflict,
    method_not_allowed,
)
from opsmend_cluster.writes.patching import apply_patch


def scale(call: Call) -> Answer:
    request, registry = call.request, call.cluster.registry
    owner = registry.require(request.resource, request.namespace, request.name)
    current = _scale_of(owner)
    if request.verb == "get":
        return Answer(current)
    if request.verb == "patch":
        wanted = apply_patch(current, call.raw, call.content_type.partition(";")[0].strip())
    elif request.verb == "update":
        wanted = read_object(call.raw, call.content_type)
    else:
        raise method_not_allowed()
    version = (wanted.get("metadata") or {}).get("resourceVersion")
    if version and version != owner["metadata"]["resourceVersion"]:
        raise conflict(request.resource, request.name)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int):
        raise bad_request(f"json: cannot unmarshal {replicas!r} into Go struct field ScaleSpec.spec.replicas of type int32")
    scaled = {**owner, "spec": {**owner["spec"], "replicas": replicas}}
    return Answer(_scale_of(registry.update(request.resource, owner, scaled, call.writer, subresource="scale")))


def _scale_of(owner: JsonObject) -> JsonObject:
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {key: owner["metadata"][key] for key in kept},
        "spec": {"replicas": owner["spec"].get("replicas", 0)},
        "status": {"replicas": owner["status"].get("replicas", 0), "selector": selector_text(owner["spec"]["selector"])},
    }  # fmt: skip


def pod_log(call: Call) -> Answer:
    request = call.request
    pod = call.cluster.registry.require(PODS, request.namespace, request.name)
    options = LogOptions.from_query(request.query)
    if not pod["spec"].get("nodeName"):
        return Answer(code=204)  # no kubelet is there to ask
    if options.follow:
        return Answer(stream=call.cluster.kubelet.follow_log(pod, options))
    return Answer(text=call.cluster.kubelet.log(pod, options))


def review_access(call: Call) -> Answer:
    """SelfSubjectAccessReview."""
    body = read_object(call.raw, call.content_type)
    asked = (body.get("spec") or {}).get("resourceAttributes")
    if asked is None:
        raise bad_request("spec.resourceAttributes: Required value: nonResourceAttributes are lacking here")
    qualified = f"{asked.get('resource', '')}.{asked['group']}" if asked.get("group") else asked.get("resource", "")
    if asked.get("subresource"):
        qualified = f"{qualified}/{asked['subresource']}"
    question = SubjectAccess(verb=asked.get("verb", ""), resource=qualified, namespace=asked.get("namespace", ""))
    allowed = call.cluster.access.allows(call.user, question)
    status = {"allowed": allowed, "reason": "allowed by a rule of the embedded cluster" if allowed else ""}
    return Answer({**body, "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                   "metadata": {}, "status": status}, 201)  # fmt: skip
