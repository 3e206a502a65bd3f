"""What an investigation and a look cost: nothing is asked twice, nothing beside the target, nothing without end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.kubernetes.api_objects import (
    APPS,
    CORE,
    CRASHING,
    a_deployment,
    a_pod,
    a_replica_set,
    a_template,
    an_object,
)
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.health import assess
from opsmend.domain.record import digest
from opsmend.domain.snapshot import Revision
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.domain.verification import Health
from opsmend.errors import ClusterExpiredError, ClusterUnavailableError

WEB = Target(cluster="test", kind=Kind.DEPLOYMENT, namespace="shop", name="web")
EVENTS = f"{CORE}/events"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
WELL = {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 3}


@pytest.fixture
def api() -> ScriptedApi:
    """Deployment web with two pods, one of which crashes, in a namespace of forty other Services."""
    scripted = ScriptedApi()
    template = a_template()
    scripted.holds(f"{APPS}/deployments", a_deployment())
    scripted.holds(f"{APPS}/replicasets", a_replica_set(2, template))
    scripted.holds(f"{CORE}/pods", a_pod("web-h2-a", **CRASHING), a_pod("web-h2-b"))
    scripted.on(f"{CORE}/pods/web-h2-a/log", Answer("it crashed"))
    ports = [{"port": 80}]
    others = [an_object(f"other-{n}", spec={"selector": {"name": f"other-{n}"}, "ports": ports}) for n in range(40)]
    scripted.holds(f"{CORE}/services", an_object("web", spec={"selector": {"app": "web"}, "ports": ports}), *others)
    scripted.holds("/api/v1/nodes", {"metadata": {"name": "node-1"}, "spec": {}, "status": {}})
    scripted.holds(f"{CORE}/configmaps", an_object("flags", data={}), an_object("web-conf", data={"nginx.conf": "listen 80;"}))
    return scripted


@pytest_asyncio.fixture
async def connection(api: ScriptedApi) -> AsyncIterator[Connection]:
    async with connected(api) as connection:
        yield connection


@pytest.fixture
def reader(connection: Connection) -> KubernetesReader:
    return KubernetesReader(connection)


def asked(api: ScriptedApi, part: str) -> list[str]:
    return [target for _, target, _ in api.requests if part in target]


def is_well(api: ScriptedApi) -> None:
    api.on(f"{APPS}/deployments/web", Answer(a_deployment() | {"status": WELL}))
    api.holds(f"{CORE}/pods", a_pod("web-h2-a"), a_pod("web-h2-b"))


async def test_an_ordinary_investigation_takes_thirteen_calls(api: ScriptedApi, reader: KubernetesReader) -> None:
    seen = await reader.snapshot(WEB)
    assert seen.api_calls == len(api.requests) == 13


@pytest.mark.parametrize(
    "target",
    [
        WEB,
        WEB.model_copy(update={"kind": Kind.POD, "name": "web-h2-a"}),
        WEB.model_copy(update={"kind": Kind.SERVICE}),
        WEB.model_copy(update={"kind": Kind.REPLICA_SET, "name": "web-h2"}),
    ],
    ids=lambda target: str(target.kind),
)
async def test_nothing_is_asked_twice_for_one_snapshot(api: ScriptedApi, reader: KubernetesReader, target: Target) -> None:
    await reader.snapshot(target)
    repeated = [target for target, times in Counter(target for _, target, _ in api.requests).items() if times > 1]
    assert repeated == []
    assert len(api.requests) <= 18


async def test_nothing_is_listed_across_namespaces(api: ScriptedApi, reader: KubernetesReader) -> None:
    await reader.snapshot(WEB)
    outside = [target for _, target, _ in api.requests if "/namespaces/shop/" not in target]
    assert sorted(outside) == ["/api/v1/namespaces/shop", "/api/v1/nodes/node-1"]


async def test_endpoints_are_asked_for_the_services_that_concern_us(api: ScriptedApi, reader: KubernetesReader) -> None:
    await reader.snapshot(WEB)
    (target,) = asked(api, "endpointslices")
    assert "service-name+in+(web)" in target or "service-name%20in%20(web)" in target, target


async def test_endpoints_of_a_great_many_services_are_listed(api: ScriptedApi, reader: KubernetesReader) -> None:
    selector = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    api.holds(f"{CORE}/services", *(an_object(f"web-{n}", spec=selector) for n in range(60)))
    await reader.snapshot(WEB)
    (target,) = asked(api, "endpointslices")
    assert "service-name" not in target


@pytest.mark.parametrize("status", [403, 404, 501])
async def test_services_whose_endpoints_cannot_be_read_are_not_called_empty(
    api: ScriptedApi, reader: KubernetesReader, status: int
) -> None:
    is_well(api)
    api.on(SLICES, Answer(status=status))
    seen = (await reader.look(WEB, closely=True)).snapshot
    assert [service.endpoints_seen for service in seen.services] == [False]
    assert assess(seen).health is Health.HEALTHY
    api.holds(f"{CORE}/services", an_object("web", spec={"selector": {"app": "wep"}, "ports": [{"port": 80}]}))
    seen = (await reader.look(WEB, closely=True)).snapshot
    assert assess(seen).health is Health.INCONCLUSIVE


# --- events ---------------------------------------------------------------------------------------------------------------


def an_event(about: str, reason: str, name: str = "", **fields: Any) -> dict[str, Any]:
    kind, of = about.split()
    return {
        "metadata": {"name": name or f"{of}.{reason}"},
        "involvedObject": {"kind": kind, "name": of},
        "reason": reason,
        "message": reason,
    } | fields


async def test_events_come_in_one_call_and_those_about_others_are_dropped(api: ScriptedApi, reader: KubernetesReader) -> None:
    found = [
        an_event("Pod web-h2-a", "BackOff"),
        an_event("ReplicaSet web-h2", "FailedCreate"),
        an_event("Deployment web", "ScalingReplicaSet", type="Normal"),
        an_event("Pod other", "Failed"),
    ]
    api.on(EVENTS, Answer({"items": found, "metadata": {}}))
    seen = await reader.snapshot(WEB)
    assert {(event.about, event.reason) for event in seen.events} == {
        ("Pod web-h2-a", "BackOff"),
        ("ReplicaSet web-h2", "FailedCreate"),
        ("Deployment web", "ScalingReplicaSet"),
    }
    assert len(asked(api, "/events")) == 1


async def test_more_events_than_a_page_are_not_paged_through(api: ScriptedApi, reader: KubernetesReader) -> None:
    noise = [an_event("Pod other", "Failed", name=f"noise-{n}") for n in range(200)]

    def answer(query: dict[str, str]) -> Answer:
        if "reason!=Pulled" in query["fieldSelector"]:
            return Answer({"items": noise, "metadata": {"continue": "more"}})
        of = query["fieldSelector"].split("involvedObject.name=")[1]
        kind = query["fieldSelector"].split("involvedObject.kind=")[1].split(",")[0]
        return Answer({"items": [an_event(f"{kind} {of}", "Seen")], "metadata": {}})

    api.answering[EVENTS] = answer
    seen = await reader.snapshot(WEB)
    assert {event.about for event in seen.events} == {"Deployment web", "ReplicaSet web-h2", "Pod web-h2-a"}
    assert len(asked(api, "/events")) == 4


async def test_that_a_probe_kills_is_asked_of_the_pod_that_fails_it(api: ScriptedApi, reader: KubernetesReader) -> None:
    unhealthy = an_event("Pod web-h2-a", "Unhealthy", message="Liveness probe failed: connection refused")

    def answer(query: dict[str, str]) -> Answer:
        if "reason!=Killing" in query["fieldSelector"]:
            return Answer({"items": [unhealthy], "metadata": {}})
        of_the_pod = "involvedObject.name=web-h2-a" in query["fieldSelector"]
        both = [unhealthy, an_event("Pod web-h2-a", "Killing")]
        return Answer({"items": both if of_the_pod else [], "metadata": {}})

    api.answering[EVENTS] = answer
    seen = await reader.snapshot(WEB)
    assert sorted(event.reason for event in seen.events) == ["Killing", "Unhealthy"]


# --- logs and nodes -------------------------------------------------------------------------------------------------------


async def test_siblings_that_fail_alike_are_asked_once_for_their_log(api: ScriptedApi, reader: KubernetesReader) -> None:
    again = CRASHING | {"state": {"running": {}}, "restartCount": 5}
    api.holds(f"{CORE}/pods", *(a_pod(f"web-h2-{x}", **(CRASHING if x == "a" else again)) for x in "abcdef"))
    for x in "abcdef":
        api.on(f"{CORE}/pods/web-h2-{x}/log", Answer("it crashed"))
    await reader.snapshot(WEB)
    assert len({target.split("?")[0] for target in asked(api, "/log")}) == 1


async def test_pods_that_fail_in_other_ways_are_asked_too(api: ScriptedApi, reader: KubernetesReader) -> None:
    killed = CRASHING | {"lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    api.holds(f"{CORE}/pods", a_pod("web-h2-a", **CRASHING), a_pod("web-h2-b", **killed))
    for x in "ab":
        api.on(f"{CORE}/pods/web-h2-{x}/log", Answer("it crashed"))
    await reader.snapshot(WEB)
    assert len(asked(api, "/log")) == 2


async def test_a_sibling_is_asked_where_the_first_has_no_log(api: ScriptedApi, reader: KubernetesReader) -> None:
    api.holds(f"{CORE}/pods", *(a_pod(f"web-h2-{x}", **CRASHING) for x in "abc"))
    api.on(f"{CORE}/pods/web-h2-c/log", Answer({"message": "no route to its node"}, 500))
    api.on(f"{CORE}/pods/web-h2-b/log", Answer("it crashed"))
    seen = await reader.snapshot(WEB)
    assert any("it crashed" in container.previous_log for pod in seen.pods for container in pod.containers)


async def test_only_nodes_of_sick_pods_are_read(api: ScriptedApi, reader: KubernetesReader) -> None:
    api.holds(f"{CORE}/pods", a_pod("web-h2-a", node="node-2", **CRASHING), *(a_pod(f"web-h2-{n}") for n in range(9)))
    api.on("/api/v1/nodes/node-2", Answer({"metadata": {"name": "node-2"}, "spec": {}, "status": {}}))
    seen = await reader.snapshot(WEB)
    assert [node.name for node in seen.nodes] == ["node-2"]
    is_well(api)
    assert [node.name for node in (await reader.snapshot(WEB)).nodes] == ["node-1"]


# --- pages ----------------------------------------------------------------------------------------------------------------


class Paged:
    """A list of `size` pods, 200 a page; `expired` are the numbers of requests whose token is too old."""

    def __init__(self, size: int, expired: tuple[int, ...] = ()) -> None:
        self.pods = [an_object(f"p{n:04}") for n in range(size)]
        self.expired = expired
        self.requests = 0

    def __call__(self, query: dict[str, str]) -> Answer:
        self.requests += 1
        if self.requests in self.expired:
            return Answer({"reason": "Expired", "message": "the provided continue parameter is too old"}, 410)
        start, size = int(query.get("continue", 0)), int(query["limit"])
        end = start + size
        more = {"continue": str(end)} if end < len(self.pods) else {}
        return Answer({"items": self.pods[start:end], "metadata": more})


@pytest.mark.parametrize(
    ("paged", "found", "requests", "unseen"),
    [
        pytest.param(Paged(450), 450, 3, [], id="three pages"),
        pytest.param(Paged(200), 200, 1, [], id="exactly one page"),
        pytest.param(Paged(1000), 1000, 5, [], id="exactly the bound"),
        pytest.param(Paged(5000), 1000, 5, ["pods: only the first 1000 were looked at"], id="beyond the bound"),
        pytest.param(Paged(450, (2,)), 450, 5, [], id="a token expired: begun anew"),
        pytest.param(
            Paged(450, (2, 4)), 200, 4, ["pods: only the first 200 were looked at: the rest expired meanwhile"], id="twice"
        ),
    ],
)
async def test_lists_come_in_pages(
    api: ScriptedApi, connection: Connection, paged: Paged, found: int, requests: int, unseen: list[str]
) -> None:
    api.answering[f"{CORE}/pods"] = paged
    reading = Reading(connection)
    items = await reading.list(Kind.POD, "shop")
    assert [item["metadata"]["name"] for item in items] == [pod["metadata"]["name"] for pod in paged.pods[:found]]
    assert (paged.requests, reading.calls, reading.unseen) == (requests, requests, unseen)


async def test_a_first_page_that_is_expired_is_an_error(api: ScriptedApi, connection: Connection) -> None:
    api.answering[f"{CORE}/pods"] = Paged(10, (1,))
    with pytest.raises(ClusterExpiredError):
        await Reading(connection).list(Kind.POD, "shop")


async def test_reads_beside_one_that_fails_are_waited_for_so_that_they_are_counted(connection: Connection) -> None:
    through = asyncio.Event()

    async def fails() -> None:
        raise ClusterUnavailableError("no answer")

    async def takes_longer() -> None:
        await asyncio.sleep(0.05)
        through.set()

    with pytest.raises(ClusterUnavailableError):
        await Reading(connection).all(fails(), takes_longer())
    assert through.is_set()


# --- looks ----------------------------------------------------------------------------------------------------------------


async def test_a_look_costs_one_call_while_the_workload_says_that_it_is_well(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    is_well(api)
    seen = (await reader.look(WEB, closely=False)).snapshot
    assert (seen.glanced, seen.api_calls, len(api.requests)) == (True, 1, 1)
    assert assess(seen).health is Health.HEALTHY


@pytest.mark.parametrize(
    "status",
    [
        WELL | {"observedGeneration": 2},
        WELL | {"updatedReplicas": 1},
        WELL | {"availableReplicas": 1},
        WELL | {"readyReplicas": 1},
        WELL | {"replicas": 3},
        WELL | {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]},
        {},
    ],
    ids=["not observed", "not updated", "not available", "not ready", "old ones left", "stuck", "nothing said"],
)
async def test_a_workload_that_does_not_say_so_has_its_pods_looked_at(
    api: ScriptedApi, reader: KubernetesReader, status: dict[str, Any]
) -> None:
    api.on(f"{APPS}/deployments/web", Answer(a_deployment() | {"status": status}))
    seen = (await reader.look(WEB, closely=False)).snapshot
    assert (seen.glanced, seen.api_calls) == (False, 3)
    assert seen.pods
    assert assess(seen).health is not Health.HEALTHY


async def test_a_service_is_looked_at_with_its_endpoints_whatever_its_workload_says(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    seen = (await reader.look(WEB.model_copy(update={"kind": Kind.SERVICE}), closely=False)).snapshot
    assert [service.ref.name for service in seen.services] == ["web"]
    assert len(asked(api, "endpointslices")) == 1


async def test_a_close_look_sees_a_crash_that_the_status_does_not_tell(api: ScriptedApi, reader: KubernetesReader) -> None:
    is_well(api)
    api.holds(f"{CORE}/pods", a_pod("web-h2-a"), a_pod("web-h2-b", **CRASHING))
    assert assess((await reader.look(WEB, closely=False)).snapshot).health is Health.HEALTHY
    seen = (await reader.look(WEB, closely=True)).snapshot
    assert (seen.glanced, seen.api_calls) == (False, 4)
    assert assess(seen).health is Health.UNHEALTHY


async def test_a_close_look_at_what_is_well_counts_no_pods_of_others_that_the_selector_matches(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    """It asks for no ReplicaSets then: the pods tell themselves whose they are."""
    is_well(api)
    other = a_pod("website-h7-a", owner="website-h7", **CRASHING)
    api.holds(f"{CORE}/pods", a_pod("web-h2-a"), a_pod("web-h2-b"), other)
    seen = (await reader.look(WEB, closely=True)).snapshot
    assert [pod.name for pod in seen.pods] == ["web-h2-a", "web-h2-b"]
    assert assess(seen).health is Health.HEALTHY
    assert asked(api, "replicasets") == []


async def test_a_close_look_sees_that_the_node_is_lost_on_which_pods_are_not_ready(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    """The controller that misses the node marks its pods; their containers go on as they were last heard of."""
    is_well(api)
    lost = [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]
    api.holds("/api/v1/nodes", {"metadata": {"name": "node-1"}, "spec": {}, "status": {"conditions": lost}})
    marked = [a_pod(f"web-h2-{name}") for name in "ab"]
    for pod in marked:
        pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    api.holds(f"{CORE}/pods", *marked)
    judged = assess((await reader.look(WEB, closely=True)).snapshot)
    assert judged.health is Health.INCONCLUSIVE
    assert any("node node-1, which is lost" in reason for reason in judged.reasons)
    assert len(asked(api, "/api/v1/nodes/node-1")) == 1


async def test_a_close_look_asks_no_node_about_pods_that_say_themselves_what_is_wrong(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    await reader.look(WEB, closely=True)
    assert asked(api, "/api/v1/nodes") == []


async def test_a_look_at_a_node_costs_one_call(api: ScriptedApi, reader: KubernetesReader) -> None:
    node = Target(cluster="test", kind=Kind.NODE, name="node-1")
    assert (await reader.look(node, closely=True)).snapshot.api_calls == len(api.requests) == 1


# --- objects of actions ---------------------------------------------------------------------------------------------------


async def test_revisions_are_read_for_actions_that_need_them_and_never_twice(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    restart = RestartWorkload(target=WEB.ref, restarted_at="2026-11-22T03:00:00Z")
    back = RollbackWorkload(target=WEB.ref, revision=2, template_digest=digest(a_template()))
    live = await reader.read(restart)
    assert (live.revisions, len(api.requests)) == ((), 1)
    live = await reader.read(back, known=live)
    assert ([r.number for r in live.revisions], len(api.requests)) == ([2], 2)
    assert await reader.read(back, known=live) == live
    assert len(api.requests) == 2


def seen_before(*templates: dict[str, Any], true: dict[str, Any] | None = None) -> tuple[Revision, ...]:
    """Revisions as a snapshot has them; `true` is the template of the newest before it was redacted."""
    digests = [*map(digest, templates[:-1]), digest(true or templates[-1])]
    return tuple(
        Revision(number=n, name=f"web-h{n}", template=template, template_digest=of)
        for n, (template, of) in enumerate(zip(templates, digests, strict=True), start=1)
    )


OLD = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "shop/web:1"}]}}
PRESENT = a_template()
BACK = RollbackWorkload(target=WEB.ref, revision=1, template_digest=digest(OLD))


async def test_revisions_that_were_seen_whole_are_not_read_again(api: ScriptedApi, reader: KubernetesReader) -> None:
    live = await reader.read(BACK, revisions=seen_before(OLD, PRESENT))
    assert len(api.requests) == 1
    assert BACK.project(live)["spec"]["template"] == OLD


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(seen_before(PRESENT), id="the one to go back to is not among them"),
        pytest.param(seen_before(OLD, a_template("shop/web:9")), id="another is in place now"),
        pytest.param(seen_before(OLD, a_template("masked"), true=PRESENT), id="a part of the present one is redacted"),
        pytest.param(
            (seen_before(PRESENT)[0], seen_before(PRESENT)[0].model_copy(update={"template_digest": digest(OLD)})),
            id="one that says it is what it is not",
        ),
    ],
)
async def test_revisions_that_do_not_prove_themselves_are_read_again(
    api: ScriptedApi, reader: KubernetesReader, seen: tuple[Revision, ...]
) -> None:
    api.holds(f"{APPS}/replicasets", a_replica_set(1, OLD), a_replica_set(2, PRESENT))
    live = await reader.read(BACK, revisions=seen)
    assert len(api.requests) == 2
    assert BACK.project(live)["spec"]["template"] == OLD


async def test_no_more_is_asked_at_once_than_was_agreed(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    in_flight: list[int] = [0]

    async def get(path: str, query: dict[str, str]) -> dict[str, Any]:
        in_flight.append(in_flight[-1] + 1)
        await asyncio.sleep(0)
        in_flight.append(in_flight[-1] - 1)
        return {}

    monkeypatch.setattr(connection, "get", get)
    reading = Reading(connection)
    refs = [ObjectRef(kind=Kind.CONFIG_MAP, namespace="shop", name=f"c{n}") for n in range(30)]
    await asyncio.gather(*(reading.object(ref) for ref in refs))
    assert max(in_flight) == connection.concurrency
    assert reading.calls == 30
