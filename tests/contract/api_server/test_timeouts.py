"""An answer that does not come in time is no answer: for the server that is given a time, and for us."""

import time

import pytest
from tests.contract.api_server.answers import answer_of
from tests.contract.api_server.sides import Side, adapter
from tests.contract.embedded_cluster.kube import Kube
from tests.contract.embedded_cluster.manifests import a_config_map

from opsmend.errors import ClusterRejectedError, ClusterUnavailableError


def config_maps(kube: Kube) -> str:
    return f"/api/v1/namespaces/{kube.namespace}/configmaps"


async def test_answer_that_goes_on_longer_than_we_wait_is_told_as_none(side: Side) -> None:
    """A watch without changes, which either side keeps open for as long as it is asked to."""
    async with adapter(side, timeout=0.5) as connection:
        began = time.monotonic()
        with pytest.raises(ClusterUnavailableError, match="no answer"):
            await connection.get(config_maps(side.kube), {"watch": "true", "labelSelector": "a=b", "timeoutSeconds": "60"})
        assert 0.4 < time.monotonic() - began < 10
        assert (await connection.get(config_maps(side.kube)))["kind"] == "ConfigMapList"


async def test_write_that_is_not_answered_in_time_is_told_as_unavailable_and_was_not_done(side: Side) -> None:
    path = config_maps(side.kube)
    with side.hanging_writes():
        async with adapter(side, timeout=0.5) as connection:
            with pytest.raises(ClusterUnavailableError, match="no answer"):
                await connection.post(path, a_config_map(a="1"))
    assert answer_of(side.kube, "GET", f"{path}/settings").status == 404
    assert answer_of(side.kube, "POST", path, a_config_map(a="2")).status == 201


async def test_server_that_does_not_finish_in_the_time_it_was_given_is_asked_again_later(side: Side) -> None:
    path = config_maps(side.kube)
    answer = answer_of(side.kube, "GET", path, timeout="1ns")
    assert (answer.status, answer.json["reason"]) == (504, "Timeout")
    assert answer.json["message"] == "Timeout: request did not complete within the allotted timeout"
    async with adapter(side) as connection:
        with pytest.raises(ClusterUnavailableError, match="HTTP 504"):
            await connection.get(path, {"timeout": "1ns"})


async def test_time_that_is_none_is_our_mistake_and_not_tried_again(side: Side) -> None:
    answer = answer_of(side.kube, "POST", config_maps(side.kube), a_config_map(a="1"), timeout="soon")
    assert answer.status == 400
    assert answer.json["message"] == 'invalid timeout specified in the request URL - time: invalid duration "soon"'
    assert answer_of(side.kube, "GET", f"{config_maps(side.kube)}/settings").status == 404
    async with adapter(side) as connection:
        with pytest.raises(ClusterRejectedError, match="HTTP 400"):
            await connection.get(config_maps(side.kube), {"timeout": "soon"})


def test_time_that_is_ample_changes_nothing(kube: Kube) -> None:
    assert answer_of(kube, "POST", config_maps(kube), a_config_map(a="1"), timeout="1m30s").status == 201
    assert answer_of(kube, "GET", f"{config_maps(kube)}/settings", timeout="0").json["data"] == {"a": "1"}
