"""The checks of `opsmend doctor` against parts that answer over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from kubernetes.aio.config import kube_config
from pydantic import SecretStr
from tests.contract.kubernetes.granted import rules_for
from tests.pager_standin.pagerduty import PagerDutyStandin
from tests.slack_standin.server import listening
from tests.slack_standin.standin import SlackStandin, running_slack

from opsmend.adapters.kubernetes.rights import INVESTIGATE, MEND
from opsmend.doctor import checks, kubernetes_rights
from opsmend.doctor.examination import NotSetUp
from opsmend.domain.mentions import read_mentions
from opsmend.embedded.processes import free_port
from opsmend.embedded.temporal_server import start_temporal
from opsmend.errors import (
    ChatRejectedError,
    ChatUnavailableError,
    ClusterForbiddenError,
    ClusterUnavailableError,
    MemoryUnavailableError,
    PagerUnavailableError,
    SettingsError,
    TemporalUnavailableError,
)
from opsmend.settings import (
    KubernetesSettings,
    MilvusSettings,
    PagerDutySettings,
    PagerSettings,
    Settings,
    SlackSettings,
)
from opsmend_cluster.api.access import Access, AccessRule, User
from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.server import RunningCluster, running_cluster

READER = User(name="reader", token="reader-token", rules=(AccessRule(verbs=frozenset({"get", "list"})),))
AS_SHIPPED = User(name="as-shipped", token="as-shipped-token", rules=rules_for(INVESTIGATE))
"""May read what deploy/rbac lets SRE read."""
DEPLOYMENT = User(
    name="deployment",
    token="deployment-token",
    rules=(AccessRule(verbs=frozenset({"create"}), resources=frozenset({"serviceaccounts/token"})),),
)
EXECUTOR = User(name="system:serviceaccount:shop:mender", rules=rules_for(MEND, "shop"))
NO_LOGS = User(
    name="no-logs",
    token="no-logs-token",
    rules=(AccessRule(verbs=frozenset({"get", "list"}), resources=frozenset({"pods", "deployments.apps"})),),
)


@pytest.fixture
async def cluster() -> AsyncIterator[RunningCluster]:
    async with running_cluster(
        ClusterConfig(access=Access(users=[READER, AS_SHIPPED, NO_LOGS, DEPLOYMENT, EXECUTOR]))
    ) as running:
        yield running


def settings_for(cluster: RunningCluster, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str = "") -> Settings:
    # The client reads KUBECONFIG once, when it is imported.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(cluster.kubeconfig(folder / "kubeconfig", token)))
    return Settings(kubernetes=KubernetesSettings(cluster="lab"))


async def test_cluster_that_answers_is_named_with_its_version(
    cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "called lab in incident ids" in await kubernetes_rights.answers(settings_for(cluster, tmp_path, monkeypatch))


async def test_administrator_may_look_and_act(cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(cluster, tmp_path, monkeypatch)
    assert (await kubernetes_rights.may_read(settings)).startswith("All")
    assert (await kubernetes_rights.may_change(settings)).startswith("All")


async def test_reader_may_look_and_is_told_which_actions_it_may_not_do(
    cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(cluster, tmp_path, monkeypatch, READER.token)
    assert (await kubernetes_rights.may_read(settings)).startswith("All")
    with pytest.raises(ClusterForbiddenError, match=r"rollback_workload \(.*patch deployments.apps") as barred:
        await kubernetes_rights.may_change(settings)
    assert "cordon_node (patch nodes)" in str(barred.value)


async def test_rights_as_shipped_are_enough(cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(cluster, tmp_path, monkeypatch, AS_SHIPPED.token)
    assert (await kubernetes_rights.may_read(settings)).startswith("All")


async def with_accounts(cluster: RunningCluster, *namespaces: str) -> None:
    """The namespaces, each with a ServiceAccount called mender."""
    async with httpx.AsyncClient(base_url=cluster.url, trust_env=False) as http:
        for namespace in namespaces:
            (await http.post("/api/v1/namespaces", json={"metadata": {"name": namespace}})).raise_for_status()
            path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
            (await http.post(path, json={"metadata": {"name": "mender"}})).raise_for_status()


def by_executor(cluster: RunningCluster, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = settings_for(cluster, folder, monkeypatch, DEPLOYMENT.token)
    return settings.model_copy(update={"kubernetes": settings.kubernetes.model_copy(update={"executor": "mender"})})


async def test_an_executor_is_asked_about_by_namespace(
    cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_accounts(cluster, "shop", "bank")
    settings = by_executor(cluster, tmp_path, monkeypatch)
    with pytest.raises(NotSetUp, match="ServiceAccount mender of their own namespace"):
        await kubernetes_rights.may_change(settings)
    assert "ServiceAccount mender may carry out every action" in await kubernetes_rights.may_change_in("shop", settings)
    with pytest.raises(ClusterForbiddenError, match=r"Not allowed in namespace bank: .*patch deployments\.apps"):
        await kubernetes_rights.may_change_in("bank", settings)
    with pytest.raises(ClusterForbiddenError, match=r"kubectl apply -n nowhere -f deploy/rbac/namespace\.yaml"):
        await kubernetes_rights.may_change_in("nowhere", settings)


async def test_without_an_executor_a_namespace_is_asked_about_with_our_own_rights(
    cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_accounts(cluster, "shop")
    assert "This credential may" in await kubernetes_rights.may_change_in("shop", settings_for(cluster, tmp_path, monkeypatch))
    with pytest.raises(ClusterForbiddenError, match="Not allowed in namespace shop"):
        await kubernetes_rights.may_change_in("shop", settings_for(cluster, tmp_path, monkeypatch, READER.token))


async def test_missing_right_to_look_is_named(cluster: RunningCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterForbiddenError, match="get pods/log") as barred:
        await kubernetes_rights.may_read(settings_for(cluster, tmp_path, monkeypatch, NO_LOGS.token))
    assert "get deployments.apps" not in str(barred.value)


async def test_cluster_that_is_gone_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_cluster() as gone:
        settings = settings_for(gone, tmp_path, monkeypatch)
    with pytest.raises(ClusterUnavailableError, match="/version"):
        await kubernetes_rights.answers(settings)


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackStandin]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with running_slack() as standin:
        yield standin


def slack_settings(slack: SlackStandin, token: str | None = None) -> Settings:
    return Settings(
        slack=SlackSettings(
            bot_token=SecretStr(token or slack.workspace.bot_token),
            signing_secret=SecretStr("secret"),
            channel="C1",
            api_url=slack.api_url,
        )
    )


async def test_slack_that_knows_the_token_is_well(slack: SlackStandin) -> None:
    assert "buttons by HTTP" in await checks.slack(slack_settings(slack))


async def test_slack_that_does_not_know_the_token_says_so(slack: SlackStandin) -> None:
    with pytest.raises(ChatRejectedError, match="invalid_auth"):
        await checks.slack(slack_settings(slack, "xoxb-wrong"))


async def test_a_mention_of_a_group_that_is_not_there_is_named(slack: SlackStandin) -> None:
    there = slack.workspace.add_usergroup("sre", slack.workspace.add_user("mia"))
    gone = slack.workspace.add_usergroup("old")
    gone.date_delete = 1
    settings = slack_settings(slack)

    def mentioning(text: str) -> Settings:
        return settings.model_copy(update={"slack": settings.slack.model_copy(update={"mentions": read_mentions(text)})})

    assert "buttons by HTTP" in await checks.slack(mentioning(f"*={there.id},here,U0ANYBODY"))
    with pytest.raises(SettingsError, match=f"OPSMEND_SLACK__MENTIONS .*: {gone.id}, S0NOTHERE"):
        await checks.slack(mentioning(f"*={there.id}; shop=S0NOTHERE,{gone.id}"))


async def test_a_pager_is_asked_and_nobody_is_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pagerduty = PagerDutyStandin()

    def with_key(key: str) -> Settings:
        of = PagerDutySettings(url=pagerduty.server.url, routing_key=SecretStr(key))
        return Settings(pager=PagerSettings(pagerduty=of))

    async with listening(pagerduty.server.listener):
        assert "PagerDuty takes events" in await checks.pager(with_key(pagerduty.routing_key))
        with pytest.raises(PagerUnavailableError, match="Invalid routing key"):
            await checks.pager(with_key("f" * 32))
    with pytest.raises(PagerUnavailableError, match="PagerDuty did not answer"):
        await checks.pager(with_key(pagerduty.routing_key))
    assert pagerduty.incidents == []


async def test_slack_that_is_down_is_unavailable(slack: SlackStandin) -> None:
    await slack.go_down()
    with pytest.raises(ChatUnavailableError):
        await checks.slack(slack_settings(slack))


async def test_temporal_that_knows_our_search_attributes_is_well(tmp_path: Path) -> None:
    server = await start_temporal(tmp_path, port=free_port(), ui_port=free_port())
    try:
        settings = Settings(temporal_address=server.address)
        assert server.address in await checks.temporal(settings)
        elsewhere = Settings(temporal_address=server.address, temporal_namespace="nowhere")
        with pytest.raises(SettingsError, match="no namespace nowhere"):
            await checks.temporal(elsewhere)
    finally:
        await server.part.stop()


async def test_nobody_at_the_temporal_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with pytest.raises(TemporalUnavailableError, match=r"does not answer at 127\.0\.0\.1:1"):
        await checks.temporal(Settings())


async def test_embedding_model_is_there() -> None:
    assert "384 dimensions" in await checks.embedding_model(Settings())


async def test_nobody_at_the_milvus_address_is_said() -> None:
    with pytest.raises(MemoryUnavailableError):
        await checks.memory(Settings(milvus=MilvusSettings(uri="http://127.0.0.1:1")))
