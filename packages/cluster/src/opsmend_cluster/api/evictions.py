"""pods/eviction: a deletion that asks the disruption budgets first."""

from typing import Final

from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.bodies import read_object
from opsmend_cluster.api.context import Call
from opsmend_cluster.objects.kinds import DISRUPTION_BUDGETS, PODS, JsonObject
from opsmend_cluster.objects.selectors import labels_of, selects
from opsmend_cluster.objects.status import ApiError, bad_request
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.deletion import delete

_UNOBSERVED_RETRY_SECONDS: Final = 10
"""When to ask again about a budget that its controller has not looked at. About one that has no room nothing is said."""


def evict(call: Call) -> Answer:
    """Deletes the pod, unless a disruption budget has no room for it: 429."""
    request, cluster = call.request, call.cluster
    eviction = read_object(call.raw, call.content_type)
    if (eviction.get("metadata") or {}).get("name") != request.name:
        raise bad_request("name in URL does not match name in Eviction object")
    pod = cluster.registry.require(PODS, request.namespace, request.name)
    options = eviction.get("deleteOptions") or {}
    budget = _budget(cluster.store, pod)
    if budget is not None:
        _check(budget)
    dry_run = request.dry_run or options.get("dryRun") == ["All"]
    delete(cluster.store, PODS, pod, options, dry_run=dry_run)
    if budget is not None and not dry_run:
        # At once: the next eviction may come before the controller has counted anew.
        status = {**budget["status"], "disruptionsAllowed": budget["status"]["disruptionsAllowed"] - 1}
        cluster.registry.update_status(DISRUPTION_BUDGETS, budget, status, "kube-apiserver")
    return Answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _budget(store: Store, pod: JsonObject) -> JsonObject | None:
    """The one that counts the pod. A pod that does not run, or goes already, is counted by none."""
    if pod["status"].get("phase") in ("Pending", "Succeeded", "Failed") or "deletionTimestamp" in pod["metadata"]:
        return None
    budgets = store.all(DISRUPTION_BUDGETS, pod["metadata"]["namespace"])
    found = [budget for budget in budgets if selects(budget["spec"].get("selector"), labels_of(pod))]
    if len(found) > 1:
        why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, "", why)
    return found[0] if found else None


def _check(budget: JsonObject) -> None:
    """Raises:
    ApiError: 429.
    """
    status, name = budget["status"], budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        raise _too_many(
            f"The disruption budget {name} is still being processed by the server.",
            retryAfterSeconds=_UNOBSERVED_RETRY_SECONDS,
        )
    if status["disruptionsAllowed"] < 1:
        healthy = f"needs {status['desiredHealthy']} healthy pods and has {status['currentHealthy']} currently"
        raise _too_many(f"The disruption budget {name} {healthy}")


def _too_many(cause: str, **more: int) -> ApiError:
    details = {"causes": [{"reason": "DisruptionBudget", "message": cause}], **more}
    return ApiError(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", details)
