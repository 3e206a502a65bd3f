"""What teams deploy, as small as it can be and still real."""

from typing import Any, Final

Json = dict[str, Any]

APP: Final = "registry.lab/app:1"
NGINX: Final = "registry.lab/nginx:1.22"

NGINX_CONF: Final = """\
error_log stderr;
pid /tmp/nginx.pid;
events {}
http {
  access_log off;
  server {
    listen 8080;
    location / { return 200 "ok\\n"; }
  }
}
"""


def namespace(name: str, **annotations: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": annotations}}


def container(image: str = APP, *, env: dict[str, str] | None = None, **fields: Any) -> Json:
    """A container that answers HTTP on 8080; `fields` replace or add its own."""
    return {
        "name": "app",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "10m", "memory": "24Mi"}, "limits": {"memory": "96Mi"}},
        "env": [{"name": name, "value": value} for name, value in (env or {}).items()],
        **fields,
    }


def nginx(config_map: str) -> tuple[Json, Json]:
    """A container of nginx and the pod's fields that mount its configuration."""
    mounted = container(
        NGINX,
        args=["-c", "/conf/nginx.conf"],
        readinessProbe={"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2},
        volumeMounts=[{"name": "conf", "mountPath": "/conf"}],
    )
    return mounted, {"volumes": [{"name": "conf", "configMap": {"name": config_map}}]}


def deployment(name: str, *containers: Json, replicas: int = 2, annotations: Json | None = None, **pod: Any) -> Json:
    """`pod` are fields of the pod's spec, `annotations` those of its pods."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", **_workload(name, containers, replicas, annotations, pod)}


def stateful_set(name: str, *containers: Json, replicas: int = 2, **pod: Any) -> Json:
    found = {"apiVersion": "apps/v1", "kind": "StatefulSet", **_workload(name, containers, replicas, None, pod)}
    found["spec"] |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return found


def daemon_set(name: str, *containers: Json, **pod: Any) -> Json:
    found = {"apiVersion": "apps/v1", "kind": "DaemonSet", **_workload(name, containers, 1, None, pod)}
    del found["spec"]["replicas"]
    return found


def _workload(name: str, containers: tuple[Json, ...], replicas: int, annotations: Json | None, pod: Json) -> Json:
    spec = {
        "containers": list(containers) or [container()],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        **pod,
    }
    template = {"metadata": {"labels": {"app": name}, "annotations": annotations or {}}, "spec": spec}
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def service(name: str, *, probed: bool = False, target_port: int | str = "http") -> Json:
    """`probed`: the blackbox exporter asks it every two seconds."""
    annotations = {"prometheus.io/probe": "true"} if probed else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": target_port}]},
    }


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


PLURALS: Final = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}
"""Where the objects of a kind are kept."""


def collection(kind: str, namespace: str) -> str:
    return PLURALS[kind].format(namespace)
