"""Whatever the API server answers, the caller learns what can be done about it."""

import asyncio
from datetime import timedelta

import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.errors import (
    ClusterConflictError,
    ClusterCredentialError,
    ClusterForbiddenError,
    ClusterRejectedError,
    ClusterUnavailableError,
    OpsmendError,
    TargetGoneError,
)
from opsmend.settings import KubernetesSettings


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ClusterRejectedError),
        (400, ClusterRejectedError),
        (401, ClusterCredentialError),
        (403, ClusterForbiddenError),
        (404, TargetGoneError),
        (405, ClusterRejectedError),
        (406, ClusterRejectedError),
        (408, ClusterUnavailableError),
        (409, ClusterConflictError),
        (410, ClusterUnavailableError),
        (413, ClusterRejectedError),
        (415, ClusterRejectedError),
        (422, ClusterRejectedError),
        (429, ClusterUnavailableError),
        (500, ClusterUnavailableError),
        (501, ClusterRejectedError),
        (502, ClusterUnavailableError),
        (503, ClusterUnavailableError),
        (504, ClusterUnavailableError),
        (599, ClusterUnavailableError),
    ],
)
async def test_every_status_says_what_happens_next(status: int, error: type[OpsmendError]) -> None:
    api = ScriptedApi()
    api.on("/version", Answer({"message": "because"}, status))
    async with connected(api) as connection:
        with pytest.raises(error, match=f"HTTP {status}: because"):
            await connection.get("/version")


@pytest.mark.parametrize(
    "ready",
    [
        pytest.param(Answer("[-]poststarthook/rbac/bootstrap-roles failed", 500), id="it says that it is not ready"),
        pytest.param(Answer({"message": 'User "us" cannot get path "/readyz"'}, 403), id="it refuses to say even this"),
    ],
)
async def test_a_server_that_knows_no_roles_yet_forbids_nothing(ready: Answer) -> None:
    """Right after its start it refuses everybody: it has not read RBAC's objects."""
    api = ScriptedApi()
    api.on("/version", Answer({"message": "RBAC: not found"}, 403))
    api.on("/readyz", ready)
    async with connected(api) as connection:
        with pytest.raises(ClusterUnavailableError, match="readyz"):
            await connection.get("/version")


async def test_a_refusal_is_believed_only_of_a_server_that_was_ready_before_it() -> None:
    api = ScriptedApi()
    api.on("/version", Answer({"message": "not yet"}, 403), Answer({"major": "1"}))
    api.on("/readyz", Answer("ok"))
    async with connected(api) as connection:
        assert await connection.get("/version") == {"major": "1"}


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", timedelta(seconds=7)), ("999999", timedelta(minutes=5)), ("soon", None), ("-1", None), (None, None)],
)
async def test_a_server_that_asks_to_slow_down_is_given_the_time_it_asks_for(
    header: str | None, wait: timedelta | None
) -> None:
    api = ScriptedApi()
    api.on("/version", Answer(status=429, headers={"Retry-After": header} if header else {}))
    async with connected(api) as connection:
        with pytest.raises(ClusterUnavailableError) as caught:
            await connection.get("/version")
    assert caught.value.retry_after == wait


@pytest.mark.parametrize("body", ["<html>sign in</html>", "[1]", "", '{"half":'])
async def test_an_answer_that_is_not_of_the_kubernetes_api_is_no_answer(body: str) -> None:
    api = ScriptedApi()
    api.on("/version", Answer(body))
    async with connected(api) as connection:
        with pytest.raises(ClusterUnavailableError, match="is this the Kubernetes API"):
            await connection.get("/version")


async def test_a_silent_server_is_not_waited_for_without_end() -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    api = ScriptedApi()
    api.handle = hang  # type: ignore[method-assign,assignment]
    async with connected(api, timeout=0.05) as connection:
        with pytest.raises(ClusterUnavailableError, match="no answer"):
            await connection.get("/version")


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with ApiClient(Configuration(host="http://127.0.0.1:1")) as client:
        with pytest.raises(ClusterUnavailableError, match="no answer"):
            await Connection(client, KubernetesSettings()).get("/version")


async def test_text_of_the_server_is_bounded_and_free_of_secrets() -> None:
    api = ScriptedApi()
    api.on("/version", Answer({"message": "password=hunter2hunter2 " + "x" * 5000}, 422))
    async with connected(api) as connection:
        with pytest.raises(ClusterRejectedError) as caught:
            await connection.get("/version")
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value)) < 700


async def test_an_expired_token_is_renewed_once() -> None:
    renewed = []

    async def renew() -> None:
        renewed.append(True)

    api = ScriptedApi()
    api.on("/version", Answer(status=401), Answer({"gitVersion": "v1"}), Answer(status=401))
    async with connected(api, refresh=renew) as connection:
        assert await connection.get("/version") == {"gitVersion": "v1"}
        assert len(renewed) == 1
        with pytest.raises(ClusterCredentialError):
            await connection.get("/version")
    assert len(renewed) == 2
