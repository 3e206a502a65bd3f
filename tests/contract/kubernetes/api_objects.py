"""Objects as the API server sends them, cut down to what the reader looks at."""

from typing import Any

JsonObject = dict[str, Any]

APPS = "/apis/apps/v1/namespaces/shop"
CORE = "/api/v1/namespaces/shop"


def owned_by(kind: str, name: str, api_version: str = "apps/v1") -> list[JsonObject]:
    return [{"apiVersion": api_version, "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]


def an_object(name: str, **fields: Any) -> JsonObject:
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "1"} | fields.pop("metadata", {})
    return {"metadata": metadata, **fields}


def a_template(image: str = "shop/web:2", **spec: Any) -> JsonObject:
    container = {
        "name": "app",
        "image": image,
        "env": [
            {"name": "MODE", "value": "fast"},
            {"name": "DB_PASSWORD", "value": "hunter2hunter2"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "api"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "flags", "optional": True}}],
    }
    volumes = [{"name": "conf", "configMap": {"name": "web-conf", "items": [{"key": "nginx.conf", "path": "nginx.conf"}]}}]
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], "volumes": volumes, **spec}}


def a_deployment(name: str = "web", template: JsonObject | None = None, **spec: Any) -> JsonObject:
    return an_object(
        name,
        kind="Deployment",
        spec={
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
            "template": template or a_template(),
            **spec,
        },
        status={"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1, "observedGeneration": 3},
        metadata={
            "generation": 3,
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": '{"password": "hunter2hunter2"}',
                "team": "shop",
            },
            "managedFields": [
                {"manager": "helm", "time": "2026-11-20T10:00:00Z", "fieldsV1": {"f:spec": {}}},
                {"manager": "kubectl-edit", "time": "2026-11-22T10:00:00Z", "fieldsV1": {"f:spec": {}}},
                {
                    "manager": "kube-controller-manager",
                    "time": "2026-11-22T11:00:00Z",
                    "subresource": "status",
                    "fieldsV1": {"f:spec": {}},
                },
            ],
        },
    )


def a_replica_set(number: int, template: JsonObject, owner: str = "web") -> JsonObject:
    labels = {**template["metadata"]["labels"], "pod-template-hash": f"h{number}"}
    return an_object(
        f"{owner}-h{number}",
        spec={"template": {**template, "metadata": {**template["metadata"], "labels": labels}}},
        status={"replicas": 2, "readyReplicas": 1},
        metadata={
            "ownerReferences": owned_by("Deployment", owner),
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
        },
    )


def a_pod(name: str, owner: str = "web-h2", *, ready: bool = True, node: str = "node-1", **container: Any) -> JsonObject:
    status = {"name": "app", "image": "shop/web:2", "ready": ready, "restartCount": 0, "state": {"running": {}}} | container
    return an_object(
        name,
        kind="Pod",
        spec={**a_template()["spec"], **({"nodeName": node} if node else {})},
        status={
            "phase": "Running" if node else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [status],
        },
        metadata={
            "labels": {"app": "web", "pod-template-hash": "h2"},
            "creationTimestamp": "2026-11-22T10:00:00Z",
            "ownerReferences": owned_by("ReplicaSet", owner),
        },
    )


CRASHING: JsonObject = {
    "ready": False,
    "restartCount": 4,
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
    "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": "2026-11-22T10:05:00Z"}},
}
