"""The defaults that the API server writes into objects."""

from typing import Any

from opsmend_cluster.objects.kinds import JsonObject


def apply_defaults(obj: JsonObject) -> None:
    """Fill `obj` in place; kinds without defaults are left alone."""
    match obj["kind"]:
        case "Deployment":
            _deployment(obj["spec"])
        case "ReplicaSet" | "StatefulSet" | "DaemonSet":
            _workload(obj["kind"], obj["spec"])
        case "Job":
            _job(obj["spec"])
        case "Pod":
            _pod_spec(obj["spec"])
            _requests_from_limits(obj["spec"])
        case "Service":
            _service(obj["spec"])
        case "Secret":
            obj.setdefault("type", "Opaque")
        case "Namespace":
            obj.setdefault("spec", {"finalizers": ["kubernetes"]})
            obj.setdefault("status", {"phase": "Active"})
        case "HorizontalPodAutoscaler":
            obj["spec"].setdefault("minReplicas", 1)
        case "StorageClass":
            obj.setdefault("volumeBindingMode", "Immediate")
            obj.setdefault("reclaimPolicy", "Delete")
        case "PersistentVolumeClaim" | "PersistentVolume":
            obj["spec"].setdefault("volumeMode", "Filesystem")


def _deployment(spec: JsonObject) -> None:
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    _template(spec)


def _workload(kind: str, spec: JsonObject) -> None:
    if kind != "DaemonSet":
        spec.setdefault("replicas", 1)
    if kind != "ReplicaSet":
        spec.setdefault("revisionHistoryLimit", 10)
        strategy = spec.setdefault("updateStrategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            if kind == "StatefulSet":
                rolling.setdefault("partition", 0)
            else:
                rolling.setdefault("maxUnavailable", 1)
                rolling.setdefault("maxSurge", 0)
    if kind == "StatefulSet":
        spec.setdefault("podManagementPolicy", "OrderedReady")
    _template(spec)


def _job(spec: JsonObject) -> None:
    spec.setdefault("parallelism", 1)
    spec.setdefault("completions", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    _template(spec)


def _template(spec: JsonObject) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}))


def _pod_spec(spec: JsonObject) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        _container(container)
    for volume in spec.get("volumes") or []:
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if source in volume:
                volume[source].setdefault("defaultMode", 420)


def _container(container: JsonObject) -> None:
    image = container.get("image", "")
    tag = image.rpartition("/")[2].partition(":")[2]
    floating = (not tag or tag == "latest") and "@" not in image
    container.setdefault("imagePullPolicy", "Always" if floating else "IfNotPresent")
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for name in ("readinessProbe", "livenessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for variable in container.get("env") or []:
        field = (variable.get("valueFrom") or {}).get("fieldRef")
        if field is not None:
            field.setdefault("apiVersion", "v1")


def _probe(probe: JsonObject) -> None:
    for field, default in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        probe.setdefault(field, default)
    if "httpGet" in probe:
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")


def _requests_from_limits(spec: JsonObject) -> None:
    """Only Pods get this default, templates do not."""
    for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
        for name, limit in (container["resources"].get("limits") or {}).items():
            container["resources"].setdefault("requests", {}).setdefault(name, limit)


def _service(spec: JsonObject) -> None:
    defaults: dict[str, Any] = {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"}
    for field, default in defaults.items():
        spec.setdefault(field, default)
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
