"""The worker process: one role or several. Here, and only here, adapters are built and handed to agents and activities.

`<role>_worker` takes ports, so tests hand in other adapters; `worker_for` builds them from settings, for one role only what
that role needs: an agent's worker holds no credential of another's.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

import structlog
from langgraph.graph import StateGraph
from temporalio.client import Client
from temporalio.langgraph import LangGraphPlugin
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from opsmend.activities.feedback import FeedbackActivities
from opsmend.activities.incidents import IncidentActivities
from opsmend.activities.interceptor import ActivityConduct
from opsmend.activities.last_good import LastGoodActivities
from opsmend.activities.paging import PagingActivities
from opsmend.activities.policy import PolicyActivities
from opsmend.activities.storm import StormActivities
from opsmend.activities.watchdog import WatchdogActivities
from opsmend.adapters.artifacts.last_good import FileLastGood
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.adapters.kubernetes.access import ping
from opsmend.adapters.kubernetes.connection import connect_cluster
from opsmend.adapters.kubernetes.executors import executor_of
from opsmend.adapters.kubernetes.namespaces import KubernetesNamespaces
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.adapters.kubernetes.writer import KubernetesWriter
from opsmend.adapters.llm.thinker import NoModel
from opsmend.adapters.milvus.memory import MilvusMemory
from opsmend.adapters.pager.pagers import pager_of
from opsmend.adapters.pager.several import NoPager
from opsmend.adapters.prometheus.metrics import NoMetrics, PrometheusMetrics
from opsmend.adapters.slack.chat import slack_chat
from opsmend.adapters.temporal.change_control import TemporalChangeControl
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.adapters.temporal.first_messages import TemporalFirstMessages
from opsmend.adapters.temporal.runs import TemporalRuns
from opsmend.adapters.temporal.schedule import schedule_last_good
from opsmend.adapters.temporal.shared_causes import TemporalSharedCauses
from opsmend.adapters.temporal.steering import TemporalSteering
from opsmend.adapters.temporal.watchdog import start_watchdog
from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.agents import queues
from opsmend.agents.architect.graph import ArchitectAgent
from opsmend.agents.architect.graph import build_graph as architect_graph
from opsmend.agents.deployment.graph import DeploymentAgent
from opsmend.agents.deployment.graph import build_graph as deployment_graph
from opsmend.agents.node import absent
from opsmend.agents.queues import Role
from opsmend.agents.security.graph import SecurityAgent
from opsmend.agents.security.graph import build_graph as security_graph
from opsmend.agents.sre.graph import SreAgent
from opsmend.agents.sre.graph import build_graph as sre_graph
from opsmend.agents.sre.last_good import GoodKeeper
from opsmend.domain.budget import Budget
from opsmend.domain.change_control import ChangeLimits
from opsmend.domain.incident import Patience
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.domain.ports.change_control import ChangeControl
from opsmend.domain.ports.chat import Chat
from opsmend.domain.ports.cluster import ClusterReader, ClusterWriter
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.first_messages import FirstMessages
from opsmend.domain.ports.judge import Judge
from opsmend.domain.ports.memory import Memory
from opsmend.domain.ports.metrics import Metrics
from opsmend.domain.ports.pager import Pager
from opsmend.domain.ports.steering import IncidentSteering
from opsmend.domain.ports.thinker import Thinker
from opsmend.errors import OpsmendError
from opsmend.policy.engine import CedarJudge
from opsmend.settings import Settings
from opsmend.telemetry import keep_traces_here
from opsmend.workflows.aftermath import Aftermath
from opsmend.workflows.agent_runs import (
    ArchitectPlanning,
    DeploymentExecution,
    SecurityReview,
    SreInvestigation,
    SreVerification,
)
from opsmend.workflows.change_control import ChangeControlWorkflow
from opsmend.workflows.feedback import FeedbackWorkflow
from opsmend.workflows.first_messages import FirstMessagesWorkflow
from opsmend.workflows.incident import IncidentWorkflow
from opsmend.workflows.keep_last_good import KeepLastGood, KeepLastGoodRequest
from opsmend.workflows.priority import Precedence
from opsmend.workflows.shared_cause import SharedCauseWorkflow
from opsmend.workflows.target_lock import TargetLock
from opsmend.workflows.watchdog import Watchdog

log = structlog.get_logger()

WORKFLOWS: Final = (
    IncidentWorkflow,
    SreInvestigation,
    ArchitectPlanning,
    SecurityReview,
    DeploymentExecution,
    SreVerification,
    TargetLock,
    SharedCauseWorkflow,
    KeepLastGood,
    Aftermath,
    Watchdog,
    ChangeControlWorkflow,
    FeedbackWorkflow,
    FirstMessagesWorkflow,
)

LOOKS_AT_ONCE: Final = 10
"""Of one worker of SRE. What waits is worked off in the order of workflows/priority.py; more looks at once would load the
cluster's API in a storm, and finish none of them sooner."""

DEFAULT_LIMITS: Final = ChangeLimits()


_WITHOUT_CLUSTER: Final = frozenset({"workflows", "connectors"})


