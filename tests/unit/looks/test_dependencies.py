"""A dependency is looked into only when it is suspected, two deep at most, never in a circle; its cause becomes ours."""

from typing import Any

import pytest
from tests.builders import (
    a_container,
    a_dependency,
    a_neighbour,
    a_pod,
    a_ref,
    a_service,
    a_snapshot,
    a_target,
    a_template,
    a_waiting_container,
    a_window,
    a_workload,
    an_event,
    some_revisions,
)
from tests.unit.looks.clusters import GivenCluster

from opsmend.agents.architect.remedies import propose
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.diagnose import diagnose
from opsmend.agents.sre.looks.dependencies import MOST_READ, look_at_dependencies
from opsmend.domain.diagnosis import Diagnosis, Remedy
from opsmend.domain.shared_cause import CauseKind, SharedCause
from opsmend.domain.snapshot import Dependency, Snapshot
from opsmend.errors import ClusterForbiddenError


def complaining(*names: str, dependencies: tuple[Dependency, ...] | None = None, **changes: Any) -> Snapshot:
    """Web, not ready, which complains about the Services of these names."""
    log = "\n".join(f"{name}: connection refused" for name in names)
    called = dependencies if dependencies is not None else tuple(a_dependency(name) for name in names)
    pods = (a_pod(containers=[a_container(ready=False, log=log)]),)
    return a_snapshot(**({"pods": pods, "dependencies": called, "services": (), "api_calls": 10} | changes))


def a_service_of(name: str, *, well: bool = False, dependencies: tuple[Dependency, ...] = (), **changes: Any) -> Snapshot:
    """The neighbourhood of a Service; its newest revision has an image that cannot be pulled, unless it is well."""
    old, new = a_template("shop/x:1", name=name), a_template("shop/x:2", name=name)
    stuck = a_waiting_container("ImagePullBackOff", "not found", image="shop/x:2", name=name)
    workload = a_workload(
        ref=a_ref(name=name), template=new, labels={"app": name}, selector={"app": name},
        **({} if well else {"ready_replicas": 0, "available_replicas": 0}),
    )  # fmt: skip
    pod = a_pod(f"{name}-1", labels={"app": name}, containers=[a_container(name=name) if well else stuck])
    defaults = {
        "target": a_target("Service", name), "workload": workload, "revisions": some_revisions(old, new),
        "pods": (pod, pod.model_copy(update={"name": f"{name}-2"})), "dependencies": dependencies, "api_calls": 12,
        "services": (a_service(name, selector={"app": name}, ready_endpoints=2 if well else 0),),
    }  # fmt: skip
    return a_snapshot(**(defaults | changes))


def diagnosed(snapshot: Snapshot) -> Diagnosis:
    return diagnose(snapshot, find_causes(snapshot))


async def test_what_broke_the_dependency_is_what_broke_us_and_the_fix_is_there() -> None:
    cluster = GivenCluster(a_service_of("orders"))
    seen = await look_at_dependencies(cluster, complaining("orders"))
    found = diagnosed(seen)
    assert (found.category, found.resource) == ("bad_image", a_ref(name="orders"))
    assert found.summary.startswith("Deployment shop/web fails because Deployment shop/orders does: Image shop/x:2")
    assert {"log pod/web-6d4cf-aaaaa container web", "pod/orders-1 container orders"} <= {e.source for e in found.evidence}
    assert found.beside == (a_ref("Service", "orders"),)
    assert found.shared == SharedCause.of(CauseKind.DEPENDENCY, a_ref("Service", "orders"))
    best, *others = propose(found, seen)
    assert [(action.type, action.target) for action in best.actions] == [("rollback_workload", a_ref(name="orders"))]
    assert any("web is not what is wrong" in (other.rejected_because or "") for other in others)


async def test_the_calls_of_the_look_are_counted() -> None:
    seen = await look_at_dependencies(GivenCluster(a_service_of("orders")), complaining("orders"))
    assert seen.api_calls == 22


