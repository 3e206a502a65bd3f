"""Reader and writer against a cluster that validates, defaults, conflicts and heals as Kubernetes does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.contract.kubernetes.clusters import WEB, PatientWriter, Shop, a_shop, writer_of

from opsmend.adapters.kubernetes.access import can_i, ping
from opsmend.adapters.kubernetes.resources import RESOURCES
from opsmend.adapters.kubernetes.rights import INVESTIGATE, Right
from opsmend.domain.actions import ACTIONS, AnyAction
from opsmend.domain.actions.cordon_node import CordonNode, UncordonNode
from opsmend.domain.actions.object_digest import marker_of, spec_digest
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.actions.template_changes import ContainerPortChange, EnvironmentChange, ProbeChange, ProbeKind, Toleration
from opsmend.domain.execution import StepStatus
from opsmend.domain.plan import Plan
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.errors import ClusterRejectedError, ClusterUnavailableError, PlanStaleError

DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
CONFIG = ObjectRef(kind=Kind.CONFIG_MAP, namespace="shop", name="web-nginx-v1")
SERVICE = ObjectRef(kind=Kind.SERVICE, namespace="shop", name="web")
NODE = ObjectRef(kind=Kind.NODE, name="node-a")
AUTOSCALER = ObjectRef(kind=Kind.HORIZONTAL_POD_AUTOSCALER, namespace="shop", name="web")
SCALE = ScaleWorkload(target=WEB.ref, replicas=4)


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


def marker(plan: Plan, step_id: str = "1") -> str:
    return f"{plan.hash}#{step_id}"


def is_crashing(snapshot: Snapshot) -> bool:
    return any(container.previous_log for pod in snapshot.pods for container in pod.containers)


async def rollback(shop: Shop) -> RollbackWorkload:
    await shop.release()
    broken = await shop.snapshot_when(is_crashing)
    earlier = broken.revisions[1]
    return RollbackWorkload(target=WEB.ref, revision=earlier.number, template_digest=earlier.template_digest)


async def test_a_broken_release_is_seen_with_all_that_explains_it(shop: Shop) -> None:
    await shop.release()
    seen = await shop.snapshot_when(lambda s: is_crashing(s) and any(event.reason == "BackOff" for event in s.events))
    assert seen.unseen == ()
    assert seen.api_calls <= 15
    assert seen.workload is not None
    assert seen.workload.last_change_by == "shop-pipeline"
    new, old = seen.revisions
    assert (new.number, old.number) == (2, 1)
    assert new.template_digest == seen.workload.template_digest
    assert [(c.path, c.before, c.after) for c in new.changes] == [
        ("/spec/volumes/0/configMap/name", "web-nginx-v1", "web-nginx-v2")
    ]
    assert {p.revision_hash for p in seen.pods if not p.ready} == {new.name.removeprefix("web-")}
    assert any("lissten" in c.previous_log for p in seen.pods for c in p.containers)
    (config,) = [c for c in seen.config if c.ref.name == "web-nginx-v2"]
    assert config.exists
    assert "lissten" in config.data["default.conf"]
    assert (config.changed_by, config.changed_at is not None) == ("shop-pipeline", True)
    (service,) = [s for s in seen.services if s.ref.name == "web"]
    assert service.ready_endpoints == 3
    assert {node.name for node in seen.nodes} <= {"node-a", "node-b"}
    assert all(node.ready for node in seen.nodes)
    assert seen.nodes


@pytest.mark.safety
async def test_a_rollback_heals_and_is_one_mutation(shop: Shop) -> None:
    plan = await shop.plan(await rollback(shop))
    (step,) = plan.steps
    rehearsal = await shop.writer.dry_run(step, marker(plan))
    assert rehearsal.matches_plan
    assert await shop.mutations() == []
    record = await shop.writer.apply(step, marker(plan))
    assert record.status is StepStatus.APPLIED
    healed = await shop.snapshot_when(lambda s: s.workload and s.workload.updated_replicas == s.workload.ready_replicas == 3)
    assert healed.workload is not None
    assert healed.workload.annotations["opsmend.io/last-change"] == marker(plan)
    assert healed.revisions[0].number == 3
    (mutation,) = await shop.mutations()
    assert (mutation["verb"], mutation["resource"], mutation["name"]) == ("patch", "deployments.apps", "web")


async def test_the_revision_of_a_rollback_is_read_for_its_rehearsal_and_kept_for_the_change(shop: Shop) -> None:
    plan = await shop.plan(await rollback(shop))
    await shop.http.delete("/opsmend-demo/audit")
    assert (await shop.writer.dry_run(plan.steps[0], marker(plan))).matches_plan
    assert (await shop.writer.apply(plan.steps[0], marker(plan))).status is StepStatus.APPLIED
    entries = (await shop.http.get("/opsmend-demo/audit", params={"reads": "true"})).json()
    assert len([e for e in entries if (e["verb"], e["resource"]) == ("list", "replicasets.apps")]) == 1


async def test_another_process_that_takes_the_change_over_reads_the_revision_itself(shop: Shop) -> None:
    plan = await shop.plan(await rollback(shop))
    await shop.writer.dry_run(plan.steps[0], marker(plan))
    other = PatientWriter(writer_of(shop.connection))
    assert (await other.apply(plan.steps[0], marker(plan))).status is StepStatus.APPLIED


@pytest.mark.safety
async def test_a_repeated_apply_changes_nothing_and_says_so(shop: Shop) -> None:
    plan = await shop.plan(SCALE)
    await shop.writer.apply(plan.steps[0], marker(plan))
    await shop.snapshot_when(lambda s: s.workload and s.workload.ready_replicas == 4)
    again = await shop.writer.apply(plan.steps[0], marker(plan))
    assert again.status is StepStatus.ALREADY_APPLIED
    assert len(await shop.mutations()) == 1


@pytest.mark.safety
async def test_a_change_whose_answer_was_lost_is_not_made_twice(shop: Shop) -> None:
    plan = await shop.plan(SCALE)
    await shop.post("/opsmend-demo/faults", {"answer": "late_500", "method": "PATCH", "requests": 1})
    with pytest.raises(ClusterUnavailableError):
        await shop.writer.apply(plan.steps[0], marker(plan))
    assert (await shop.writer.apply(plan.steps[0], marker(plan))).status is StepStatus.ALREADY_APPLIED
    assert len(await shop.mutations()) == 1


@pytest.mark.safety
async def test_somebody_elses_edit_makes_the_step_stale_and_is_never_overwritten(shop: Shop) -> None:
    plan = await shop.plan(SCALE)
    await shop.patch(DEPLOYMENT, {"spec": {"replicas": 2}})
    with pytest.raises(PlanStaleError):
        await shop.writer.dry_run(plan.steps[0], marker(plan))
    with pytest.raises(PlanStaleError):
        await shop.writer.apply(plan.steps[0], marker(plan))
    assert (await shop.get(DEPLOYMENT))["spec"]["replicas"] == 2
    assert await shop.mutations() == []


async def test_what_the_server_will_never_take_is_told_by_the_dry_run(shop: Shop) -> None:
    over_limit = SetResources(target=WEB.ref, container="nginx", memory_request="1Gi")
    plan = await shop.plan(over_limit)
    with pytest.raises(ClusterRejectedError):
        await shop.writer.dry_run(plan.steps[0], marker(plan))
    assert await shop.mutations() == []


async def test_a_busy_cluster_says_when_to_come_back(shop: Shop) -> None:
    plan = await shop.plan(SCALE)
    await shop.post("/opsmend-demo/faults", {"answer": 429, "method": "PATCH", "requests": 1, "retry_after_seconds": 7})
    with pytest.raises(ClusterUnavailableError) as caught:
        await shop.writer.apply(plan.steps[0], marker(plan))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 7


EVERYTHING: tuple[AnyAction, ...] = (
    RestartWorkload(target=WEB.ref, restarted_at="2026-11-22T03:00:00Z"),
    SCALE,
    SetResources(target=WEB.ref, container="nginx", memory_limit="1024Mi", cpu_limit="0.5", remove=("memory_request",)),
    SetImage(target=WEB.ref, container="nginx", image="nginx:1.27.0"),
    PatchConfig(target=CONFIG, key="extra.conf", value=""),
    PatchConfig(target=CONFIG, key="default.conf", value="server {\n    listen 8081;\n}\n"),
    PatchWorkload(
        target=WEB.ref,
        probe=ProbeChange(container="nginx", kind=ProbeKind.READINESS, port=8080, path="/"),
        env=(EnvironmentChange(container="nginx", name="MODE", value=""),),
        container_port=ContainerPortChange(container="nginx", port=8080, to=8081),
        node_selector={"kubernetes.io/os": "linux"},
        tolerations=(Toleration(key="spot", operator="Exists", effect="NoExecute", toleration_seconds=30),),
    ),
    PatchService(target=SERVICE, selector={"app": "web", "tier": "front"}, port="http", target_port=8080),
    PatchAutoscaler(target=AUTOSCALER, min_replicas=2, max_replicas=9),
    CordonNode(target=NODE),
)


@pytest.mark.safety
async def test_every_action_does_what_its_plan_says_and_can_be_undone_exactly(shop: Shop) -> None:
    """One after the other on one cluster; the rollback and the uncordon are in the tests around."""
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    autoscaler = {"metadata": {"name": "web"}, "spec": {"scaleTargetRef": scaled, "maxReplicas": 5}}
    await shop.post("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers", autoscaler)
    for action in EVERYTHING:
        before = spec_digest((await shop.reader.read(action)).object)
        plan = await shop.plan(action)
        (step,), (undo,) = plan.steps, plan.undoing(("1",))
        assert (await shop.writer.dry_run(step, marker(plan))).matches_plan, action
        assert (await shop.writer.apply(step, marker(plan))).status is StepStatus.APPLIED, action
        undone = await shop.writer.undo(undo, marker(plan, "undo-1"), marker(plan))
        assert undone.status is StepStatus.APPLIED, action
        after = (await shop.reader.read(action)).object
        assert spec_digest(after) == before, action
        assert marker_of(after) == marker(plan, "undo-1")
    assert {type(action) for action in EVERYTHING} == set(ACTIONS) - {RollbackWorkload, UncordonNode}
    assert len(await shop.mutations()) == 2 * len(EVERYTHING)


async def test_a_cordoned_node_can_be_uncordoned(shop: Shop) -> None:
    for action, unschedulable in ((CordonNode(target=NODE), True), (UncordonNode(target=NODE), False)):
        plan = await shop.plan(action)
        await shop.writer.apply(plan.steps[0], marker(plan))
        seen = await shop.reader.snapshot(Target(cluster="embedded", kind=Kind.NODE, name="node-a"))
        assert seen.nodes[0].unschedulable is unschedulable


async def test_a_rollback_can_be_taken_back_though_revisions_were_renumbered(shop: Shop) -> None:
    plan = await shop.plan(await rollback(shop))
    await shop.writer.apply(plan.steps[0], marker(plan))
    await shop.snapshot_when(lambda s: s.revisions and s.revisions[0].number == 3)
    (undo,) = plan.undoing(("1",))
    assert (await shop.writer.undo(undo, marker(plan, "undo-1"), marker(plan))).status is StepStatus.APPLIED
    volumes = (await shop.get(DEPLOYMENT))["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["configMap"]["name"] == "web-nginx-v2"


@pytest.mark.safety
async def test_secret_values_are_never_in_a_snapshot(shop: Shop) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "s3cr3t-value"}}
    await shop.post("/api/v1/namespaces/shop/secrets", secret)
    reference = {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    literal = {"name": "API_TOKEN", "value": "literal-s3cr3t-value"}
    container = (await shop.get(DEPLOYMENT))["spec"]["template"]["spec"]["containers"][0]
    await shop.patch(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [{**container, "env": [reference, literal]}]}}}})
    seen = await shop.snapshot_when(lambda s: len(s.revisions) == 2)
    told = seen.model_dump_json()
    assert "s3cr3t" not in told
    assert "czNjcjN0" not in told
    (of_secret,) = [c for c in seen.config if c.ref.kind is Kind.SECRET]
    assert (of_secret.exists, of_secret.needed_keys, of_secret.keys) == (None, ("password",), ())


async def test_a_pod_leads_to_its_workload(shop: Shop) -> None:
    pod = (await shop.reader.snapshot(WEB)).pods[0]
    seen = await shop.reader.snapshot(Target(cluster="embedded", kind=Kind.POD, namespace="shop", name=pod.name))
    assert [ref.kind for ref in seen.owner_chain] == [Kind.POD, Kind.REPLICA_SET, Kind.DEPLOYMENT]
    assert len(seen.pods) == 3


async def test_a_service_with_a_wrong_selector_leads_to_the_workload_it_was_meant_for(shop: Shop) -> None:
    await shop.patch("/api/v1/namespaces/shop/services/web", {"spec": {"selector": {"app": "wep"}}})
    service = Target(cluster="embedded", kind=Kind.SERVICE, namespace="shop", name="web")
    seen = await shop.snapshot_when(lambda s: any(x.ready_endpoints == 0 for x in s.services), service)
    assert seen.workload is not None
    assert seen.workload.ref == WEB.ref
    (found,) = [s for s in seen.services if s.ref == service.ref]
    assert found.selector == {"app": "wep"}


async def test_a_cluster_that_stops_answering_leaves_parts_unseen(shop: Shop) -> None:
    await shop.post("/opsmend-demo/faults", {"answer": 503, "path": "/events"})
    seen = await shop.reader.snapshot(WEB)
    assert any(reason.startswith("events of") for reason in seen.unseen)
    await shop.post("/opsmend-demo/faults", {"answer": 500, "path": "deployments/web$"})
    with pytest.raises(ClusterUnavailableError):
        await shop.reader.snapshot(WEB)


async def test_doctors_questions_are_answered(shop: Shop) -> None:
    assert (await ping(shop.connection)).version.startswith("v1.")
    assert (await can_i(shop.connection, Right("patch", RESOURCES[Kind.DEPLOYMENT]), "shop")).allowed
    assert (await can_i(shop.connection, Right("get", RESOURCES[Kind.POD], "log"), "shop")).allowed


async def test_a_snapshot_reads_nothing_that_the_list_of_rights_leaves_out(shop: Shop) -> None:
    await shop.release()
    await shop.snapshot_when(is_crashing)
    (pod, *_) = (await shop.get("/api/v1/namespaces/shop/pods"))["items"]
    for ref in (SERVICE, NODE, ObjectRef(kind=Kind.POD, namespace="shop", name=pod["metadata"]["name"])):
        await shop.reader.snapshot(Target.of("embedded", ref))
    entries = (await shop.http.get("/opsmend-demo/audit", params={"reads": "true"})).json()
    read = {(e["verb"], e["resource"], e["subresource"]) for e in entries if e["user_agent"].startswith("opsmend/")}
    granted = {(r.verb, r.resource.qualified, r.subresource) for r in INVESTIGATE}
    assert read - granted == set()
    assert {("get", "pods", "log"), ("list", "events", ""), ("list", "endpointslices.discovery.k8s.io", "")} <= read
