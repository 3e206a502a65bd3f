"""Where one chaos case plays: a cluster, a worker that may die, a Temporal namespace, a Slack channel, a memory of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
from temporalio.client import Client, WorkflowExecutionStatus

from opsmend.adapters.milvus.memory import MilvusMemory
from opsmend.adapters.temporal.connection import connect
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.domain.alert import Alert, AlertStatus, Severity
from opsmend.domain.approval import Answer, DecisionRequest, Person
from opsmend.domain.budget import Budget
from opsmend.domain.incident import IncidentState, Patience, Status
from opsmend.domain.target import Kind, Target
from opsmend.embedded.processes import Part, start_part
from opsmend.errors import IncidentNotFoundError, OpsmendError, TransientError
from opsmend.settings import MilvusSettings
from opsmend_cluster.shop import ship_release
from tests.slack_standin.standin import SlackStandin
from tests.slack_standin.workspace import Channel

TARGET = Target(cluster="chaos", kind=Kind.DEPLOYMENT, namespace="shop", name="web")
QUICK = Patience(
    intake_window=timedelta(milliseconds=300),
    verify_interval=timedelta(milliseconds=300),
    verify_deadline=timedelta(seconds=90),
)


_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class ChaosFailedError(OpsmendError):
    """A case did not come where it must; the message says where it stood."""


class StoodStillError(ChaosFailedError):
    """It did not come there in time."""


@dataclass
class Lane:
    """Set up by `open_lane`. `kills` counts the workers that died, `sent` the alerts."""

    folder: Path
    client: Client
    desk: TemporalDesk
    cluster_url: str
    slack: SlackStandin
    channel: Channel
    memory: MilvusMemory
    env: dict[str, str]
    worker: Part | None = None
    kills: int = 0
    sent: int = 0
    ended: list[IncidentState] = field(default_factory=list)
    """The last states of earlier outbreaks."""
    _watching: list[asyncio.Task[None]] = field(default_factory=list)

    async def start_worker(self) -> None:
        """Start a worker, and another one whenever it dies."""
        self.worker = await start_part("worker", [sys.executable, "-m", "tests.chaos.worker"], self.folder, self.env)
        self._watching = [asyncio.create_task(self._start_again())]

    async def _start_again(self) -> None:
        while self.worker is not None:
            code = await self.worker.process.wait()
            if code != -signal.SIGKILL:
                raise ChaosFailedError(f"the worker ended with {code}: {self.worker.last_words()}")
            self.kills += 1
            self.worker = await start_part("worker", [sys.executable, "-m", "tests.chaos.worker"], self.folder, self.env)

    async def leave_nothing(self) -> None:
        """End what a failed case left open: the next one in this namespace has the same incident.

        The installation's own workflows run on. If the one that knows whether changes are paused ends, nothing is changed.
        """
        lasting = "'ChangeControl', 'FirstMessages', 'Watchdog'"
        async for run in self.client.list_workflows(f"ExecutionStatus = 'Running' AND WorkflowType NOT IN ({lasting})"):
            await self.client.get_workflow_handle(run.id).terminate("the case is over")

    async def stop_worker(self) -> None:
        for task in self._watching:
            task.cancel()
        if self.worker:
            self.worker.kill()
            await self.worker.process.wait()

    async def break_the_shop(self, version: int = 2) -> None:
        """Once the good release runs, ship the broken one as `version` and wait until its pod has crashed twice."""
        async with httpx.AsyncClient(base_url=self.cluster_url, trust_env=False) as http, asyncio.timeout(60):
            while (await self._web(http))["status"].get("availableReplicas", 0) < 3:
                await asyncio.sleep(0.1)
            await asyncio.to_thread(ship_release, self.cluster_url, "web", version)
            while not await self._crashed_twice(http):
                await asyncio.sleep(0.1)

    async def _web(self, http: httpx.AsyncClient) -> dict[str, Any]:
        found: dict[str, Any] = (await http.get("/apis/apps/v1/namespaces/shop/deployments/web")).json()
        return found

    async def _crashed_twice(self, http: httpx.AsyncClient) -> bool:
        pods = (await http.get("/api/v1/namespaces/shop/pods", params={"labelSelector": "app=web"})).json()
        statuses = [s for pod in pods["items"] for s in pod["status"].get("containerStatuses", [])]
        return any(s["restartCount"] >= 2 for s in statuses)

    async def send_alerts(self, starts_at: datetime = _BEGAN) -> None:
        """An alert, its resend, and another alert of the same target; each is sent until Temporal holds it."""
        for name in ("KubePodCrashLooping", "KubePodCrashLooping", "KubeDeploymentRolloutStuck"):
            alert = _alert(name, starts_at)
            await patiently(partial(self.desk.submit, TARGET, (alert,)))
            self.sent += 1

    async def state(self) -> IncidentState:
        for watch in self._watching:
            if watch.done():
                watch.result()
        return await patiently(lambda: self.desk.get(TARGET.incident_id))

    async def last_state(self) -> IncidentState | None:
        """The state if anybody can tell it soon."""
        try:
            return await patiently(lambda: self.desk.get(TARGET.incident_id), within=10)
        except (OpsmendError, TimeoutError):
            return None

    async def until(self, condition: Callable[[IncidentState], bool], within: float = 120) -> IncidentState:
        deadline = asyncio.get_running_loop().time() + within
        while not condition(state := await self.state()):
            if asyncio.get_running_loop().time() > deadline:
                raise StoodStillError("stood still: " + "; ".join(f"{e.event} {e.detail}" for e in state.timeline[-6:]))
            await asyncio.sleep(0.1)
        return state

    async def until_asked(self, *, other_than: str = "") -> IncidentState:
        """Once a run `other_than` that one asks."""
        return await self.until(lambda s: s.status is Status.AWAITING_APPROVAL and s.run_id != other_than)

    async def approve(self) -> None:
        asked = await self.until_asked()
        assert asked.plan is not None
        request = DecisionRequest(
            plan_hash=asked.plan.hash, decision=Answer.APPROVE, by=Person(via="http", id="operator", name="chaos")
        )
        try:
            await patiently(lambda: self.desk.decide(TARGET.incident_id, request))
        except OpsmendError:
            # An answer whose reply got lost with the worker was taken all the same; the state tells.
            await self.until(lambda s: s.approval is not None)

    async def over(self, within: float = 120) -> IncidentState:
        """The state once the workflow has ended, everything told and remembered."""
        handle = self.client.get_workflow_handle(TARGET.incident_id)
        try:
            async with asyncio.timeout(within):
                await handle.result()
        except TimeoutError:
            raise StoodStillError(f"the workflow did not end: {(await self.state()).timeline[-6:]}") from None
        return await self.state()

    async def cancelled(self, within: float = 120) -> IncidentState:
        """The state once the workflow has ended as cancelled."""
        handle = self.client.get_workflow_handle(TARGET.incident_id)
        async with asyncio.timeout(within):
            while (status := (await handle.describe()).status) is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(0.1)
        if status is not WorkflowExecutionStatus.CANCELED:
            raise ChaosFailedError(f"the workflow ended as {status}")
        return await self.state()

    async def template(self) -> dict[str, Any]:
        """The pods that the Deployment wants."""
        async with httpx.AsyncClient(base_url=self.cluster_url, trust_env=False) as http:
            found: dict[str, Any] = (await self._web(http))["spec"]["template"]
            return found

    async def mutations(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self.cluster_url}/opsmend-demo/audit", params={"mutations": "true"})
        return [e for e in answer.json() if e["field_manager"] == "opsmend"]

    async def arm(self, **fault: Any) -> None:
        """Let the cluster's API misbehave (see opsmend_cluster.api.faults)."""
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{self.cluster_url}/opsmend-demo/faults", json=fault)).raise_for_status()

    async def hits(self) -> int:
        """How many requests met a fault."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return sum(f["hits"] for f in (await http.get(f"{self.cluster_url}/opsmend-demo/faults")).json())

    def executed(self) -> list[dict[str, Any]]:
        """Every start and end of an activity, as the workers noted them."""
        log = self.folder / "activities.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


Answered = TypeVar("Answered")


async def patiently(ask: Callable[[], Awaitable[Answered]], within: float = 90) -> Answered:
    """Ask again while nobody is there to answer."""
    async with asyncio.timeout(within):
        while True:
            try:
                return await ask()
            except (TransientError, IncidentNotFoundError):
                await asyncio.sleep(0.2)


async def open_lane(
    stack: AsyncExitStack,
    folder: Path,
    *,
    temporal: str,
    namespace: str,
    slack: SlackStandin,
    milvus: str,
    point: str = "",
) -> Lane:
    """Everything but the worker; what has to end is put on `stack`."""
    folder.mkdir(parents=True, exist_ok=True)
    url_file, kubeconfig = folder / "cluster.url", folder / "kubeconfig"
    argv = [
        *(sys.executable, "-m", "opsmend_cluster", "--seed-shop", "--ready-file", str(url_file)),
        "--kubeconfig",
        str(kubeconfig),
    ]
    cluster = await start_part("cluster", argv, folder)
    stack.push_async_callback(cluster.stop)

    async def seeded() -> bool:
        return url_file.exists()

    await cluster.ready(seeded)
    client = await connect(temporal, namespace)
    name = folder.name.replace(" ", "-").lower()
    channel = slack.workspace.add_channel(name[:70])
    memory_settings = MilvusSettings(uri=milvus, collection="chaos_" + "".join(c if c.isalnum() else "_" for c in name))
    lane = Lane(
        folder=folder,
        client=client,
        desk=TemporalDesk(
            client, ui_url="http://127.0.0.1:1", patience=QUICK, budget=Budget(), rpc_timeout=timedelta(seconds=5)
        ),
        cluster_url=url_file.read_text().strip(),
        slack=slack,
        channel=channel,
        memory=MilvusMemory(memory_settings),
        env={
            "CHAOS_POINT": point,
            "CHAOS_LOG": str(folder / "activities.jsonl"),
            "CHAOS_KILLED": str(folder / "killed"),
            "KUBECONFIG": str(kubeconfig),
            "TEMPORAL_ADDRESS": temporal,
            "TEMPORAL_NAMESPACE": namespace,
            "OPSMEND_DATA_DIR": str(folder / "data"),
            "OPSMEND_KUBERNETES__CLUSTER": TARGET.cluster,
            "OPSMEND_KUBERNETES__REQUEST_TIMEOUT": "PT2S",
            # The cases of a lane break and mend the same workload again and again.
            **{f"OPSMEND_LIMITS__{limit}": "1000" for limit in ("PER_NAMESPACE", "PER_CLUSTER", "REMEDIES_PER_TARGET")},
            "OPSMEND_MILVUS__URI": milvus,
            "OPSMEND_MILVUS__COLLECTION": memory_settings.collection,
            "OPSMEND_SLACK__BOT_TOKEN": slack.workspace.bot_token,
            "OPSMEND_SLACK__SIGNING_SECRET": slack.workspace.signing_secret,
            "OPSMEND_SLACK__CHANNEL": channel.id,
            "OPSMEND_SLACK__API_URL": slack.api_url,
        },
    )
    stack.push_async_callback(lane.leave_nothing)
    stack.push_async_callback(lane.stop_worker)
    return lane


def _alert(name: str, starts_at: datetime) -> Alert:
    return Alert(
        source="alertmanager",
        name=name,
        status=AlertStatus.FIRING,
        severity=Severity.CRITICAL,
        fingerprint=name,
        starts_at=starts_at,
        target=TARGET,
        annotations={"summary": f"{name} on {TARGET}"},
    )
