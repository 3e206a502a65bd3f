"""An alert about a cluster that opsmend is not connected to changes nothing here, and a person hears of it."""

from collections.abc import AsyncIterator

import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.domain.incident import Outcome
from opsmend.settings import KubernetesSettings
from tests.builders import a_decision_request, a_target
from tests.contract.kubernetes.clusters import writer_of
from tests.workflows.conftest import INCIDENT, World

SENTENCE = (
    f"this is about cluster {a_target().cluster}, and opsmend is connected to elsewhere only (OPSMEND_KUBERNETES__CLUSTER)"
)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Connection]:
    """Nothing listens at its address, so a call that got that far would fail otherwise."""
    async with ApiClient(Configuration(host="http://127.0.0.1:1")) as client:
        yield Connection(client, KubernetesSettings(cluster="elsewhere"))


@pytest.mark.safety
async def test_it_is_escalated_without_a_look(world: World, elsewhere: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.cluster, "snapshot", KubernetesReader(elsewhere).snapshot)
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert SENTENCE in closed.closing
    assert world.cluster.changes == []


@pytest.mark.safety
async def test_an_approved_plan_is_not_carried_out_by_a_writer_of_another_cluster(
    world: World, elsewhere: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.cluster, "require_cluster", writer_of(elsewhere).require_cluster)
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert SENTENCE in closed.closing
    assert world.cluster.changes == []
