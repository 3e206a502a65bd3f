"""A snapshot holds the neighbourhood of the target, says what it could not see, and never a secret."""

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
    owned_by,
)
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.agents.sre.reading.failures import failing_log
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.record import digest
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.errors import ClusterForbiddenError, ClusterUnavailableError, TargetGoneError

WEB = Target(cluster="test", kind=Kind.DEPLOYMENT, namespace="shop", name="web")
OLD, NEW = a_template("shop/web:1"), a_template("shop/web:2")
LOG = "starting\npassword=hunter2hunter2\nnginx: [emerg] unknown directive"


@pytest.fixture
def api() -> ScriptedApi:
    """A Deployment whose second revision crashes in one of its two pods."""
    scripted = ScriptedApi()
    scripted.holds(f"{APPS}/deployments", a_deployment())
    scripted.holds(f"{APPS}/replicasets", a_replica_set(1, OLD), a_replica_set(2, NEW), a_replica_set(9, NEW, owner="other"))
    scripted.holds(f"{CORE}/pods", a_pod("web-h2-a", **CRASHING), a_pod("web-h2-b"), a_pod("other-h9-c", "other-h9"))
    scripted.on(f"{CORE}/pods/web-h2-a/log", Answer(LOG))
    flags = an_object("flags", data={"debug": "1"})
    config = an_object("web-conf", data={"nginx.conf": "listen 80;", "db_password": "hunter2hunter2"})
    config["metadata"]["managedFields"] = [{"manager": "kubectl", "time": "2026-11-22T09:00:00Z", "fieldsV1": {"f:data": {}}}]
    config["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": '{"data": {"nginx.conf": "listen 8080;"}}'
    }
    scripted.holds(f"{CORE}/configmaps", flags, config)
    scripted.holds(f"{CORE}/secrets", an_object("tokens", data={"api": "aHVudGVyMmh1bnRlcjI="}))
    scripted.holds(
        f"{CORE}/services",
        an_object("web", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]}),
        an_object("typo", spec={"selector": {"app": "web", "tear": "front"}, "ports": [{"port": 80, "targetPort": "http"}]}),
        an_object("other", spec={"selector": {"app": "other"}, "ports": [{"port": 80}]}),
    )
    ready = {"conditions": {"ready": True}}
    scripted.holds(
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
        an_object(
            "web-1",
            metadata={"labels": {"kubernetes.io/service-name": "web"}},
            endpoints=[
                {"addresses": ["10.0.0.1"], "targetRef": {"uid": "b"}, **ready},
                {"addresses": ["10.0.0.2"], "targetRef": {"uid": "a"}, "conditions": {"ready": False}},
            ],
        ),
        an_object(
            "web-2",
            metadata={"labels": {"kubernetes.io/service-name": "web"}},
            endpoints=[{"addresses": ["fd00::1"], "targetRef": {"uid": "b"}, **ready}],
        ),
        an_object(
            "other-1",
            metadata={"labels": {"kubernetes.io/service-name": "other"}},
            endpoints=[{"addresses": ["10.0.0.9"], **ready}],
        ),
    )
    scripted.holds("/api/v1/nodes", {"metadata": {"name": "node-1"}, "spec": {}, "status": {}})
    event = {"involvedObject": {"kind": "Pod", "name": "web-h2-a"}, "reason": "BackOff", "message": "token=abcdefgh12345678 x"}
    scripted.on(f"{CORE}/events", Answer({"items": [event | {"metadata": {"name": "e"}}], "metadata": {}}))
    return scripted


@pytest_asyncio.fixture
async def reader(api: ScriptedApi) -> AsyncIterator[KubernetesReader]:
    async with connected(api) as connection:
        yield KubernetesReader(connection)


