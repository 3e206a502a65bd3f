"""A Temporal server for each file and a namespace for each test, real workflows and graphs, ports in memory."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from opsmend.adapters.llm.thinker import NoModel
from opsmend.adapters.temporal.change_control import TemporalChangeControl
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.adapters.temporal.large_payloads import converter_with
from opsmend.adapters.temporal.steering import TemporalSteering
from opsmend.agents.sre.last_good import GoodKeeper
from opsmend.domain.alert import Alert
from opsmend.domain.budget import Budget
from opsmend.domain.change_control import ChangeLimits
from opsmend.domain.incident import IncidentState, Patience, Status
from opsmend.domain.plan import Plan
from opsmend.domain.ports.chat import Chat
from opsmend.domain.ports.desk import IncidentRow
from opsmend.domain.ports.first_messages import FirstMessages
from opsmend.domain.ports.judge import Judge
from opsmend.domain.target import Target
from opsmend.embedded.temporal_server import PROMPT
from opsmend.errors import IncidentNotFoundError
from opsmend.policy.engine import CedarJudge
from opsmend.policy.policy_files import shipped_policies
from opsmend.worker import (
    DEFAULT_LIMITS,
    LOOKS_AT_ONCE,
    architect_worker,
    connectors_worker,
    deployment_worker,
    security_worker,
    sre_worker,
    workflows_worker,
)
from tests.builders import a_decision_request, a_target, an_alert
from tests.integration.outside.waiting import NotInTimeError
from tests.workflows.fakes import (
    ArtifactsInMemory,
    ChatInMemory,
    ClusterInMemory,
    LastGoodInMemory,
    MemoryInMemory,
    MetricsInMemory,
    NamespacesInMemory,
    PagerInMemory,
)
from tests.workflows.servers import SharedTemporal, a_temporal, started

QUICK = Patience(
    intake_window=timedelta(milliseconds=50),
    verify_interval=timedelta(milliseconds=50),
    verify_deadline=timedelta(seconds=10),
)
"""A fix that helps is proven within a second, and on a busy machine somewhat later."""
GIVES_UP_SOON = QUICK.model_copy(update={"verify_deadline": timedelta(seconds=2)})
"""For a fix that does not help."""
INCIDENT = a_target().incident_id


class World:
    """What a test holds: the desk to post to, and the ports to look at and to break."""

    def __init__(
        self,
        client: Client,
        patience: Patience = QUICK,
        budget: Budget | None = None,
        watched: Sequence[str] = (),
        cluster: ClusterInMemory | None = None,
        policies: Sequence[str] = (),
        limits: ChangeLimits = DEFAULT_LIMITS,
        looks_at_once: int = LOOKS_AT_ONCE,
        judge: Judge | None = None,
        slack: Chat | None = None,
        first_messages: Callable[[Client], FirstMessages] | None = None,
    ) -> None:
        """`slack`: where people are told instead of in `chat`. `first_messages`: what limits new messages there.

        `watched`: the namespaces whose good configuration is kept. `policies`: the examples that are in force as well.
        """
        self.client = client
        self.workers_client = client
        self.cluster = cluster or ClusterInMemory()
        self.control = TemporalChangeControl(client, a_target().cluster)
        self.limits = limits
        self.looks_at_once = looks_at_once
        self.steering = TemporalSteering(client, a_target().cluster, patience, budget or Budget())
        self._given = judge
        self.memory = MemoryInMemory()
        self.metrics = MetricsInMemory()
        self.policies = policies
        self.chat = ChatInMemory()
        self._slack = slack
        self._first_messages = first_messages
        self.pager = PagerInMemory()
        self.artifacts = ArtifactsInMemory()
        self.namespaces = NamespacesInMemory(self.cluster)
        self.last_good = LastGoodInMemory(self.artifacts)
        self.keeper = GoodKeeper(self.namespaces, self.last_good, self.artifacts, namespaces=watched)
        self.desk = TemporalDesk(
            client,
            ui_url="http://127.0.0.1:1",
            patience=patience,
            budget=budget or Budget(),
            rpc_timeout=timedelta(seconds=5),
        )

    async def work(self, stack: AsyncExitStack) -> None:
        artifacts, judge = self.artifacts, self._judge()
        for worker in (
            workflows_worker(self.workers_client),
            sre_worker(
                self.workers_client,
                self.cluster,
                self.metrics,
                self.memory,
                NoModel(),
                artifacts,
                self.keeper,
                self.looks_at_once,
            ),
            architect_worker(self.workers_client, self.cluster, artifacts),
            security_worker(self.workers_client, self.cluster, judge, artifacts),
            deployment_worker(self.workers_client, self.cluster, self.cluster, judge, artifacts, self.control, self.limits),
            connectors_worker(
                self.workers_client,
                self.desk,
                self.steering,
                self._slack or self.chat,
                self.memory,
                self.pager,
                self._first_messages and self._first_messages(self.client),
            ),
        ):
            await stack.enter_async_context(worker)

    def _judge(self) -> Judge:
        if self._given:
            return self._given
        with TemporaryDirectory() as folder:
            for file in (
                *shipped_policies().glob("*.cedar"),
                *(shipped_policies() / "examples" / name for name in self.policies),
            ):
                shutil.copy(file, folder)
            return CedarJudge(Path(folder))

    async def alert(self, **changes: Any) -> Alert:
        """Post one alert of shop/web."""
        alert = an_alert(**changes)
        await self.desk.submit(alert.target, (alert,))
        return alert

    async def state(self) -> IncidentState:
        return await self.desk.get(INCIDENT)

    async def until(
        self, condition: Callable[[IncidentState], bool], *, within: float = 40, incident: str = INCIDENT
    ) -> IncidentState:
        """The state once `condition` holds of it."""
        state: IncidentState | None = None
        pause = 0.02
        try:
            async with asyncio.timeout(within):
                while True:
                    state = await self.desk.get(incident)
                    if condition(state):
                        return state
                    await asyncio.sleep(pause)
                    pause = min(1.1 * pause, 0.2)
        except TimeoutError:
            timeline = "\n".join(f"{e.event}: {e.detail}" for e in state.timeline) if state else "no state"
            raise NotInTimeError(f"never came true; last seen {state and state.status}:\n{timeline}") from None

    async def until_there(
        self, condition: Callable[[IncidentState], bool], *, within: float = 40, incident: str = INCIDENT
    ) -> IncidentState:
        """As `until`, of an incident that nobody may have opened yet."""
        async with asyncio.timeout(within):
            while True:
                try:
                    await self.desk.get(incident)
                except IncidentNotFoundError:
                    await asyncio.sleep(0.05)
                else:
                    return await self.until(condition, within=within, incident=incident)

    async def until_scheduled(self, target: Target, activity: str, within: float = 30) -> None:
        """Until the first investigation of the target's incident has handed in this activity."""
        handle = self.client.get_workflow_handle(f"{target.incident_id}:sre:1")
        async with asyncio.timeout(within):
            while True:
                try:
                    described = await handle.describe()
                except RPCError:
                    await asyncio.sleep(0.02)
                    continue
                if any(p.activity_type.name == activity for p in described.raw_description.pending_activities):
                    return
                await asyncio.sleep(0.02)

    async def listed_with(self, run_id: str, within: float = 20) -> tuple[IncidentRow, ...]:
        """The list of incidents once it has this run: visibility follows a moment later."""
        async with asyncio.timeout(within):
            while True:
                rows = await self.desk.list()
                if any(row.run_id == run_id for row in rows):
                    return rows
                await asyncio.sleep(0.05)

    async def until_asked(self) -> IncidentState:
        return await self.until(lambda s: s.status is Status.AWAITING_APPROVAL)

    async def until_verifying(self) -> Plan:
        """Approve what is planned for an alert that goes on firing: the plan, once its fix is looked at."""
        self.metrics.firing = True
        await self.alert()
        asked = await self.until_asked()
        assert asked.plan is not None
        await self.desk.decide(INCIDENT, a_decision_request(asked.plan))
        await self.until(lambda s: s.status is Status.VERIFYING)
        return asked.plan

    async def until_closed(self) -> IncidentState:
        return await self.until(lambda s: s.status is Status.CLOSED)


