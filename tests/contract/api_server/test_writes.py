"""Writes behave as on a real API server: conflicts, patches, dry runs, refusals, who changed what."""

from typing import Any

import pytest
from tests.contract.api_server.answers import refused
from tests.contract.embedded_cluster.kube import Kube, eventually
from tests.contract.embedded_cluster.manifests import Manifest, a_config_map, a_container, a_deployment, a_service

JSON_PATCH, MERGE, STRATEGIC = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
APPLY = "application/apply-patch+yaml"


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        (MERGE, {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}),
        (STRATEGIC, {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}),
        (JSON_PATCH, [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]),
    ],
    ids=["merge", "strategic", "json"],
)
def test_patch_made_for_an_older_version_is_a_conflict_and_changes_nothing(kube: Kube, kind: str, patch: Any) -> None:
    kube.core.create_namespaced_config_map(kube.namespace, a_config_map(a="1"))
    status = refused(kube.core.patch_namespaced_config_map, "settings", kube.namespace, patch, _content_type=kind)
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert kube.core.read_namespaced_config_map("settings", kube.namespace).data == {"a": "1"}


def test_replace_of_an_older_version_is_a_conflict(kube: Kube) -> None:
    mine = kube.core.create_namespaced_config_map(kube.namespace, a_config_map(a="1"))
    kube.core.patch_namespaced_config_map("settings", kube.namespace, {"data": {"a": "2"}}, _content_type=MERGE)
    mine.data = {"a": "3"}
    assert refused(kube.core.replace_namespaced_config_map, "settings", kube.namespace, mine)["reason"] == "Conflict"


def test_json_patch_whose_test_fails_is_invalid(kube: Kube) -> None:
    kube.core.create_namespaced_config_map(kube.namespace, a_config_map(a="1"))
    patch = [{"op": "test", "path": "/data/a", "value": "9"}, {"op": "replace", "path": "/data/a", "value": "2"}]
    status = refused(kube.core.patch_namespaced_config_map, "settings", kube.namespace, patch, _content_type=JSON_PATCH)
    assert (status["code"], status["reason"]) == (422, "Invalid")


def test_strategic_merge_changes_the_named_container_only(kube: Kube) -> None:
    manifest = a_deployment()
    manifest["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "busybox:1"})
    kube.deploy(manifest)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "sidecar", "image": "busybox:2"}]}}}}
    containers = kube.patch_deployment(patch).spec.template.spec.containers
    assert {c.name: c.image for c in containers} == {"app": "nginx:1.27.1", "sidecar": "busybox:2"}


def test_strategic_merge_deletes_and_replaces_by_directive(kube: Kube) -> None:
    environment = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    kube.deploy(a_deployment(container=a_container(env=environment)))
    container = {"name": "app", "env": [{"name": "A", "$patch": "delete"}]}
    patched = kube.patch_deployment({"spec": {"template": {"spec": {"containers": [container]}}}})
    assert [e.name for e in patched.spec.template.spec.containers[0].env] == ["B"]


def test_merge_patch_replaces_lists_as_a_whole(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "other", "image": "busybox:1"}]}}}}
    containers = kube.patch_deployment(patch, kind=MERGE).spec.template.spec.containers
    assert [c.name for c in containers] == ["other"]


def test_dry_run_shows_the_result_and_keeps_nothing(kube: Kube) -> None:
    before = kube.deploy(a_deployment(container=a_container(kube.image)))
    shown = kube.patch_deployment({"spec": {"replicas": 5}}, dry_run="All")
    assert shown.spec.replicas == 5
    assert kube.deployment().spec.replicas == 1
    kube.core.create_namespaced_config_map(kube.namespace, a_config_map(), dry_run="All")
    assert refused(kube.core.read_namespaced_config_map, "settings", kube.namespace)["code"] == 404
    kube.apps.delete_namespaced_deployment("web", kube.namespace, dry_run="All")
    assert kube.deployment().metadata.uid == before.metadata.uid


