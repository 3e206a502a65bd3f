"""Every call to the API server is in the ledger of the work that makes it: whatever is answered, and if nothing is."""

import asyncio
from collections.abc import Iterator

import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.agents.work import Work, at_work
from opsmend.domain.call_ledger import CallLedger
from opsmend.errors import ClusterUnavailableError, OpsmendError
from opsmend.settings import KubernetesSettings

PATH = "/api/v1/namespaces/shop/pods/web"


@pytest.fixture
def work() -> Iterator[Work]:
    doing = Work("sre", "incident:test", CallLedger())
    with at_work(doing):
        yield doing


@pytest.mark.parametrize("status", [200, 401, 403, 404, 409, 410, 429, 500, 503])
async def test_a_call_counts_whatever_its_answer_is(work: Work, status: int) -> None:
    api = ScriptedApi()
    api.on(PATH, Answer('{"message": "no"}', status))
    async with connected(api) as connection:
        try:
            await connection.get(PATH)
        except OpsmendError:
            assert status != 200
    assert work.ledger.calls == len(api.requests)
    assert work.ledger.bytes >= len('{"message": "no"}')
    counted = next(entry for entry in work.ledger.counted if entry.resource == "pods")
    asked = sum(path == PATH for _, path, _ in api.requests)
    assert (counted.verb, counted.name, counted.times) == ("get", "web", asked)


async def test_a_call_that_is_made_again_with_new_credentials_counts_twice(work: Work) -> None:
    async def renew() -> None:
        """Nothing to do here."""

    api = ScriptedApi()
    api.on(PATH, Answer(status=401), Answer({"kind": "Pod"}))
    async with connected(api, refresh=renew) as connection:
        await connection.get(PATH)
    assert work.ledger.calls == len(api.requests) == 2


async def test_a_call_without_an_answer_counts_for_the_server_may_have_seen_it(work: Work) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    api = ScriptedApi()
    api.handle = hang  # type: ignore[method-assign,assignment]
    async with connected(api, timeout=0.05) as connection:
        with pytest.raises(ClusterUnavailableError):
            await connection.get(PATH)
    assert (work.ledger.calls, work.ledger.bytes) == (1, 0)


async def test_a_call_that_nobody_listens_to_does_not_count(work: Work) -> None:
    async with ApiClient(Configuration(host="http://127.0.0.1:1")) as client:
        with pytest.raises(ClusterUnavailableError):
            await Connection(client, KubernetesSettings()).get(PATH)
    assert work.ledger == CallLedger()


async def test_every_call_says_whose_it_is(work: Work) -> None:
    api = ScriptedApi()
    api.on(PATH, Answer({}))
    async with connected(api) as connection:
        await connection.get(PATH)
    ((_, _, headers),) = api.requests
    assert headers["User-Agent"].endswith(" (sre; incident:test)")
