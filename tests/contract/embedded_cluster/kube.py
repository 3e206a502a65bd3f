"""The ordinary Kubernetes client against a cluster, and waiting for what its controllers do."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from kubernetes import client
from tests.contract.embedded_cluster.manifests import Manifest

Found = TypeVar("Found")
NAMESPACE = "default"
PATIENCE = 30.0
"""Seconds that a condition may take to come true: ample on a busy machine."""


def eventually(look: Callable[[], Found]) -> Found:
    """The first truthy answer of `look`; fails with its last answer when none comes."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found or time.monotonic() > deadline:
            assert found, f"still {found!r} after {PATIENCE} s"
            return found
        time.sleep(0.03)


@dataclass(frozen=True)
class Kube:
    """One user's clients. `image` is one that runs, and says `words` in its log."""

    url: str
    api: Any
    namespace: str = NAMESPACE
    image: str = "nginx:1.27.1"
    words: str = "ready for start up"

    @property
    def core(self) -> Any:
        return client.CoreV1Api(self.api)

    @property
    def apps(self) -> Any:
        return client.AppsV1Api(self.api)

    @property
    def batch(self) -> Any:
        return client.BatchV1Api(self.api)

    @property
    def policy(self) -> Any:
        return client.PolicyV1Api(self.api)

    @property
    def authorization(self) -> Any:
        return client.AuthorizationV1Api(self.api)

    @property
    def discovery(self) -> Any:
        return client.DiscoveryV1Api(self.api)

    def send(self, method: str, path: str, body: Any) -> dict[str, Any]:
        """What the typed client would not let out; the answer's body, whatever its status."""
        asked = self.api.param_serialize(
            method, path, body=body, header_params={"Content-Type": "application/json"}, auth_settings=["BearerToken"]
        )
        answer = self.api.call_api(*asked)
        found: dict[str, Any] = json.loads(answer.read())
        return found

    @property
    def autoscaling(self) -> Any:
        return client.AutoscalingV2Api(self.api)

    @property
    def storage(self) -> Any:
        return client.StorageV1Api(self.api)

    @property
    def metrics(self) -> Any:
        """What the metrics API tells of the pods."""
        objects = client.CustomObjectsApi(self.api)
        return objects.list_namespaced_custom_object("metrics.k8s.io", "v1beta1", self.namespace, "pods")

    def deploy(self, manifest: Manifest) -> Any:
        return self.apps.create_namespaced_deployment(self.namespace, manifest)

    def deployment(self, name: str = "web") -> Any:
        return self.apps.read_namespaced_deployment(name, self.namespace)

    def patch_deployment(
        self, patch: Any, name: str = "web", kind: str = "application/strategic-merge-patch+json", **more: Any
    ) -> Any:
        return self.apps.patch_namespaced_deployment(name, self.namespace, patch, _content_type=kind, **more)

    def pods(self, name: str = "web") -> list[Any]:
        found: list[Any] = self.core.list_namespaced_pod(self.namespace, label_selector=f"app={name}").items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def pod_waiting(self, reason: str, name: str = "web") -> Any:
        """The first pod with a container that waits for `reason`."""

        def look() -> Any:
            for pod in self.pods(name):
                for status in pod.status.container_statuses or []:
                    if status.state.waiting is not None and status.state.waiting.reason == reason:
                        return pod
            return None

        return eventually(look)

    def healthy(self, replicas: int = 1, name: str = "web") -> Any:
        """The Deployment once all its replicas are of its current template and ready."""

        def look() -> Any:
            found = self.deployment(name)
            status = found.status
            counts = (status.updated_replicas, status.ready_replicas, status.replicas)
            seen = status.observed_generation == found.metadata.generation
            return found if seen and counts == (replicas, replicas, replicas) else None

        return eventually(look)

    def event_messages(self, reason: str) -> list[str]:
        return [e.message for e in self.core.list_namespaced_event(self.namespace).items if e.reason == reason]

    def event(self, reason: str) -> str:
        """The message of the first event of this reason, once there is one."""
        return eventually(lambda: self.event_messages(reason))[0]

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/opsmend-demo/{path}", data=data, method=method), timeout=10) as answer:
            return json.load(answer)


def status_of(error: client.ApiException) -> dict[str, Any]:
    """The Status body of an error."""
    body: dict[str, Any] = json.loads(error.body or "")
    assert body["kind"] == "Status"
    assert body["code"] == error.status
    return body