async def test_a_dependency_of_a_dependency_is_told_as_a_chain() -> None:
    stuck = a_pod("orders-1", containers=[a_container(name="orders", ready=False, log="db: i/o timeout")])
    orders = a_service_of("orders", dependencies=(a_dependency("db"),), pods=(stuck,), revisions=())
    seen = await look_at_dependencies(GivenCluster(orders, a_service_of("db")), complaining("orders"))
    found = diagnosed(seen)
    assert found.resource == a_ref(name="db")
    chain = "Deployment shop/web fails because Deployment shop/orders fails because Deployment shop/db does: Image"
    assert found.summary.startswith(chain)
    assert found.beside == (a_ref("Service", "orders"), a_ref("Service", "db"))
    assert propose(found, seen)[0].actions[0].target == a_ref(name="db")


async def test_one_that_is_well_itself_but_passes_errors_on_is_followed_to_their_origin() -> None:
    """Orders answers its probes, and every request with 502 since db is down."""
    failing = a_container(name="orders", log="dependency failed: GET http://db:8080/: [Errno 111] Connection refused")
    pods = tuple(a_pod(f"orders-{suffix}", containers=[failing]) for suffix in "ab")
    orders = a_service_of("orders", well=True, dependencies=(a_dependency("db"),), pods=pods)
    log = "ERROR dependency failed: GET http://orders:8080/: 502 Bad Gateway"
    front = tuple(a_pod(f"web-{suffix}", containers=[a_container(log=log)]) for suffix in "ab")
    seen = await look_at_dependencies(
        GivenCluster(orders, a_service_of("db")), a_snapshot(pods=front, dependencies=(a_dependency("orders"),))
    )
    found = diagnosed(seen)
    assert (found.category, found.resource) == ("bad_image", a_ref(name="db"))
    assert found.beside == (a_ref("Service", "orders"), a_ref("Service", "db"))
    assert not any("answers" in ruled_out.why for ruled_out in found.ruled_out)


async def test_no_deeper_than_two_and_never_in_a_circle() -> None:
    def calls(name: str, other: str) -> Snapshot:
        stuck = a_pod(f"{name}-1", containers=[a_container(name=name, ready=False, log=f"{other}: refused")])
        return a_service_of(name, dependencies=(a_dependency(other),), pods=(stuck,), revisions=())

    web = a_service_of("web", workload=a_workload())
    deep = GivenCluster(calls("a", "b"), calls("b", "c"), calls("c", "d"))
    await look_at_dependencies(deep, complaining("a"))
    assert deep.asked == ["Service shop/a", "Service shop/b"]
    circle = GivenCluster(calls("a", "web"), web)
    seen = await look_at_dependencies(circle, complaining("a"))
    assert circle.asked == ["Service shop/a", "Service shop/web"]
    assert diagnosed(seen).resource == a_ref(name="a")


async def test_one_that_answers_is_ruled_out_by_name() -> None:
    found = diagnosed(await look_at_dependencies(GivenCluster(a_service_of("orders", well=True)), complaining("orders")))
    assert found.category != "dependency_down"
    assert "orders answers: 2 ready endpoints" in [ruled_out.why for ruled_out in found.ruled_out]


async def test_one_that_no_rule_explains_is_left_to_its_owner() -> None:
    empty = a_service_of("orders", pods=(), revisions=())
    seen = await look_at_dependencies(GivenCluster(empty), complaining("orders"))
    found = diagnosed(seen)
    assert (found.category, found.resource) == ("dependency_down", a_ref(name="orders"))
    assert all(candidate.rejected_because for candidate in propose(found, seen))


SILENT_DOWN = a_dependency("orders", service=a_service("orders", ready_endpoints=0))


