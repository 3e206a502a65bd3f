"""A server of another minor version: fields, versions and groups that one of us does not know."""

from typing import Any

import pytest
from tests.contract.api_server.answers import Answer, answer_of
from tests.contract.api_server.sides import Side, adapter
from tests.contract.embedded_cluster.kube import Kube
from tests.contract.embedded_cluster.manifests import a_config_map, a_container, a_deployment, a_service

from opsmend.adapters.kubernetes.access import ping
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import Resource
from opsmend.errors import TargetGoneError

MERGE, JSON_PATCH, STRATEGIC = (
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
)
UNKNOWN: list[Any] = [
    pytest.param(MERGE, {"dataz": {"b": "2"}}, id="merge"),
    pytest.param(STRATEGIC, {"dataz": {"b": "2"}}, id="strategic"),
    pytest.param(JSON_PATCH, [{"op": "add", "path": "/dataz", "value": {"b": "2"}}], id="json"),
]
"""Patches of a field that no ConfigMap of these versions has."""
WARNING = '299 - "unknown field \\"dataz\\""'


def settings(kube: Kube) -> str:
    kube.core.create_namespaced_config_map(kube.namespace, a_config_map(a="1"))
    return f"/api/v1/namespaces/{kube.namespace}/configmaps/settings"


def changed(answer: Answer, before: str) -> bool:
    return bool(answer.json["metadata"]["resourceVersion"] != before)


@pytest.mark.parametrize(("kind", "patch"), UNKNOWN)
@pytest.mark.parametrize("validation", ["", "Warn", "Ignore"])
def test_patch_of_an_unknown_field_changes_nothing_and_warns_unless_told_not_to(
    kube: Kube, kind: str, patch: Any, validation: str
) -> None:
    path = settings(kube)
    before = answer_of(kube, "GET", path).json["metadata"]["resourceVersion"]
    answer = answer_of(kube, "PATCH", path, patch, kind, **({"fieldValidation": validation} if validation else {}))
    assert (answer.status, "dataz" in answer.json) == (200, False)
    assert not changed(answer, before)
    assert answer.headers.get("Warning") == (None if validation == "Ignore" else WARNING)


@pytest.mark.parametrize(("kind", "patch"), UNKNOWN)
def test_patch_of_an_unknown_field_is_refused_when_strict(kube: Kube, kind: str, patch: Any) -> None:
    answer = answer_of(kube, "PATCH", settings(kube), patch, kind, fieldValidation="Strict")
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    (cause,) = answer.json["details"]["causes"]
    assert (cause["field"], cause["reason"]) == ("patch", "FieldValueInvalid")
    assert cause["message"].endswith('strict decoding error: unknown field "dataz"')


def test_new_object_with_an_unknown_field_is_made_without_it_or_refused_when_strict(kube: Kube) -> None:
    path = f"/apis/apps/v1/namespaces/{kube.namespace}/deployments"
    odd = a_deployment(container=a_container(kube.image, imagez="x"))
    strict = answer_of(kube, "POST", path, odd, fieldValidation="Strict")
    assert (strict.status, strict.json["reason"]) == (400, "BadRequest")
    assert strict.json["message"].endswith('strict decoding error: unknown field "spec.template.spec.containers[0].imagez"')
    made = answer_of(kube, "POST", path, odd)
    assert (made.status, "imagez" in made.text) == (201, False)
    assert made.headers["Warning"] == '299 - "unknown field \\"spec.template.spec.containers[0].imagez\\""'


def test_validation_that_does_not_exist_is_refused(kube: Kube) -> None:
    answer = answer_of(kube, "PATCH", settings(kube), {"data": {"a": "2"}}, MERGE, fieldValidation="Severe")
    assert (answer.status, answer.json["details"]["kind"]) == (422, "PatchOptions")
    supported = 'supported values: "", "Ignore", "Strict", "Warn"'
    assert answer.json["details"]["causes"][0]["message"] == f'Unsupported value: "Severe": {supported}'


async def test_version_of_the_server_is_told(side: Side) -> None:
    version = answer_of(side.kube, "GET", "/version").json
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")
    async with adapter(side) as connection:
        assert (await ping(connection)).version == version["gitVersion"]


GONE: list[Any] = [
    pytest.param(Resource("autoscaling", "v2beta2", "horizontalpodautoscalers"), id="version of old"),
    pytest.param(Resource("policy", "v1beta1", "poddisruptionbudgets"), id="beta that became stable"),
    pytest.param(Resource("", "v2", "pods"), id="version to come"),
    pytest.param(Resource("custom.metrics.k8s.io", "v1beta1", "pods"), id="add-on that is not installed"),
    pytest.param(Resource("argoproj.io", "v1alpha1", "rollouts"), id="custom kind that is not installed"),
]


@pytest.mark.parametrize("resource", GONE)
async def test_what_the_server_does_not_serve_is_not_there_for_us(side: Side, resource: Resource) -> None:
    path = f"{resource.root}/namespaces/{side.kube.namespace}/{resource.plural}"
    assert answer_of(side.kube, "GET", path).status == 404
    async with adapter(side) as connection:
        reading = Reading(connection)
        with pytest.raises(TargetGoneError, match="HTTP 404"):
            await reading.list(resource, side.kube.namespace)
        again = Reading(connection)
        assert await again.attempt(resource.plural, again.list(resource, side.kube.namespace), []) == []
        assert again.unseen[0].startswith(f"{resource.plural}: ")


def test_unknown_version_is_told_as_a_status_and_an_unknown_group_as_text(kube: Kube) -> None:
    known = answer_of(kube, "GET", "/apis/policy/v1beta1")
    assert (known.json["reason"], known.json["message"]) == ("NotFound", "the server could not find the requested resource")
    for path in ("/apis/argoproj.io/v1alpha1", "/apis/argoproj.io", "/nowhere"):
        answer = answer_of(kube, "GET", path)
        assert (path, answer.status, answer.text) == (path, 404, "404 page not found\n")


async def test_we_read_all_that_the_server_says_whether_anybody_here_knows_the_field_or_not(side: Side) -> None:
    """A real server of a later version than the client's says more than the client's models have places for."""
    side.kube.core.create_namespaced_service(side.kube.namespace, a_service())
    path = f"/api/v1/namespaces/{side.kube.namespace}/services/web"
    async with adapter(side) as connection:
        assert await connection.get(path) == answer_of(side.kube, "GET", path).json