def graph_plugin() -> LangGraphPlugin:
    """All four graphs, for the process that walks them; their nodes run elsewhere. Needed for replays as well."""
    return LangGraphPlugin(
        graphs={
            "sre": sre_graph(SreAgent(absent(), absent(), absent(), absent(), absent(), absent())),
            "architect": architect_graph(ArchitectAgent(absent(), absent())),
            "security": security_graph(SecurityAgent(absent(), absent(), absent())),
            "deployment": deployment_graph(DeploymentAgent(absent(), absent(), absent(), absent(), absent(), absent())),
        }
    )


def workflows_worker(client: Client) -> Worker:
    """Runs workflow code only: `no_remote_activities`, so nothing with a credential can ever run here.

    Without Temporal's sandbox, which costs a quarter of an incident's CPU (docs/decisions/0007). Determinism is held where it
    can fail a build: tests/replay replays every path in the sandbox.
    """
    return Worker(
        client,
        task_queue=queues.WORKFLOWS,
        workflows=WORKFLOWS,
        plugins=[graph_plugin()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[Precedence()],
        no_remote_activities=True,
        # Else the SDK takes a task of more than 2 s on a busy machine for a deadlock, and the run stands still on this worker.
        debug_mode=True,
        # A worker that died is noticed by the next workflow task after 2 s instead of 10 s.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )


def sre_worker(
    client: Client,
    cluster: ClusterReader,
    metrics: Metrics,
    memory: Memory,
    thinker: Thinker,
    artifacts: Artifacts,
    keeper: GoodKeeper,
    at_once: int = LOOKS_AT_ONCE,
) -> Worker:
    """`at_once`: how many looks at the cluster, at metrics and memory it takes at the same time."""
    causes = TemporalSharedCauses(client)
    graph = sre_graph(SreAgent(cluster, metrics, memory, thinker, artifacts, causes, keeper.namespaces))
    return _activity_worker(client, queues.SRE, [*_nodes("sre", graph), LastGoodActivities(keeper).keep], at_once)


def architect_worker(client: Client, cluster: ClusterReader, artifacts: Artifacts) -> Worker:
    graph = architect_graph(ArchitectAgent(cluster, artifacts))
    return _activity_worker(client, queues.ARCHITECT, _nodes("architect", graph))


def security_worker(client: Client, cluster: ClusterReader, judge: Judge, artifacts: Artifacts) -> Worker:
    graph = security_graph(SecurityAgent(cluster, judge, artifacts))
    deciders = PolicyActivities(judge)
    return _activity_worker(
        client,
        queues.SECURITY,
        [*_nodes("security", graph), deciders.check_decider, deciders.check_operator, deciders.check_watched],
    )


def deployment_worker(
    client: Client,
    reader: ClusterReader,
    writer: ClusterWriter,
    judge: Judge,
    artifacts: Artifacts,
    control: ChangeControl,
    limits: ChangeLimits = DEFAULT_LIMITS,
) -> Worker:
    graph = deployment_graph(DeploymentAgent(reader, writer, judge, artifacts, control, limits))
    return _activity_worker(client, queues.DEPLOYMENT, _nodes("deployment", graph))


def connectors_worker(
    client: Client,
    desk: IncidentDesk,
    steering: IncidentSteering,
    chat: Chat,
    memory: Memory,
    pager: Pager | None = None,
    first_messages: FirstMessages | None = None,
) -> Worker:
    """Without a `pager` nobody is reached while chat is away; without `first_messages` new messages have no limit."""
    incidents = IncidentActivities(desk, steering, chat, memory, first_messages)
    watchdog = WatchdogActivities(TemporalRuns(client), chat, desk)
    paging = PagingActivities(desk, pager or NoPager())
    return _activity_worker(
        client,
        queues.CONNECTORS,
        [
            incidents.publish_incident,
            incidents.write_postmortem,
            incidents.remember_postmortem,
            incidents.group_under_node,
            incidents.hand_back,
            watchdog.find_stalled,
            watchdog.free_locks,
            watchdog.call_people,
            StormActivities(chat).tell_digest,
            paging.trigger,
            paging.resolve,
            FeedbackActivities(memory).forget,
        ],
    )


def _nodes(name: str, graph: StateGraph[Any, Any, Any, Any]) -> list[Any]:
    return list(LangGraphPlugin(graphs={name: graph}).activities)


def _activity_worker(client: Client, queue: str, activities: list[Any], at_once: int | None = None) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        max_concurrent_activities=at_once,
        interceptors=[ActivityConduct()],
        graceful_shutdown_timeout=timedelta(seconds=10),
    )


async def worker_for(role: Role, settings: Settings, client: Client, stack: AsyncExitStack) -> Worker:
    """The worker of one role with its own adapters; what has to be closed is put on `stack`."""
    artifacts = artifacts_of(settings)
    match role:
        case "workflows":
            return workflows_worker(client)
        case "sre":
            connection = await connect_cluster(settings.kubernetes, stack)
            last_good = FileLastGood(settings.data_dir / "last-good", settings.kubernetes.name, artifacts)
            keeper = GoodKeeper(
                KubernetesNamespaces(connection),
                last_good,
                artifacts,
                namespaces=settings.last_good.namespaces,
                steady_after=settings.last_good.steady_after,
            )
            await _schedule(settings, client)
            return sre_worker(
                client,
                KubernetesReader(connection, last_good, keeper.namespaces),
                _metrics(settings, stack),
                _memory(settings, stack),
                NoModel(),
                artifacts,
                keeper,
                settings.storm.investigations_at_once,
            )
        case "architect":
            return architect_worker(client, KubernetesReader(await connect_cluster(settings.kubernetes, stack)), artifacts)
        case "security":
            reader = KubernetesReader(await connect_cluster(settings.kubernetes, stack))
            return security_worker(client, reader, CedarJudge(settings.policy.directory), artifacts)
        case "deployment":
            connection = await connect_cluster(settings.kubernetes, stack)
            judge = CedarJudge(settings.policy.directory)
            if settings.kubernetes.executor is None:
                log.warning("executor.unset", meaning="changes are made with the rights of the kubeconfig")
            writer = KubernetesWriter(connection, executor_of(settings.kubernetes, connection))
            control = TemporalChangeControl(client, settings.kubernetes.name)
            limits = ChangeLimits(**settings.limits.model_dump())
            return deployment_worker(client, KubernetesReader(connection), writer, judge, artifacts, control, limits)
        case "connectors":
            desk = desk_for(settings, client)
            chat = slack_chat(settings.slack) if settings.slack.bot_token else TerminalChat()
            await start_watchdog(client, settings.temporal.rpc_timeout)
            steering, memory = steering_for(settings, client), _memory(settings, stack)
            # A terminal's log needs no limit.
            per_minute = settings.storm.new_messages_per_minute
            first_messages = TemporalFirstMessages(client, per_minute) if settings.slack.bot_token else None
            return connectors_worker(client, desk, steering, chat, memory, _pager(settings, stack), first_messages)


async def _schedule(settings: Settings, client: Client) -> None:
    """SRE's worker sees to the schedule, as it alone is told which namespaces are watched."""
    watched = KeepLastGoodRequest(cluster=settings.kubernetes.name, namespaces=settings.last_good.namespaces)
    await schedule_last_good(client, watched, settings.last_good.interval, settings.temporal.rpc_timeout)


def artifacts_of(settings: Settings) -> FileArtifacts:
    """The store that all workers share."""
    return FileArtifacts(settings.data_dir / "artifacts")


def _metrics(settings: Settings, stack: AsyncExitStack) -> Metrics:
    if not settings.prometheus_url:
        return NoMetrics()
    prometheus = PrometheusMetrics(settings.prometheus_url)
    stack.push_async_callback(prometheus.close)
    return prometheus


def _memory(settings: Settings, stack: AsyncExitStack) -> MilvusMemory:
    memory = MilvusMemory(settings.milvus)
    stack.push_async_callback(memory.close)
    return memory


def _pager(settings: Settings, stack: AsyncExitStack) -> Pager:
    pager = pager_of(settings.pager, stack)
    if isinstance(pager, NoPager):
        log.warning("pager.not_configured", meaning="while chat is away nobody is called")
    return pager


def steering_for(settings: Settings, client: Client) -> TemporalSteering:
    """For the watched cluster, with the terms that `settings` set for new incidents."""
    return TemporalSteering(
        client,
        settings.kubernetes.name,
        patience=Patience(**settings.incident.model_dump(), **settings.approval.model_dump()),
        budget=Budget(**settings.budget.model_dump()),
    )


def desk_for(settings: Settings, client: Client) -> TemporalDesk:
    """The desk with the terms that `settings` set for new incidents."""
    return TemporalDesk(
        client,
        ui_url=settings.temporal.ui_url,
        patience=Patience(**settings.incident.model_dump(), **settings.approval.model_dump()),
        budget=Budget(**settings.budget.model_dump()),
        rpc_timeout=settings.temporal.rpc_timeout,
    )


async def run_workers(roles: Iterable[Role], settings: Settings, client: Client, stack: AsyncExitStack) -> None:
    """Start a worker a role; they run until `stack` is closed, which drains them.

    Raises:
        SettingsError: one of them cannot be built. Then none has started.
    """
    keep_traces_here(export=settings.langsmith_tracing)
    asked = list(roles)
    workers = [await worker_for(role, settings, client, stack) for role in asked]
    if not _WITHOUT_CLUSTER.issuperset(asked):
        looking = asyncio.create_task(_say_if_the_cluster_is_away(settings))
        stack.callback(looking.cancel)
    for worker in workers:
        await stack.enter_async_context(worker)


async def _say_if_the_cluster_is_away(settings: Settings) -> None:
    """In one line at the start. It may come back, so the worker runs on: what needs the cluster is tried again."""
    async with AsyncExitStack() as stack:
        try:
            await ping(await connect_cluster(settings.kubernetes, stack))
        except OpsmendError as away:
            log.error("cluster.away", reason=str(away), meaning="nothing is looked into or changed until it answers")  # noqa: TRY400
