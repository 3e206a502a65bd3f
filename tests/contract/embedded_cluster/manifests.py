"""Builders of the objects that these tests create."""

from typing import Any

Manifest = dict[str, Any]


def a_container(image: str = "nginx:1.27.1", **fields: Any) -> Manifest:
    return {"name": "app", "image": image, **fields}


def a_template(name: str = "web", container: Manifest | None = None, **spec: Any) -> Manifest:
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container or a_container()], **spec}}


def a_deployment(name: str = "web", replicas: int = 1, container: Manifest | None = None, **spec: Any) -> Manifest:
    """`spec` goes into the pod specification."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": a_template(name, container, **spec),
        },
    }


def a_config_map(name: str = "settings", **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def a_service(name: str = "web", port: int = 80, target_port: int | str = 80) -> Manifest:
    ports = [{"port": port, "targetPort": target_port}]
    return {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": ports}}