def test_dry_run_is_refused_where_the_write_would_be(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    assert refused(kube.patch_deployment, {"spec": {"replicas": -1}}, dry_run="All")["code"] == 422


INVALID: list[Any] = [
    pytest.param({"spec": {"replicas": -1}}, "spec.replicas", id="negative replicas"),
    pytest.param({"spec": {"selector": {"matchLabels": {"app": "x"}}}}, "spec.selector", id="selector is immutable"),
    pytest.param(
        {"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}},
        "spec.template.metadata.labels",
        id="selector misses labels",
    ),
    pytest.param(
        {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": ""}]}}}},
        "spec.template.spec.containers[0].image",
        id="empty image",
    ),
    pytest.param(
        {"spec": {"template": {"spec": {"containers": [{"name": "app", "resources": {
            "requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}]}}}},
        "spec.template.spec.containers[0].resources.requests",
        id="request above limit",
    ),
    pytest.param(
        {"spec": {"template": {"spec": {"containers": [{"name": "app", "volumeMounts": [
            {"name": "none", "mountPath": "/x"}]}]}}}},
        "spec.template.spec.containers[0].volumeMounts[0].name",
        id="mount of no volume",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "field"), INVALID)
def test_invalid_object_is_refused_with_the_field_that_is_wrong(kube: Kube, patch: Manifest, field: str) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    status = refused(kube.patch_deployment, patch)
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert field in [cause["field"] for cause in status["details"]["causes"]]


def test_wrongly_typed_field_is_refused(kube: Kube) -> None:
    path = f"/apis/apps/v1/namespaces/{kube.namespace}/deployments"
    mistyped = a_deployment()
    mistyped["spec"]["replicas"] = "three"
    status = kube.send("POST", path, mistyped)
    assert (status["code"], status["reason"]) == (400, "BadRequest")
    assert "cannot unmarshal string into Go struct field" in status["message"]
    kube.deploy(a_deployment(container=a_container(kube.image)))
    for kind in (STRATEGIC, MERGE):
        status = refused(kube.patch_deployment, {"spec": {"replicas": "three"}}, kind=kind)
        assert (status["code"], status["reason"]) == (422, "Invalid")
    assert kube.deployment().spec.replicas == 1


def test_generation_counts_spec_changes_only(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    labelled = kube.patch_deployment({"metadata": {"labels": {"a": "b"}}})
    assert labelled.metadata.generation == 1
    assert kube.patch_deployment({"spec": {"replicas": 2}}).metadata.generation == 2


def test_write_that_changes_nothing_keeps_the_version(kube: Kube) -> None:
    first = kube.core.create_namespaced_config_map(kube.namespace, a_config_map(a="1"))
    again = kube.core.patch_namespaced_config_map("settings", kube.namespace, {"data": {"a": "1"}}, _content_type=MERGE)
    assert again.metadata.resource_version == first.metadata.resource_version


def test_managed_fields_tell_who_changed_which_field(kube: Kube) -> None:
    kube.apps.create_namespaced_deployment(kube.namespace, a_deployment(), field_manager="pipeline")
    kube.patch_deployment({"spec": {"replicas": 2}}, field_manager="opsmend")
    fields = {entry.manager: entry for entry in kube.deployment().metadata.managed_fields if not entry.subresource}
    assert fields["opsmend"].fields_v1 == {"f:spec": {"f:replicas": {}}}
    assert fields["opsmend"].operation == "Update"
    assert "f:replicas" not in fields["pipeline"].fields_v1["f:spec"]


def test_apply_creates_updates_and_removes_what_it_no_longer_says(kube: Kube) -> None:
    def apply(manager: str, data: dict[str, str], **more: Any) -> Any:
        return kube.core.patch_namespaced_config_map(
            "settings", kube.namespace, a_config_map(**data), field_manager=manager, _content_type=APPLY, **more
        )

    apply("pipeline", {"a": "1", "b": "1"})
    assert apply("pipeline", {"a": "2"}).data == {"a": "2"}
    status = refused(apply, "opsmend", {"a": "3"})
    assert status["code"] == 409
    assert status["details"]["causes"][0]["field"] == ".data.a"
    assert apply("opsmend", {"a": "3"}, force=True).data == {"a": "3"}


def test_second_create_says_that_it_exists(kube: Kube) -> None:
    kube.core.create_namespaced_config_map(kube.namespace, a_config_map())
    status = refused(kube.core.create_namespaced_config_map, kube.namespace, a_config_map())
    assert (status["code"], status["reason"]) == (409, "AlreadyExists")


def test_create_in_an_unknown_namespace_is_not_found(kube: Kube) -> None:
    status = refused(kube.core.create_namespaced_config_map, "nowhere", a_config_map())
    assert (status["code"], status["message"]) == (404, 'namespaces "nowhere" not found')


def test_scale_subresource_scales_and_checks_the_version(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    kube.healthy()
    scale = kube.apps.read_namespaced_deployment_scale("web", kube.namespace)
    scale.spec.replicas = 3
    kube.apps.replace_namespaced_deployment_scale("web", kube.namespace, scale)
    kube.healthy(3)
    assert refused(kube.apps.replace_namespaced_deployment_scale, "web", kube.namespace, scale)["reason"] == "Conflict"


def test_service_selector_can_be_patched_with_a_cluster_ip_kept(kube: Kube) -> None:
    created = kube.core.create_namespaced_service(kube.namespace, a_service())
    patch = {"spec": {"selector": {"app": "other"}}}
    patched = kube.core.patch_namespaced_service("web", kube.namespace, patch, _content_type=STRATEGIC)
    assert patched.spec.selector == {"app": "other"}
    assert patched.spec.cluster_ip == created.spec.cluster_ip


@pytest.mark.parametrize(
    ("policy", "left"),
    [("Background", False), ("Foreground", False), ("Orphan", True)],
    ids=["background", "foreground", "orphan"],
)
def test_deletion_takes_dependents_along_unless_they_are_orphaned(kube: Kube, policy: str, left: bool) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image), terminationGracePeriodSeconds=0))
    kube.healthy()
    kube.apps.delete_namespaced_deployment("web", kube.namespace, propagation_policy=policy)
    eventually(lambda: not kube.apps.list_namespaced_deployment(kube.namespace).items)
    if left:
        assert kube.apps.list_namespaced_replica_set(kube.namespace).items
        assert kube.pods()
    else:
        eventually(lambda: not kube.apps.list_namespaced_replica_set(kube.namespace).items and not kube.pods())


@pytest.mark.parametrize(
    ("pod_spec", "field"),
    [
        ({"volumes": [{"configMap": {}}]}, "spec.template.spec.volumes[0].name"),
        ({"topologySpreadConstraints": [{"maxSkew": 1}]}, "spec.template.spec.topologySpreadConstraints[0].topologyKey"),
    ],
    ids=["volume without a name", "constraint without a key"],
)
def test_object_that_lacks_a_required_field_is_refused(kube: Kube, pod_spec: Manifest, field: str) -> None:
    """Sent raw: the typed client would not let it out."""
    status = kube.send("POST", f"/apis/apps/v1/namespaces/{kube.namespace}/deployments", a_deployment("odd", **pod_spec))
    assert status["code"] == 422
    assert field in [cause["field"] for cause in status["details"]["causes"]]
