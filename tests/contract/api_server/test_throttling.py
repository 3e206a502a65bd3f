"""A server that has no room for us says when to come back, and we keep to that."""

from datetime import timedelta

import pytest
from tests.contract.api_server.answers import answer_of
from tests.contract.api_server.sides import Side, adapter

from opsmend.activities.interceptor import in_temporal_words
from opsmend.adapters.kubernetes.access import can_i
from opsmend.adapters.kubernetes.resources import RESOURCES
from opsmend.adapters.kubernetes.rights import Right
from opsmend.domain.target import Kind
from opsmend.errors import ClusterUnavailableError

ACCOUNT = "hasty"
ASKED = Right("get", RESOURCES[Kind.POD])
"""Whoever is known to the server may ask for an access review."""


def an_account(side: Side) -> None:
    side.kube.core.create_namespaced_service_account(side.kube.namespace, {"metadata": {"name": ACCOUNT}})


def test_request_that_there_is_no_room_for_is_refused_with_a_time_to_come_back(side: Side) -> None:
    an_account(side)
    with side.throttled(ACCOUNT) as token:
        answer = answer_of(side.login(token), "GET", "/api/v1/nodes")
    assert answer.status == 429
    assert answer.headers["Retry-After"] == "1"


async def test_we_come_back_when_the_server_said_and_are_served(side: Side) -> None:
    an_account(side)
    with side.throttled(ACCOUNT) as token:
        async with adapter(side, token) as connection:
            with pytest.raises(ClusterUnavailableError, match="HTTP 429") as caught:
                await can_i(connection, ASKED)
    told = in_temporal_words(caught.value)
    assert (told.non_retryable, told.next_retry_delay) == (False, timedelta(seconds=1))
    async with adapter(side, token) as connection:
        assert not (await can_i(connection, ASKED)).allowed