MakeWorld = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def temporal(request: pytest.FixtureRequest) -> AsyncIterator[SharedTemporal]:
    """The file's server, with two namespaces for each of its tests: one that came too late is played once more."""
    tests = sum(item.path == request.path for item in request.session.items)
    async with a_temporal(namespaces=2 * tests) as server:
        yield server


async def a_server_that_skips_time() -> WorkflowEnvironment:
    """Each needs its own: the clock belongs to the whole server."""
    return await started(
        WorkflowEnvironment.start_time_skipping_v2,
        *PROMPT,
        "--dynamic-config-value",
        "frontend.WorkflowTimeSkippingEnabled=true",
    )


async def a_server_of_short_histories(longest: int) -> WorkflowEnvironment:
    """It suggests to continue a history of `longest` events."""
    suggests = f"limit.historyCount.suggestContinueAsNew={longest}"
    return await started(WorkflowEnvironment.start_local, *PROMPT, "--dynamic-config-value", suggests)


@pytest.fixture
async def make_world(temporal: SharedTemporal) -> AsyncIterator[MakeWorld]:
    """A world with its own workers in a namespace of its own; arguments go to World."""
    async with AsyncExitStack() as stack:

        async def make(
            *, skipping: bool = False, shared_store: bool = False, longest_history: int | None = None, **terms: Any
        ) -> World:
            """`shared_store`: the workers keep large payloads in an artifact store, as in production."""
            if skipping:
                client = (await stack.enter_async_context(await a_server_that_skips_time())).client
            elif longest_history:
                client = (await stack.enter_async_context(await a_server_of_short_histories(longest_history))).client
            else:
                client = await temporal.client()
            world = World(client, **terms)
            if shared_store:
                config = client.config() | {"data_converter": converter_with(world.artifacts)}
                world.workers_client = Client(**config)
            await world.work(stack)
            return world

        yield make


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world()
