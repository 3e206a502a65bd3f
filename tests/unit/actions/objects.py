"""Objects as the API returns them, for tests of actions."""

from copy import deepcopy
from typing import Any

from opsmend.domain.actions.action import LiveObject
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.snapshot import Revision
from opsmend.domain.target import Kind, ObjectRef


def a_ref(kind: Kind = Kind.DEPLOYMENT, name: str = "web") -> ObjectRef:
    return ObjectRef(kind=kind, namespace="" if kind is Kind.NODE else "shop", name=name)


def an_object(kind: Kind, name: str = "web", /, **content: Any) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": str(kind),
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "7", "labels": {"app": name}},
        **content,
    }


def a_container(**fields: Any) -> JsonObject:
    return {
        "name": "app",
        "image": "shop/web:1",
        "env": [
            {"name": "MODE", "value": "fast"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
            {"name": "DEBUG"},
        ],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        "livenessProbe": {"tcpSocket": {"port": "http"}},
        "resources": {"limits": {"memory": "64Mi"}},
        **fields,
    }


def a_workload(kind: Kind = Kind.DEPLOYMENT, **container: Any) -> JsonObject:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [a_container(**container)], "initContainers": [{"name": "migrate", "image": "shop/migrate:1"}]},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return an_object(kind, spec=spec, status={"readyReplicas": 3})


def a_revision(number: int, template: JsonObject) -> Revision:
    return Revision(number=number, name=f"web-{number}", template=template, template_digest=digest(template))


def a_live_workload(kind: Kind = Kind.DEPLOYMENT, **container: Any) -> LiveObject:
    """A workload at revision 2 whose revision 1 ran image `shop/web:0`."""
    workload = a_workload(kind, **container)
    current = workload["spec"]["template"]
    earlier = deepcopy(current)
    earlier["spec"]["containers"][0]["image"] = "shop/web:0"
    return LiveObject(object=workload, revisions=(a_revision(2, current), a_revision(1, earlier)))


def a_config(**data: str) -> LiveObject:
    content: JsonObject = {"data": data} if data else {}
    return LiveObject(object=an_object(Kind.CONFIG_MAP, **content))


def a_service() -> LiveObject:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"port": 443, "targetPort": "https"}]
    return LiveObject(object=an_object(Kind.SERVICE, spec={"selector": {"app": "web"}, "ports": ports}))


def an_autoscaler(**spec: Any) -> LiveObject:
    """Of three replicas, between two and five."""
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    fields = {"scaleTargetRef": scaled, "minReplicas": 2, "maxReplicas": 5, **spec}
    return LiveObject(object=an_object(Kind.HORIZONTAL_POD_AUTOSCALER, spec=fields, status={"currentReplicas": 3}))


def a_node(**spec: Any) -> LiveObject:
    return LiveObject(object=an_object(Kind.NODE, "node-1", spec={"podCIDR": "10.0.0.0/24", **spec}))
