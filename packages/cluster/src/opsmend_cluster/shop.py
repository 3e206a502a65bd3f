"""The demo's shop: what runs there, and how its pipeline ships a release (a good one or a broken one)."""

from importlib.resources import files
from typing import Any, Final

import httpx
import yaml

NAMESPACE: Final = "shop"
PIPELINE: Final = "shop-pipeline"
"""Field manager and user agent of the pipeline's writes."""
BROKEN: Final = ("listen ", "lissten ")
"""The slip of the demo's bad release: a directive that nginx does not know."""


def seed_shop(url: str) -> None:
    """Create the namespace `shop` with web (3 replicas) and checkout (2), Services and configurations.

    Raises:
        httpx.HTTPStatusError: the cluster refused something, for example because it is there already.
    """
    manifests = files("opsmend_cluster").joinpath("manifests/shop.yaml").read_text()
    with _client(url) as client:
        for manifest in yaml.safe_load_all(manifests):
            client.post(_collection(manifest), json=manifest).raise_for_status()


def ship_release(url: str, name: str, version: int = 2, *, slip: tuple[str, str] = BROKEN) -> None:
    """Release `name` anew, as its pipeline does: a new ConfigMap `<name>-nginx-v<version>`, and the Deployment refers to it.

    `slip` replaces text in the running configuration; ("", "") ships it unchanged.

    Raises:
        httpx.HTTPStatusError: the cluster refused it.
    """
    with _client(url) as client:
        deployment = _read(client, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
        volume = next(v for v in deployment["spec"]["template"]["spec"]["volumes"] if "configMap" in v)
        running = _read(client, f"/api/v1/namespaces/{NAMESPACE}/configmaps/{volume['configMap']['name']}")
        old, new = slip
        data = {key: text.replace(old, new) if old else text for key, text in running["data"].items()}
        config: dict[str, Any] = {
            "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": f"{name}-nginx-v{version}", "namespace": NAMESPACE,
                         "labels": running["metadata"].get("labels", {})},
        }  # fmt: skip
        client.post(_collection(config), json=config).raise_for_status()
        release = {
            "metadata": {"annotations": {"kubernetes.io/change-cause": f"release v{version}"}},
            "spec": {"template": {"spec": {"volumes": [
                {"name": volume["name"], "configMap": {"name": config["metadata"]["name"]}}]}}},
        }  # fmt: skip
        client.patch(
            f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}", json=release,
            headers={"Content-Type": "application/strategic-merge-patch+json"},
        ).raise_for_status()  # fmt: skip


def _client(url: str) -> httpx.Client:
    headers = {"User-Agent": f"{PIPELINE}/1.0"}
    return httpx.Client(base_url=url, params={"fieldManager": PIPELINE}, headers=headers, timeout=10, trust_env=False)


def _read(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _collection(manifest: dict[str, Any]) -> str:
    version, kind = manifest["apiVersion"], manifest["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    if kind == "Namespace":
        return f"{root}/namespaces"
    return f"{root}/namespaces/{manifest['metadata']['namespace']}/{kind.lower()}s"
