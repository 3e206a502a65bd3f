"""The ledger of an incident is what the API server itself saw: no call more, none less, each agent's by its User-Agent."""

from collections import Counter
from typing import Any

import pytest
from tests.integration.outside.cluster import Cluster
from tests.integration.outside.opsmend import Opsmend

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

Calls = Counter[tuple[str, str, str, str, bool]]
"""Verb, resource with its subresource, namespace, name, dry run."""


async def seen_by_the_cluster(cluster: Cluster, incident: str) -> dict[str, Calls]:
    """What each agent asked for this incident, by the cluster's audit log alone."""
    seen: dict[str, Calls] = {}
    for entry in await cluster.get("/opsmend-demo/audit", reads="true"):
        product, _, rest = entry["user_agent"].partition(" (")
        agent, _, workflow = rest.removesuffix(")").partition("; ")
        if product.startswith("opsmend/") and workflow.startswith(f"{incident}:"):
            resource = "/".join(filter(None, (entry["resource"], entry["subresource"])))
            seen.setdefault(agent, Counter())[
                (entry["verb"], resource, entry["namespace"], entry["name"], entry["dry_run"])
            ] += 1
    return seen


def told_by_opsmend(incident: dict[str, Any]) -> dict[str, Calls]:
    return {
        agent: Counter(
            {(c["verb"], c["resource"], c["namespace"], c["name"], c["dry_run"]): c["times"] for c in ledger["counted"]}
        )
        for agent, ledger in incident["ledger"].items()
    }


async def test_the_ledger_of_a_whole_incident_is_what_the_cluster_saw(opsmend: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("ledger")
    await cluster.break_image("ledger")
    incident = await opsmend.open("ledger")
    await opsmend.approve(incident)
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    told = told_by_opsmend(closed)
    assert told == await seen_by_the_cluster(cluster, incident)
    assert set(told) == {"sre", "architect", "security", "deployment"}
    change = ("patch", "deployments.apps", "ledger", "web")
    assert [told["deployment"][(*change, rehearsed)] for rehearsed in (True, False)] == [1, 1]
    assert closed["usage"]["api_calls"] == sum(sum(calls.values()) for calls in told.values())
    assert f"sre {closed['ledger']['sre']['calls']} calls" in closed["postmortem"]
    assert f"sre {closed['ledger']['sre']['calls']} calls" in (await opsmend.run("incident", incident)).out


@pytest.mark.parametrize(
    ("namespace", "fault", "times"),
    [
        pytest.param("flaky", {"answer": 503, "method": "GET", "path": "flaky/deployments/web$", "requests": 3}, 3, id="reads"),
        pytest.param("lost", {"answer": "late_500", "method": "PATCH", "path": "lost/deployments/web"}, 2, id="answers-lost"),
        pytest.param("busy", {"answer": 429, "method": "PATCH", "path": "busy/deployments/web"}, 2, id="told-to-wait"),
        pytest.param("cut", {"answer": "disconnect", "method": "PATCH", "path": "cut/deployments/web"}, 2, id="connection-cut"),
    ],
)
async def test_tries_that_failed_are_in_it_too(
    opsmend: Opsmend, cluster: Cluster, namespace: str, fault: dict[str, Any], times: int
) -> None:
    await cluster.deploy(namespace)
    await cluster.break_image(namespace)
    await cluster.create("/opsmend-demo/faults", {"requests": times} | fault)
    incident = await opsmend.open(namespace)
    await opsmend.approve(incident)
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    (hit,) = [f for f in await cluster.get("/opsmend-demo/faults") if f["path"] == fault["path"]]
    assert hit["hits"] == times
    assert told_by_opsmend(closed) == await seen_by_the_cluster(cluster, incident)


async def test_an_incident_that_could_not_go_on_still_tells_what_it_asked(opsmend: Opsmend, cluster: Cluster) -> None:
    """Without its Deployment there is nothing to investigate, and nothing more is asked."""
    await cluster.deploy("gone")
    incident = await opsmend.open("gone", deployment="never-was")
    closed = await opsmend.closed(incident)
    assert told_by_opsmend(closed) == await seen_by_the_cluster(cluster, incident)
    assert closed["ledger"]["sre"]["calls"] == 1
