"""A change is made by a short-lived token of its namespace's executor, and by nothing else that opsmend holds."""

import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from pydantic import SecretStr
from tests.contract.kubernetes.clusters import WEB, PatientWriter, Shop, a_shop
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected
from tests.contract.kubernetes.test_on_the_embedded_cluster import CONFIG, NODE, marker

from opsmend.adapters.kubernetes.connection import Connection, connect_cluster
from opsmend.adapters.kubernetes.executors import NamespaceExecutor
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.adapters.kubernetes.writer import KubernetesWriter
from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.cordon_node import CordonNode
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.execution import StepStatus
from opsmend.domain.plan import Plan
from opsmend.errors import ClusterForbiddenError, ClusterUnavailableError
from opsmend.settings import KubernetesSettings
from opsmend_cluster.api.access import TOKEN_PREFIX, Access, AccessRule, User
from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.server import write_kubeconfig

SCALE = ScaleWorkload(target=WEB.ref, replicas=4)
FIX = PatchConfig(target=CONFIG, key="a", value="1")
"""Of an object that nobody else writes, not even a status."""
IN_SHOP = "system:serviceaccount:shop:mender"
FOR_NODES = "system:serviceaccount:opsmend:mender-nodes"


def rule(verbs: str, resources: str, namespace: str = "*") -> AccessRule:
    return AccessRule(verbs=frozenset(verbs.split()), resources=frozenset(resources.split()), namespaces=frozenset({namespace}))


def users() -> list[User]:
    return [
        User(
            name="deployment",
            token="deployments-own-token",
            rules=(rule("get list", "*"), rule("create", "serviceaccounts/token")),
        ),
        User(name=IN_SHOP, rules=(rule("patch", "deployments.apps configmaps", "shop"),)),
        User(name=FOR_NODES, rules=(rule("patch", "nodes"),)),
    ]


class Shops:
    """The shop with `shop.writer` acting by executors, and its access rules to meddle with."""

    def __init__(self, shop: Shop, access: Access, connection: Connection) -> None:
        self.shop = shop
        self.access = access
        self.reader = KubernetesReader(connection)
        self._connection = connection
        self.writer = self.another_writer()

    def another_writer(self) -> PatientWriter:
        """As in another process."""
        return PatientWriter(KubernetesWriter(self._connection, NamespaceExecutor(self._connection, "mender", "opsmend")))

    async def account(self, namespace: str, name: str) -> None:
        await self.shop.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})

    async def plan(self, *actions: AnyAction) -> Plan:
        return await self.shop.plan(*actions)

    async def seen(self) -> list[dict[str, Any]]:
        entries = (await self.shop.http.get("/opsmend-demo/audit", params={"reads": "true"})).json()
        return [entry for entry in entries if entry["user"] != "system:anonymous"]


@pytest_asyncio.fixture
async def shops(tmp_path: Path) -> AsyncIterator[Shops]:
    access = Access(users=users())
    async with a_shop(tmp_path, ClusterConfig(access=access)) as shop, AsyncExitStack() as stack:
        kubeconfig = write_kubeconfig(tmp_path / "deployment", shop.url, "deployments-own-token")
        connection = await connect_cluster(KubernetesSettings(), stack, kubeconfig)
        await shop.post("/api/v1/namespaces", {"metadata": {"name": "opsmend"}})
        shops = Shops(shop, access, connection)
        await shops.account("shop", "mender")
        await shops.account("opsmend", "mender-nodes")
        yield shops


async def test_the_executor_changes_and_deployment_only_reads(shops: Shops) -> None:
    plan = await shops.plan(SCALE)
    assert (await shops.writer.dry_run(plan.steps[0], marker(plan))).matches_plan
    assert (await shops.writer.apply(plan.steps[0], marker(plan))).status is StepStatus.APPLIED
    by_user: dict[str, set[str]] = {}
    for entry in await shops.seen():
        by_user.setdefault(entry["user"], set()).add(entry["verb"])
    assert by_user == {"deployment": {"get", "create"}, IN_SHOP: {"patch"}}


async def test_a_dry_run_and_its_change_are_made_by_one_token_that_lives_for_ten_minutes(shops: Shops) -> None:
    plan = await shops.plan(FIX)
    await shops.writer.dry_run(plan.steps[0], marker(plan))
    await shops.writer.apply(plan.steps[0], marker(plan))
    asked = [entry for entry in await shops.seen() if entry["subresource"] == "token" and entry["code"] == 201]
    patched = [entry for entry in await shops.seen() if entry["verb"] == "patch" and entry["code"] == 200]
    assert (len(shops.access.minted), len(asked), len(patched)) == (1, 1, 2)
    assert (asked[0]["namespace"], asked[0]["name"]) == ("shop", "mender")
    assert '"expirationSeconds": 600' in asked[0]["body"]


async def test_each_step_and_its_undoing_ask_for_a_token_of_their_own(shops: Shops) -> None:
    plan = await shops.plan(FIX, PatchConfig(target=CONFIG, key="b", value="2"))
    for step in plan.steps:
        await shops.writer.dry_run(step, marker(plan, step.id))
        await shops.writer.apply(step, marker(plan, step.id))
    (undo,) = plan.undoing(("2",))
    await shops.writer.undo(undo, marker(plan, undo.id), marker(plan, "2"))
    assert len(shops.access.minted) == 3


async def test_a_change_that_somebody_else_rehearsed_asks_for_a_token_of_its_own(shops: Shops) -> None:
    plan = await shops.plan(FIX)
    await shops.writer.dry_run(plan.steps[0], marker(plan))
    assert (await shops.another_writer().apply(plan.steps[0], marker(plan))).status is StepStatus.APPLIED
    assert len(shops.access.minted) == 2


