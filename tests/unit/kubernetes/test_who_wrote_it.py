"""Whose a field is, by the object's own managedFields; and which tool keeps the object as a repository declares it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from opsmend.adapters.kubernetes.neighbourhood.managers import writer_since
from opsmend.domain.gitops import keeper_of

IMAGE = "/spec/template/spec/containers/1/image"
OF_IMAGE: dict[str, Any] = {
    "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {".": {}, "f:image": {}}}}}}
}
OF_PROXY: dict[str, Any] = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"proxy"}': {"f:image": {}}}}}}}
OF_REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


def of_list(key: str) -> dict[str, Any]:
    """Owns the image of a container that `key` names."""
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {key: {"f:image": {}}}}}}}


NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def written(*entries: dict[str, Any]) -> dict[str, Any]:
    containers = [{"name": "proxy", "image": "a"}, {"name": "app", "image": "b"}]
    return {
        "metadata": {"name": "web", "managedFields": list(entries)},
        "spec": {"replicas": 2, "selector": {"app": "web"}, "template": {"spec": {"containers": containers}}},
        "data": {"nginx.conf": "x", "a/b": "y"},
    }


def by(manager: str, fields: dict[str, Any], hour: int = 12, **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": f"2026-11-25T{hour}:00:00Z", "fieldsV1": fields} | more


@pytest.mark.parametrize(
    ("entries", "paths", "who"),
    [
        pytest.param([by("argocd", OF_IMAGE)], [IMAGE], "argocd", id="element of a list, by its key"),
        pytest.param([by("helm", OF_PROXY, 13), by("argocd", OF_IMAGE)], [IMAGE], "argocd", id="not its neighbour's"),
        pytest.param([by("argocd", OF_REPLICAS)], ["/spec/replicas"], "argocd", id="plain field"),
        pytest.param([by("old", OF_IMAGE, 10), by("new", OF_IMAGE, 12)], [IMAGE], "new", id="the newest of several"),
        pytest.param([by("opsmend", OF_IMAGE, 11), by("argocd", OF_IMAGE)], [IMAGE], "argocd", id="not our own"),
        pytest.param([by("opsmend", OF_IMAGE, 13), by("argocd", OF_IMAGE)], [IMAGE], "", id="an earlier one is not blamed"),
        pytest.param(
            [by("kcm", OF_REPLICAS, 13, subresource="status"), by("argocd", OF_REPLICAS)], ["/spec/replicas"], "argocd",
            id="not a status",
        ),
        pytest.param(
            [by("hpa", OF_REPLICAS, subresource="scale")], ["/spec/replicas"], "hpa", id="by the subresource scale"
        ),
        pytest.param([by("argocd", {"f:spec": {"f:selector": {}}})], ["/spec/selector/app"], "argocd", id="held as a whole"),
        pytest.param([by("argocd", {"f:data": {"f:nginx.conf": {}}})], ["/data/nginx.conf"], "argocd", id="key with a dot"),
        pytest.param([by("argocd", {"f:data": {"f:a/b": {}}})], ["/data/a~1b"], "argocd", id="key with a slash"),
        pytest.param([by("argocd", OF_IMAGE)], ["/spec/template"], "argocd", id="something below it"),
        pytest.param(
            [by("opsmend", OF_IMAGE, 11), by("argocd", OF_REPLICAS)], ["/spec/paused"], "argocd",
            id="gone: who wrote content since",
        ),
        pytest.param(
            [by("opsmend", OF_IMAGE, 11), by("kcm", {"f:metadata": {"f:annotations": {}}}, 13), by("argocd", OF_REPLICAS)],
            [""], "argocd", id="gone: bookkeeping is no content",
        ),
        pytest.param([by("argocd", OF_REPLICAS)], ["/spec/paused"], "", id="gone, and ours with it"),
        pytest.param([by("argocd", of_list("k:{broken"))], [IMAGE], "", id="key that is no JSON"),
        pytest.param([by("argocd", of_list("k:7"))], [IMAGE], "", id="key that is no object"),
        pytest.param([], [IMAGE], "", id="nobody is named"),
        pytest.param([{"manager": "argocd", "fieldsV1": OF_IMAGE}], [IMAGE], "", id="without a time"),
    ],
)  # fmt: skip
def test_the_newest_writer_of_the_field_is_named(entries: list[dict[str, Any]], paths: list[str], who: str) -> None:
    assert writer_since(written(*entries), paths, "opsmend") == (who, NOON if who else None)


def test_the_name_of_a_manager_is_foreign_text() -> None:
    manager, _ = writer_since(written(by("password=hunter2hunter2 " + "x" * 999, OF_IMAGE)), [IMAGE], "opsmend")
    assert "hunter2" not in manager
    assert len(manager) <= 128


@pytest.mark.parametrize(
    ("metadata", "keeper"),
    [
        pytest.param(
            {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}},
            "Argo CD (application shop)",
            id="argo by annotation",
        ),
        pytest.param({"labels": {"argocd.argoproj.io/instance": "shop"}}, "Argo CD (application shop)", id="argo by label"),
        pytest.param(
            {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (kustomization apps)", id="flux kustomize"
        ),
        pytest.param({"labels": {"helm.toolkit.fluxcd.io/name": "web"}}, "Flux (helm release web)", id="flux helm"),
        pytest.param({"labels": {"app.kubernetes.io/instance": "web"}}, None, id="any helm chart"),
        pytest.param({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, None, id="helm itself reverts nothing"),
        pytest.param({"annotations": {"argocd.argoproj.io/tracking-id": ""}}, None, id="empty mark"),
        pytest.param({"annotations": None, "labels": None}, None, id="neither"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_a_gitops_tool_is_known_by_its_mark(metadata: dict[str, Any], keeper: str | None) -> None:
    assert keeper_of({"metadata": metadata}) == keeper


def test_a_mark_is_foreign_text() -> None:
    keeper = keeper_of({"metadata": {"labels": {"argocd.argoproj.io/instance": "x" * 5000}}})
    assert keeper is not None
    assert len(keeper) < 200
