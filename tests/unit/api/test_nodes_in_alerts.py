"""An alert that names the node of its pod belongs to that node's incident while there is one, so that goes first."""

from tests.builders import a_target
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, a_client

from opsmend.api.alerts.target import target_of
from opsmend.domain.target import Kind


def test_a_workload_keeps_the_node_that_its_labels_name() -> None:
    target = target_of({"namespace": "shop", "deployment": "web", "node": "node-1"}, default_cluster="demo", group_key="g")
    assert target == a_target(node="node-1")
    assert target.incident_id == a_target().incident_id
    assert target.below == a_target(Kind.NODE, "node-1", "")


def test_a_node_is_below_nothing() -> None:
    target = target_of({"node": "node-1"}, default_cluster="demo", group_key="g")
    assert (target.kind, target.node, target.below) == (Kind.NODE, None, None)


def test_what_is_no_node_name_counts_as_none() -> None:
    labels = {"namespace": "shop", "deployment": "web", "node": "no such/node"}
    assert target_of(labels, default_cluster="demo", group_key="g").node is None


async def test_the_node_is_handed_over_before_what_runs_on_it() -> None:
    desk = DeskInMemory()
    labels = [
        {"namespace": "shop", "deployment": "web", "node": "node-1"},
        {"namespace": "shop", "deployment": "cart", "node": "node-1"},
        {"node": "node-1"},
    ]
    payload = [{"name": "Down", "status": "firing", "labels": each} for each in labels]
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=payload)
    assert response.status_code == 202, response.text
    assert next(target.kind for target, _ in desk.submitted) is Kind.NODE


async def test_alerts_of_one_workload_on_two_nodes_are_one_incident() -> None:
    desk = DeskInMemory()
    labels = [{"namespace": "shop", "daemonset": "agent", "node": node} for node in ("node-1", "node-2")]
    payload = [{"name": "Down", "status": "firing", "labels": each} for each in labels]
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=payload)
    assert response.json()["incidents"] == [{"id": "incident:default:shop:daemonset:agent", "created": True}]
    assert {target.node for target, _ in desk.submitted} == {"node-1", "node-2"}


def on_node(number: int, **fields: str) -> dict[str, object]:
    labels = {"namespace": "shop", "deployment": f"web-{number}", "node": "node-1"}
    return {"name": "Down", "status": "firing", "labels": labels, **fields}


async def test_many_targets_that_fail_at_once_on_one_node_have_the_node_looked_at_first() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[on_node(number) for number in range(300)])
    assert response.json()["incidents"] == [{"id": "incident:default::node:node-1", "created": True}]
    assert len(desk.alerts) == 300


async def test_a_few_targets_on_one_node_are_looked_into_for_themselves() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[on_node(number) for number in range(9)])
    assert len(response.json()["incidents"]) == 9


async def test_the_end_of_many_alerts_of_one_node_reaches_the_incident_of_each() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        await client.post("/v1/alerts/generic", json=[on_node(number, status="resolved") for number in range(300)])
    assert {str(target) for target, _ in desk.submitted} == {f"Deployment shop/web-{number}" for number in range(300)}
