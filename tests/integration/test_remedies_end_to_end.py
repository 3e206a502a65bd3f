"""From a broken workload to a healthy one through everything that runs in production, and nothing else touched on the way."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from tests.integration.outside.cluster import Cluster, deployment_path
from tests.integration.outside.opsmend import Opsmend
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

Break = Callable[[Cluster, str], Awaitable[None]]

WRONG_PORT: Final = {"httpGet": {"path": "/healthz", "port": 9999}, "periodSeconds": 1}


# --- what breaks ----------------------------------------------------------------------------------------------------------


async def release_a_missing_image(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.break_image(namespace)


async def be_born_with_too_little_memory(cluster: Cluster, namespace: str) -> None:
    """No earlier revision to return to."""
    needs = {"namespace": f"^{namespace}$", "memory_limit_below": "100Mi"}
    await cluster.add_rule(
        {"name": namespace, "when": needs, "then": {"effect": "out_of_memory", "log": ["filling the cache"]}}
    )
    await cluster.deploy(namespace, ready=False, resources={"requests": {"memory": "32Mi"}, "limits": {"memory": "64Mi"}})
    await cluster.until_failing(namespace)


async def point_the_service_nowhere(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.patch(f"/api/v1/namespaces/{namespace}/services/web", {"spec": {"selector": {"app": "wbe"}}})


async def scale_to_zero(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.patch(deployment_path(namespace), {"spec": {"replicas": 0}})

    async def look() -> bool | None:
        return None if (await cluster.deployment(namespace))["status"].get("replicas") else True

    await eventually(look, f"{namespace}/web without pods")


async def be_born_with_a_wrong_probe(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace, ready=False, readinessProbe=WRONG_PORT)
    await cluster.until_failing(namespace)


async def release_a_wrong_probe(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.patch_container(namespace, {"readinessProbe": WRONG_PORT})
    await cluster.until_failing(namespace)


async def release_without_its_config_map(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.patch_container(namespace, {"envFrom": [{"configMapRef": {"name": "settings-v2"}}]})


CASES: Final = [
    pytest.param("image", release_a_missing_image, "deployment", "rollback_workload", "deployments/web", id="image"),
    pytest.param("memory", be_born_with_too_little_memory, "deployment", "set_resources", "deployments/web", id="memory"),
    pytest.param("selector", point_the_service_nowhere, "service", "patch_service", "services/web", id="service-selector"),
    pytest.param("zero", scale_to_zero, "deployment", "scale_workload", "deployments/web", id="scaled-to-zero"),
    pytest.param("probe", be_born_with_a_wrong_probe, "deployment", "patch_workload", "deployments/web", id="probe-port"),
    pytest.param("release", release_a_wrong_probe, "deployment", "rollback_workload", "deployments/web", id="probe-by-release"),
    pytest.param(
        "config", release_without_its_config_map, "deployment", "rollback_workload", "deployments/web", id="config-map"
    ),
]


@pytest.mark.parametrize(("namespace", "broken", "label", "action", "changed"), CASES)
@pytest.mark.safety
async def test_it_is_healed_and_nothing_else_is_changed(
    opsmend: Opsmend, cluster: Cluster, namespace: str, broken: Break, label: str, action: str, changed: str
) -> None:
    await broken(cluster, namespace)
    before = await cluster.declared()
    incident = await opsmend.open(namespace, **{label: "web"})
    asking = await opsmend.approve(incident)
    assert [step["type"] for step in asking["plan"]["actions"]] == [action]
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]

    assert await cluster.mutations(namespace) == [("patch", changed)]
    after = await cluster.declared()
    kind, _, name = changed.partition("/")
    assert {key for key in before | after if before.get(key) != after.get(key)} == {f"{kind}/{namespace}/{name}"}
    await cluster.until_ready(namespace)


# --- when it does not go as planned ---------------------------------------------------------------------------------------


async def test_a_fix_that_does_not_help_is_undone(opsmend: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("hopeless")
    await cluster.patch_container("hopeless", {"image": "registry.example/app:2.0"})
    await cluster.until_ready("hopeless")
    crashes = {"effect": "exits", "code": 1, "log": ["panic: the licence has expired"]}
    here = {"namespace": "^hopeless$"}
    await cluster.add_rule({"name": "3.0 crashes", "when": {**here, "image": ":3.0"}, "then": crashes})
    await cluster.patch_container("hopeless", {"image": "registry.example/app:3.0"})
    await cluster.until_failing("hopeless")
    before = await cluster.declared()

    incident = await opsmend.open("hopeless")
    await opsmend.asking(incident)
    await cluster.add_rule({"name": "by now 2.0 does too", "when": here, "then": crashes})
    (await cluster.http.delete("/api/v1/namespaces/hopeless/pods")).raise_for_status()
    asking = await opsmend.approve(incident)
    assert [step["type"] for step in asking["plan"]["actions"]] == ["rollback_workload"]
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "rolled_back", closed["closing"]
    assert [step["status"] for step in closed["undo"]] == ["applied"]
    assert await cluster.mutations("hopeless") == [("patch", "deployments/web")] * 2
    assert without_our_marks(await cluster.declared()) == without_our_marks(before)


@pytest.mark.safety
async def test_an_edit_made_while_people_think_is_not_overwritten(opsmend: Opsmend, cluster: Cluster) -> None:
    await release_a_missing_image(cluster, "edited")
    incident = await opsmend.open("edited")
    asking = await opsmend.asking(incident)
    await cluster.patch_container("edited", {"env": [{"name": "COLOUR", "value": "blue"}]})
    edited = await cluster.declared()
    answer = await opsmend.decide(incident, plan_hash=asking["plan"]["hash"], decision="approve")
    assert answer.status_code == 200
    again = await opsmend.asking(incident, other_than=asking["plan"]["hash"])
    assert "plan.stale" in [entry["event"] for entry in again["timeline"]]
    assert await cluster.mutations("edited") == []
    assert await cluster.declared() == edited
    assert again["plan"]["attempt"] == 2
    late = await opsmend.decide(incident, plan_hash=asking["plan"]["hash"], decision="approve")
    assert late.status_code == 409
    await opsmend.alert("edited", status="resolved")
    assert (await opsmend.closed(incident))["outcome"] == "self_resolved"


@pytest.mark.safety
async def test_an_edit_made_between_rehearsal_and_change_is_not_overwritten(opsmend: Opsmend, cluster: Cluster) -> None:
    await release_a_missing_image(cluster, "raced")
    incident = await opsmend.open("raced")
    asking = await opsmend.asking(incident)
    the_change = r"/raced/deployments/web\?(?!.*dryRun)"
    await cluster.create("/opsmend-demo/faults", {"answer": 503, "method": "PATCH", "path": the_change})
    answer = await opsmend.decide(incident, plan_hash=asking["plan"]["hash"], decision="approve")
    assert answer.status_code == 200

    async def tried() -> bool | None:
        return True if any(fault["hits"] for fault in await cluster.get("/opsmend-demo/faults")) else None

    await eventually(tried, "the change refused once")
    await cluster.patch_container("raced", {"env": [{"name": "COLOUR", "value": "blue"}]})
    edited = await cluster.declared()
    (await cluster.http.delete("/opsmend-demo/faults")).raise_for_status()

    await opsmend.asking(incident, other_than=asking["plan"]["hash"])
    assert await cluster.mutations("raced") == []
    assert await cluster.declared() == edited
    await opsmend.approve(incident)
    assert (await opsmend.closed(incident))["outcome"] == "remediated"
    assert await cluster.mutations("raced") == [("patch", "deployments/web")]


@pytest.mark.parametrize("namespace", ["kube-system"])
@pytest.mark.safety
async def test_a_protected_namespace_is_never_touched(opsmend: Opsmend, cluster: Cluster, namespace: str) -> None:
    await release_a_missing_image(cluster, namespace)
    before = await cluster.declared()
    incident = await opsmend.open(namespace)
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "escalated"
    assert closed["diagnosis"]["category"] == "bad_image"
    assert closed["verdict"]["policy"]["policies"] == ["never-touch-protected-namespaces"]
    assert await cluster.writes(namespace) == []
    assert await cluster.declared() == before


def without_our_marks(declared: dict[str, Any]) -> dict[str, Any]:
    """Without the annotations that say which plan step an object was changed by."""
    return {
        key: thing | {"annotations": {k: v for k, v in thing["annotations"].items() if not k.startswith("opsmend")}}
        for key, thing in declared.items()
    }