async def test_the_workload_its_pods_and_revisions_are_seen(reader: KubernetesReader) -> None:
    seen = await reader.snapshot(WEB)
    assert seen.workload is not None
    assert (seen.workload.desired_replicas, seen.workload.ready_replicas) == (2, 1)
    assert seen.workload.template_digest == digest(NEW)
    assert (seen.workload.last_change_by, str(seen.workload.last_change_at)) == ("kubectl-edit", "2026-11-22 10:00:00+00:00")
    assert [pod.name for pod in seen.pods] == ["web-h2-a", "web-h2-b"]
    assert [(r.number, r.template_digest) for r in seen.revisions] == [(2, digest(NEW)), (1, digest(OLD))]
    (change,) = seen.revisions[0].changes
    assert (change.path, change.before, change.after) == ("/spec/containers/0/image", "shop/web:1", "shop/web:2")
    (unseen,) = seen.unseen
    assert unseen.startswith("Secrets: opsmend never asks for them")


async def test_log_of_a_container_that_the_node_has_removed_is_unseen_and_not_what_the_node_says(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    api.on(f"{CORE}/pods/web-h2-a/log", Answer("unable to retrieve container logs for containerd://87540ebcf466f84684cf"))
    snapshot = await reader.snapshot(WEB)
    assert "unable to retrieve" not in snapshot.model_dump_json()
    assert "previous log of pod web-h2-a container app: the node has removed that container meanwhile" in snapshot.unseen


@pytest.mark.parametrize("state", [{"running": {}}, {"waiting": {"reason": "CrashLoopBackOff"}}], ids=["running", "waiting"])
async def test_a_run_that_ended_while_the_status_still_told_of_the_one_before_is_not_missed(
    api: ScriptedApi, reader: KubernetesReader, state: dict[str, Any]
) -> None:
    """A loop of crashes: the node keeps the log of the run that ended last, and the status lags behind it."""
    api.holds(f"{CORE}/pods", a_pod("web-h2-a", **CRASHING | {"state": state}))

    def answer(query: dict[str, str]) -> Answer:
        return Answer("unable to retrieve container logs for containerd://87540ebcf466f84684cf" if "previous" in query else LOG)

    api.answering[f"{CORE}/pods/web-h2-a/log"] = answer
    ((container,),) = [pod.containers for pod in (await reader.snapshot(WEB)).pods]
    assert "unknown directive" in failing_log(container)


async def test_only_the_container_that_is_not_well_is_asked_for_its_log(api: ScriptedApi, reader: KubernetesReader) -> None:
    seen = await reader.snapshot(WEB)
    (crashing,), (well,) = seen.pods[0].containers, seen.pods[1].containers
    assert "unknown directive" in crashing.previous_log
    assert (well.log, well.previous_log) == ("", "")
    logs = [target for _, target, _ in api.requests if "/log" in target]
    assert len(logs) == 1
    assert "limitBytes=16384" in logs[0]


@pytest.mark.safety
async def test_secret_values_are_never_in_a_snapshot(reader: KubernetesReader) -> None:
    told = (await reader.snapshot(WEB)).model_dump_json()
    for value in ("hunter2", "aHVudGVyMmh1bnRlcjI", "abcdefgh12345678"):
        assert value not in told


@pytest.mark.safety
async def test_a_secret_is_never_asked_for(api: ScriptedApi, reader: KubernetesReader) -> None:
    await reader.snapshot(WEB)
    assert [target for _, target, _ in api.requests if "secrets" in target] == []


async def test_configuration_is_told_with_who_changed_it_and_what_was_declared(reader: KubernetesReader) -> None:
    config = {reference.ref.name: reference for reference in (await reader.snapshot(WEB)).config}
    web = config["web-conf"]
    assert (web.exists, web.needed_keys, web.used_by) == (True, ("nginx.conf",), "volume conf")
    assert (web.data["nginx.conf"], web.last_applied) == ("listen 80;", {"nginx.conf": "listen 8080;"})
    assert web.changed_by == "kubectl"
    assert (config["flags"].optional, config["flags"].exists) == (True, True)
    assert (config["tokens"].exists, config["tokens"].keys, config["tokens"].needed_keys) == (None, (), ("api",))


async def test_what_does_not_exist_is_told_apart_from_what_could_not_be_read(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    api.on(f"{CORE}/configmaps/web-conf", Answer(status=404))
    api.on(f"{CORE}/configmaps/flags", Answer({"message": "configmaps is forbidden"}, 403))
    seen = await reader.snapshot(WEB)
    config = {reference.ref.name: reference for reference in seen.config}
    assert config["web-conf"].exists is False
    assert config["flags"].exists is None
    assert any("ConfigMap shop/flags" in reason and "403" in reason for reason in seen.unseen)


async def test_services_that_are_or_should_be_ours_are_seen_with_pods_counted_once(reader: KubernetesReader) -> None:
    services = {service.ref.name: service for service in (await reader.snapshot(WEB)).services}
    assert set(services) == {"web", "typo"}
    assert (services["web"].ready_endpoints, services["web"].not_ready_endpoints) == (1, 1)
    assert services["web"].ports[0].target_port == 80


@pytest.mark.parametrize(
    ("path", "part", "status"),
    [
        (f"{CORE}/pods", "pods of Deployment shop/web", 403),
        (f"{APPS}/replicasets", "revisions of Deployment shop/web", 500),
        (f"{CORE}/services", "services", 501),
        ("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices", "endpoints of services", 404),
        ("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers", "autoscalers", 404),
        (f"{CORE}/resourcequotas", "resource quotas", 429),
        (f"{CORE}/events", "events of shop", 403),
        (f"{CORE}/pods/web-h2-a/log", "previous log of pod web-h2-a container app", 400),
        ("/api/v1/nodes/node-1", "Node node-1", 403),
    ],
)
async def test_a_part_that_cannot_be_read_is_unseen_with_its_reason(
    api: ScriptedApi, reader: KubernetesReader, path: str, part: str, status: int
) -> None:
    api.on(path, Answer({"message": "no"}, status))
    seen = await reader.snapshot(WEB)
    assert seen.workload is not None
    assert any(reason.startswith(part) and f"HTTP {status}" in reason for reason in seen.unseen), seen.unseen


@pytest.mark.parametrize(("status", "error"), [(403, ClusterForbiddenError), (503, ClusterUnavailableError)])
async def test_a_target_that_cannot_be_read_is_an_error(
    api: ScriptedApi, reader: KubernetesReader, status: int, error: type[Exception]
) -> None:
    api.on(f"{APPS}/deployments/web", Answer(status=status))
    with pytest.raises(error):
        await reader.snapshot(WEB)


async def test_a_target_that_is_not_there_is_no_error(reader: KubernetesReader) -> None:
    seen = await reader.snapshot(WEB.model_copy(update={"name": "gone"}))
    assert not seen.exists


@pytest.mark.parametrize("name", ["../../../secrets", "web/../../secrets/db", "WEB", "", "a" * 300, "web?x=1", "web\n"])
async def test_a_hostile_name_is_never_sent(api: ScriptedApi, reader: KubernetesReader, name: str) -> None:
    assert not (await reader.snapshot(WEB.model_copy(update={"name": name}))).exists
    assert not (await reader.snapshot(WEB.model_copy(update={"namespace": name or ".."}))).exists
    assert api.requests == []


async def test_a_pending_pod_makes_all_nodes_matter(api: ScriptedApi, reader: KubernetesReader) -> None:
    api.holds(f"{CORE}/pods", a_pod("web-h2-a", ready=False, node=""))
    api.holds("/api/v1/nodes", *({"metadata": {"name": f"node-{n}"}, "spec": {}} for n in range(3)))
    assert len((await reader.snapshot(WEB)).nodes) == 3


async def test_a_list_that_is_too_long_says_so(api: ScriptedApi, reader: KubernetesReader) -> None:
    page = [a_pod(f"web-h2-{number}") for number in range(200)]
    api.on(f"{CORE}/pods", Answer({"items": page, "metadata": {"continue": "more"}}))
    seen = await reader.snapshot(WEB)
    assert "pods: only the first 1000 were looked at" in seen.unseen
    assert len(seen.pods) == 1000


async def test_the_object_of_an_action_is_read_as_it_is(reader: KubernetesReader) -> None:
    action = RollbackWorkload(target=WEB.ref, revision=1, template_digest=digest(OLD))
    live = await reader.read(action)
    assert live.object["spec"]["template"] == NEW
    assert action.project(live)["spec"]["template"] == OLD
    assert "managedFields" not in live.object["metadata"]
    with pytest.raises(TargetGoneError):
        await reader.read(action.model_copy(update={"target": ObjectRef(kind=Kind.DEPLOYMENT, namespace="shop", name="gone")}))


@pytest.mark.parametrize(
    ("target", "chain"),
    [
        pytest.param({"kind": Kind.POD, "name": "web-h2-a"}, ["Pod web-h2-a", "ReplicaSet web-h2", "Deployment web"], id="pod"),
        pytest.param({"kind": Kind.REPLICA_SET, "name": "web-h2"}, ["ReplicaSet web-h2", "Deployment web"], id="replica set"),
        pytest.param({"kind": Kind.SERVICE, "name": "web"}, ["Service web", "Deployment web"], id="service"),
        pytest.param(
            {"kind": Kind.DEPLOYMENT, "name": "web-h2", "pod": "web-h2-a"},
            ["Pod web-h2-a", "ReplicaSet web-h2", "Deployment web"],
            id="a workload guessed from its pod",
        ),
        pytest.param(
            {"kind": Kind.STATEFUL_SET, "name": "web", "pod": "gone"}, ["Deployment web"], id="wrong kind guessed, pod gone"
        ),
    ],
)
async def test_whatever_the_alert_names_leads_to_the_workload(
    reader: KubernetesReader, target: dict[str, str], chain: list[str]
) -> None:
    seen = await reader.snapshot(Target.model_validate({"cluster": "test", "namespace": "shop"} | target))
    assert [f"{ref.kind} {ref.name}" for ref in seen.owner_chain] == chain
    assert seen.workload is not None
    assert seen.workload.ref == WEB.ref
    assert len(seen.pods) == 2


async def test_a_service_that_selects_nothing_leads_to_the_workload_it_fits_best(
    api: ScriptedApi, reader: KubernetesReader
) -> None:
    api.on(f"{CORE}/pods", Answer({"items": [], "metadata": {}}))
    api.holds(f"{APPS}/deployments", a_deployment(), a_deployment("db", {**NEW, "metadata": {"labels": {"app": "db"}}}))
    seen = await reader.snapshot(Target(cluster="test", kind=Kind.SERVICE, namespace="shop", name="web"))
    assert seen.workload is not None
    assert seen.workload.ref.name == "web"


async def test_an_owner_of_an_unknown_kind_ends_the_chain_and_is_told(api: ScriptedApi, reader: KubernetesReader) -> None:
    replica_set = a_replica_set(2, NEW)
    replica_set["metadata"]["ownerReferences"] = owned_by("Rollout", "web", "argoproj.io/v1alpha1")
    api.holds(f"{APPS}/replicasets", replica_set)
    seen = await reader.snapshot(Target(cluster="test", kind=Kind.POD, namespace="shop", name="web-h2-a"))
    assert seen.workload is None
    assert [ref.kind for ref in seen.owner_chain] == [Kind.POD, Kind.REPLICA_SET]
    assert any("Rollout web" in reason for reason in seen.unseen)


async def test_a_node_is_seen_with_the_pods_on_it(api: ScriptedApi, reader: KubernetesReader) -> None:
    api.holds("/api/v1/pods", a_pod("web-h2-a"))
    seen = await reader.snapshot(Target(cluster="test", kind=Kind.NODE, name="node-1"))
    assert [node.name for node in seen.nodes] == ["node-1"]
    assert [pod.name for pod in seen.pods] == ["web-h2-a"]
    assert any("spec.nodeName%3Dnode-1" in target or "spec.nodeName=node-1" in target for _, target, _ in api.requests)


async def test_a_group_of_alerts_names_nothing_to_look_at(reader: KubernetesReader) -> None:
    seen = await reader.snapshot(Target(cluster="test", kind=Kind.GROUP, name="abc"))
    assert not seen.exists
    assert seen.unseen


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_glance_that_is_refused_is_none(api: ScriptedApi, reader: KubernetesReader, status: int) -> None:
    """A whole look goes on without the pods, so that a known cause must not be what ends an investigation."""
    api.on(f"{CORE}/pods", Answer({"message": "no"}, status))
    assert await reader.glance(WEB) is None
