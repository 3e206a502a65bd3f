"""A whole incident on exactly the rights that deploy/rbac grants: they are enough, and an executor's token is seen nowhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from tests.builders import a_decision_request, an_alert
from tests.contract.kubernetes.clusters import Shop, a_shop, eventually
from tests.contract.kubernetes.granted import rules_for
from tests.contract.kubernetes.test_on_the_embedded_cluster import is_crashing
from tests.integration.test_rules_heal_what_breaks import CONFIG, edit_config_in_place
from tests.steering_in_memory import SteeringInMemory
from tests.workflows.conftest import QUICK
from tests.workflows.fakes import ArtifactsInMemory, ChatInMemory, LastGoodInMemory, MemoryInMemory, MetricsInMemory
from tests.workflows.servers import a_temporal

from opsmend.adapters.kubernetes.connection import Connection, connect_cluster
from opsmend.adapters.kubernetes.executors import NamespaceExecutor
from opsmend.adapters.kubernetes.namespaces import KubernetesNamespaces
from opsmend.adapters.kubernetes.rbac import EXECUTOR, HOME
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.adapters.kubernetes.rights import AGENTS, ASK_FOR_TOKEN, MEND
from opsmend.adapters.kubernetes.writer import KubernetesWriter
from opsmend.adapters.llm.thinker import NoModel
from opsmend.adapters.temporal.change_control import TemporalChangeControl
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.agents.sre.last_good import GoodKeeper
from opsmend.domain.budget import Budget
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.target import Kind, Target
from opsmend.policy.engine import CedarJudge
from opsmend.settings import KubernetesSettings
from opsmend.worker import (
    architect_worker,
    connectors_worker,
    deployment_worker,
    security_worker,
    sre_worker,
    workflows_worker,
)
from opsmend_cluster.api.access import TOKEN_PREFIX, Access, User
from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.server import write_kubeconfig

WEB = Target(cluster="demo", kind=Kind.DEPLOYMENT, namespace="shop", name="web")
PATIENCE = QUICK.model_copy(update={"verify_deadline": timedelta(seconds=40)})
IN_SHOP = f"system:serviceaccount:shop:{EXECUTOR}"


def as_granted() -> Access:
    """deploy/rbac/opsmend.yaml in the cluster, deploy/rbac/namespace.yaml in the shop."""
    agents = [User(name=agent, token=f"token-of-{agent}", rules=rules_for(rights)) for agent, rights in AGENTS.items()]
    deployment = agents[-1].model_copy(update={"rules": (*agents[-1].rules, *rules_for((ASK_FOR_TOKEN,), "shop"))})
    return Access(users=[*agents[:-1], deployment, User(name=IN_SHOP, rules=rules_for(MEND, "shop"))])


@dataclass
class Scene:
    """`shop` is the cluster as its administrator sees it."""

    client: Client
    shop: Shop
    desk: TemporalDesk

    async def until(self, status: Status) -> IncidentState:
        async with asyncio.timeout(60):
            while True:
                state = await self.desk.get(WEB.incident_id)
                if state.status in (status, Status.CLOSED):
                    return state
                await asyncio.sleep(0.1)

    async def audit(self) -> list[dict[str, Any]]:
        """What the cluster saw of this incident."""
        entries: list[dict[str, Any]] = (await self.shop.http.get("/opsmend-demo/audit", params={"reads": "true"})).json()
        return [entry for entry in entries if f"; {WEB.incident_id}:" in entry["user_agent"]]

    async def histories(self) -> bytes:
        """All that Temporal keeps, its payloads among it."""
        told = b""
        async for run in self.client.list_workflows():
            history = await self.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
            told += b"".join(event.SerializeToString() for event in history.events)
        return told


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(a_shop(tmp_path, ClusterConfig(access=as_granted())))
        await shop.post("/api/v1/namespaces/shop/serviceaccounts", {"metadata": {"name": EXECUTOR}})
        temporal = await stack.enter_async_context(a_temporal())
        client = await temporal.client()
        desk = TemporalDesk(
            client, ui_url="http://127.0.0.1:1", patience=PATIENCE, budget=Budget(), rpc_timeout=timedelta(seconds=5)
        )

        async def connection(agent: str) -> Connection:
            kubeconfig = write_kubeconfig(tmp_path / agent, shop.url, f"token-of-{agent}")
            return await connect_cluster(KubernetesSettings(), stack, kubeconfig)

        artifacts, memory, judge = ArtifactsInMemory(), MemoryInMemory(), CedarJudge()
        watching = await connection("sre")
        sre, architect = KubernetesReader(watching), KubernetesReader(await connection("architect"))
        keeper = GoodKeeper(KubernetesNamespaces(watching), LastGoodInMemory(artifacts), artifacts, namespaces=())
        security, deployment = KubernetesReader(await connection("security")), await connection("deployment")
        writer = KubernetesWriter(deployment, NamespaceExecutor(deployment, EXECUTOR, HOME))
        for worker in (
            workflows_worker(client),
            sre_worker(client, sre, MetricsInMemory(), memory, NoModel(), artifacts, keeper),
            architect_worker(client, architect, artifacts),
            security_worker(client, security, judge, artifacts),
            deployment_worker(
                client, KubernetesReader(deployment), writer, judge, artifacts, TemporalChangeControl(client, WEB.cluster)
            ),
            connectors_worker(client, desk, SteeringInMemory(), ChatInMemory(), memory),
        ):
            await stack.enter_async_context(worker)
        yield Scene(client, shop, desk)


async def approved(scene: Scene) -> IncidentState:
    """The incident as it was when its plan was approved."""
    await scene.desk.submit(WEB, (an_alert(target=WEB),))
    asked = await scene.until(Status.AWAITING_APPROVAL)
    assert asked.plan is not None, asked.closing
    await scene.desk.decide(WEB.incident_id, a_decision_request(asked.plan))
    return asked


async def mended(scene: Scene) -> IncidentState:
    """The release with the slip, once its pod has crashed, to the end of its incident."""
    await scene.shop.release()
    await scene.shop.snapshot_when(is_crashing)
    await approved(scene)
    return await scene.until(Status.CLOSED)


async def test_the_rights_are_enough_and_nobody_is_refused_anything(
    scene: Scene, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = await mended(scene)
    assert closed.outcome is Outcome.REMEDIATED, closed.closing
    audit = await scene.audit()
    assert [(e["user"], e["verb"], e["resource"]) for e in audit if e["code"] in (401, 403)] == []
    assert {e["user"] for e in audit if e["verb"] == "patch"} == {IN_SHOP}
    assert {e["user"] for e in audit if e["verb"] in ("get", "list")} == set(AGENTS)
    assert closed.calls["deployment"].calls == sum("(deployment; " in e["user_agent"] for e in audit)

    kept = await scene.histories()
    assert b"serviceaccounts/token" in kept
    assert TOKEN_PREFIX.encode() not in kept
    assert TOKEN_PREFIX not in closed.model_dump_json() + caplog.text + "".join(capsys.readouterr())


async def crowd(shop: Shop, pods: int) -> None:
    """Others' Deployments and Services, until the namespace has so many pods."""
    present = len((await shop.get("/api/v1/namespaces/shop/pods"))["items"])
    for number, replicas in enumerate([10] * ((pods - present) // 10) + [(pods - present) % 10]):
        name = f"other-{number}"
        container = {"name": "app", "image": "nginx:1.27.3", "ports": [{"containerPort": 80}]}
        spec = {"containers": [container]}
        template = {"metadata": {"labels": {"app": name}}, "spec": spec}
        deployment = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
        await shop.post("/apis/apps/v1/namespaces/shop/deployments", {"metadata": {"name": name}, "spec": deployment})
        service = {"selector": {"app": name}, "ports": [{"port": 80}]}
        await shop.post("/api/v1/namespaces/shop/services", {"metadata": {"name": name}, "spec": service})

    async def there() -> bool | None:
        return len((await shop.get("/api/v1/namespaces/shop/pods"))["items"]) >= pods or None

    await eventually(there)


async def test_an_ordinary_incident_among_200_pods_takes_no_more_than_25_calls(scene: Scene) -> None:
    """From its first alert to its verified fix, the executor's token, the dry run and three looks among them.

    What a slow machine adds is not counted: looks that find the rollout not through, and a second try after a status write.
    """
    await crowd(scene.shop, 200)
    closed = await mended(scene)
    assert closed.outcome is Outcome.REMEDIATED, closed.closing
    audit = await scene.audit()
    assert closed.usage.api_calls == len(audit)
    verifying = [e for e in audit if "sre:2)" in e["user_agent"]]
    not_through = sum(e["resource"] == "replicasets.apps" for e in verifying)
    refused = sum(e["code"] == 409 for e in audit)
    assert len(audit) - 3 * not_through - 2 * refused <= 25, [(e["user"], e["verb"], e["resource"]) for e in audit]
    everywhere = [e for e in audit if e["verb"] == "list" and not e["namespace"]]
    assert everywhere == []


async def test_a_namespace_that_nobody_granted_is_escalated_with_the_command_that_grants_it(scene: Scene) -> None:
    (await scene.shop.http.delete(f"/api/v1/namespaces/shop/serviceaccounts/{EXECUTOR}")).raise_for_status()
    closed = await mended(scene)
    assert closed.outcome is Outcome.ESCALATED
    assert "`kubectl apply -n shop -f deploy/rbac/namespace.yaml` grants it" in closed.closing
    assert "nothing was changed" in closed.closing
    assert len([entry for entry in closed.timeline if entry.event == "plan.proposed"]) == 1


async def test_of_a_plan_that_was_taken_back_in_part_only_the_rest_is_undone(scene: Scene) -> None:
    await edit_config_in_place(scene.shop)
    broken = (await scene.shop.get(CONFIG))["data"]
    await scene.shop.snapshot_when(is_crashing)
    asked = await approved(scene)
    assert asked.plan is not None
    assert [step.action.type for step in asked.plan.steps] == ["patch_config", "restart_workload"]
    await scene.until(Status.VERIFYING)
    query = {"fieldManager": "kustomize-controller"}
    headers = {"Content-Type": "application/merge-patch+json"}
    (await scene.shop.http.patch(CONFIG, json={"data": broken}, params=query, headers=headers)).raise_for_status()
    closed = await scene.until(Status.CLOSED)

    assert closed.outcome is Outcome.ESCALATED
    assert "our change of ConfigMap shop/web-nginx-v1 was reverted by kustomize-controller" in closed.closing
    assert "the rest of our changes was undone, and it was not tried again" in closed.closing
    assert closed.undo is not None
    assert [step.step_id for step in closed.undo.steps] == ["undo-2"]
    assert (await scene.shop.get(CONFIG))["data"] == broken
    patched = [e["resource"] for e in await scene.audit() if e["verb"] == "patch" and not e["dry_run"] and e["code"] != 409]
    assert patched == ["configmaps", "deployments.apps", "deployments.apps"]