async def test_nothing_is_asked_for_while_there_is_nothing_to_change(shops: Shops) -> None:
    plan = await shops.plan(SCALE)
    await shops.writer.apply(plan.steps[0], marker(plan))
    before = len(shops.access.minted)
    assert (await shops.writer.apply(plan.steps[0], marker(plan))).status is StepStatus.ALREADY_APPLIED
    assert len(shops.access.minted) == before


async def test_nodes_have_an_executor_of_their_own(shops: Shops) -> None:
    plan = await shops.plan(CordonNode(target=NODE))
    await shops.writer.apply(plan.steps[0], marker(plan))
    assert {e["user"] for e in await shops.seen() if e["verb"] == "patch"} == {FOR_NODES}


def grants_nothing(access: Access, name: str) -> None:
    access.users = [user for user in access.users if user.name != name]


async def remove(shops: Shops, path: str) -> None:
    (await shops.shop.http.delete(path)).raise_for_status()


async def without_account(shops: Shops) -> None:
    await remove(shops, "/api/v1/namespaces/shop/serviceaccounts/mender")
    await remove(shops, "/api/v1/namespaces/opsmend/serviceaccounts/mender-nodes")


async def without_right_to_ask(shops: Shops) -> None:
    shops.access.users[0] = User(name="deployment", token="deployments-own-token", rules=(rule("get list", "*"),))


async def without_right_to_change(shops: Shops) -> None:
    grants_nothing(shops.access, IN_SHOP)
    grants_nothing(shops.access, FOR_NODES)


@pytest.mark.parametrize("lack", [without_account, without_right_to_ask, without_right_to_change])
@pytest.mark.parametrize(
    ("action", "account", "grant"),
    [
        pytest.param(SCALE, "shop/mender", "kubectl apply -n shop -f deploy/rbac/namespace.yaml", id="namespace"),
        pytest.param(CordonNode(target=NODE), "opsmend/mender-nodes", "kubectl apply -f deploy/rbac/nodes.yaml", id="node"),
    ],
)
async def test_what_is_not_granted_is_told_with_what_grants_it(
    shops: Shops, lack: Any, action: AnyAction, account: str, grant: str
) -> None:
    plan = await shops.plan(action)
    await lack(shops)
    for attempt in (shops.writer.dry_run, shops.writer.apply):
        with pytest.raises(ClusterForbiddenError) as caught:
            await attempt(plan.steps[0], marker(plan))
        assert f"ServiceAccount {account} may not change {action.target}" in str(caught.value)
        assert grant in str(caught.value)
        assert TOKEN_PREFIX not in "".join(traceback.format_exception(caught.value))
    assert await shops.shop.mutations() == []


@pytest.mark.safety
async def test_a_token_that_expired_meanwhile_changes_nothing(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    mint = Access.mint

    def late(self: Access, *request: Any) -> dict[str, Any]:
        status = mint(self, *request)
        self.minted[status["token"]] = (IN_SHOP, datetime.now(UTC) - timedelta(seconds=1))
        return status

    monkeypatch.setattr(Access, "mint", late)
    plan = await shops.plan(SCALE)
    with pytest.raises(ClusterForbiddenError, match="HTTP 401"):
        await shops.writer.apply(plan.steps[0], marker(plan))
    assert await shops.shop.mutations() == []


async def test_a_token_for_somebody_else_is_not_taken(shops: Shops) -> None:
    """The audience that opsmend names, none, must be the API server."""
    path = "/api/v1/namespaces/shop/serviceaccounts/mender/token"
    answers = {}
    for audience in ("vault", "https://kubernetes.default.svc.cluster.local"):
        request = {"spec": {"audiences": [audience], "expirationSeconds": 600}}
        token = (await shops.shop.http.post(path, json=request)).json()["status"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answers[audience] = (await shops.shop.http.get("/api/v1/nodes", headers=headers)).status_code
    assert answers == {"vault": 401, "https://kubernetes.default.svc.cluster.local": 403}


@pytest.mark.safety
async def test_a_client_certificate_does_not_speak_for_the_executor() -> None:
    """An API server goes by the certificate before it looks at a token: the change would be made by the wrong one."""
    configuration = Configuration(host="https://192.0.2.1:6443", api_key={"BearerToken": "Bearer own"})
    async with ApiClient(configuration) as client:
        configuration.cert_file, configuration.key_file = "/dev/null", "/dev/null"
        configuration.refresh_api_key_hook = lambda _: None  # type: ignore[assignment]
        async with Connection(client, KubernetesSettings()).acting_as(SecretStr("minted")) as acting:
            used = acting._client.configuration
            assert (used.cert_file, used.key_file, used.refresh_api_key_hook) == (None, None, None)
            assert used.api_key == {"BearerToken": "Bearer minted"}
            assert used.host == configuration.host
            assert "minted" not in repr(vars(acting))
        assert configuration.api_key == {"BearerToken": "Bearer own"}


@pytest.mark.parametrize("body", [{}, {"status": {}}, {"status": {"token": ""}}, {"status": {"token": 7}}])
async def test_an_answer_without_a_token_is_asked_for_again_later(body: dict[str, Any]) -> None:
    api = ScriptedApi()
    api.on("/api/v1/namespaces/shop/serviceaccounts/mender/token", Answer(body, 201))
    async with connected(api) as connection:
        with pytest.raises(ClusterUnavailableError, match="holds no token"):
            await NamespaceExecutor(connection, "mender", "opsmend").grant(WEB.ref)