async def test_a_silent_target_makes_a_dead_dependency_a_possibility_only() -> None:
    cluster = GivenCluster(a_service_of("orders"))
    seen = await look_at_dependencies(cluster, complaining(dependencies=(SILENT_DOWN,)))
    assert cluster.asked == ["Service shop/orders"]
    found = next(f for f in find_causes(seen) if f.resource == a_ref(name="orders"))
    assert found.confidence < 0.5
    assert found.shared is not None
    assert diagnosed(seen).shared is None, "nothing to wait for another incident for"


QUOTA = an_event("FailedCreate", 'pods "x" is forbidden: exceeded quota: team', about="ReplicaSet web-6d4cf")


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(complaining(dependencies=(a_dependency(),)), id="not-named-and-it-serves"),
        pytest.param(a_snapshot(dependencies=(SILENT_DOWN,)), id="the-target-is-well"),
        pytest.param(complaining("orders", dependencies=()), id="a-host-that-it-does-not-call"),
        pytest.param(
            complaining("orders", dependencies=(a_dependency(exists=False, service=None),)), id="a-service-that-is-not-there"
        ),
        pytest.param(
            complaining("orders", workload=a_workload(replicas=1), events=(QUOTA,)), id="something-deeper-explains-it"
        ),
    ],
)
async def test_nothing_is_read_without_suspicion(snapshot: Snapshot) -> None:
    cluster = GivenCluster(a_service_of("orders"))
    assert await look_at_dependencies(cluster, snapshot) == snapshot
    assert cluster.asked == []


async def test_a_target_that_blames_everybody_is_not_followed_everywhere() -> None:
    names = [f"s{number}" for number in range(8)]
    cluster = GivenCluster(*(a_service_of(name) for name in names))
    await look_at_dependencies(cluster, complaining(*names))
    assert len(cluster.asked) == MOST_READ


async def test_a_namespace_that_may_not_be_read_is_told_as_unseen() -> None:
    cluster = GivenCluster(failing=ClusterForbiddenError("services is forbidden"))
    seen = await look_at_dependencies(cluster, complaining("orders"))
    assert seen.unseen == ("Service shop/orders: services is forbidden",)


@pytest.mark.parametrize(
    ("host", "resource"),
    [
        pytest.param("billing.finance.svc", a_ref("Service", "billing", "finance"), id="in-full-it-can-be-no-other"),
        pytest.param("billing.finance", None, id="in-short-it-may-be-outside-of-the-cluster"),
    ],
)
async def test_a_service_of_another_namespace_that_is_not_there(host: str, resource: Any) -> None:
    elsewhere = a_dependency("billing", namespace="finance", hosts=(host,), service=None, exists=None)
    pods = (a_pod(containers=[a_container(ready=False, log=f"dial {host}: no such host")]),)
    seen = await look_at_dependencies(GivenCluster(), a_snapshot(pods=pods, dependencies=(elsewhere,)))
    blamed = [f.resource for f in find_causes(seen) if f.category == "dependency_down"]
    assert blamed == ([resource] if resource else [])


async def test_a_neighbour_that_took_the_quota_of_the_dependency_is_found() -> None:
    refused = an_event("FailedCreate", "exceeded quota: team", about="ReplicaSet web-6d4cf")
    short = a_workload(ref=a_ref(name="orders"), replicas=0, ready_replicas=0, available_replicas=0)
    cluster = GivenCluster(a_service_of("orders", workload=short, pods=(), events=(refused,)), neighbours=(a_neighbour(),))
    seen = await look_at_dependencies(cluster, complaining("orders"))
    assert cluster.asked == ["Service shop/orders", "neighbours in shop"]
    assert diagnosed(seen).category == "quota_exceeded"


async def test_maintenance_of_the_dependency_is_ours() -> None:
    orders = a_service_of("orders", maintenance=(a_window(on=a_ref(name="orders")),))
    found = diagnosed(await look_at_dependencies(GivenCluster(orders), complaining("orders")))
    assert (found.category, found.until) == ("maintenance", a_window().until)
    assert [hint.remedy for hint in found.hints] == [Remedy.NONE]
