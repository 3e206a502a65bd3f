"""opsmend as it runs in production: a process a role, each with its own credentials, Slack as the way to ask."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from temporalio.client import Client

from lab.places import OPSMEND_URL
from opsmend.adapters.artifacts.last_good import FileLastGood
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.adapters.kubernetes.rbac import EXECUTOR
from opsmend.adapters.milvus.server import milvus_command
from opsmend.adapters.temporal.connection import connect
from opsmend.adapters.temporal.schedule import SCHEDULE_ID
from opsmend.domain.target import ObjectRef
from opsmend.embedded.processes import Part, free_port, listens, start_part
from opsmend.embedded.temporal_server import start_temporal
from tests.drills.ground import Ground
from tests.integration.outside.waiting import eventually
from tests.slack_standin.standin import SlackStandin, running_slack
from tests.slack_standin.workspace import Channel, Message, User

Json = dict[str, Any]

CLUSTER: Final = "lab"
ROLES: Final = ("workflows", "sre", "architect", "security", "deployment", "connectors")
APPROVE: Final = "opsmend_approve"
OPERATOR_TOKEN: Final = "the-token-of-the-operators-0002"

TEMPO: Final = {
    "OPSMEND_INCIDENT__INTAKE_WINDOW": "PT3S",
    "OPSMEND_INCIDENT__VERIFY_INTERVAL": "PT3S",
    "OPSMEND_INCIDENT__VERIFY_DEADLINE": "PT2M",
}
"""Shorter than as shipped, as the alert rules of the lab are."""


MANY_CHANGES: Final = {"OPSMEND_LIMITS__PER_CLUSTER": "1000"}
"""All drills together change more within an hour than a team would let opsmend change."""


@dataclass
class Opsmend:
    """All of it, and the person who is on call: `mia`, of the user group opsmend-approvers."""

    slack: SlackStandin
    channel: Channel
    mia: User
    http: httpx.AsyncClient
    folder: Path
    environments: dict[str, dict[str, str]]
    temporal: Client
    parts: dict[str, Part] = field(default_factory=dict)

    async def incident(self, incident_id: str) -> Json | None:
        """As the API tells it; None while there is none."""
        answer = await self.http.get(f"/v1/incidents/{incident_id}")
        if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.SERVICE_UNAVAILABLE):
            return None
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def incidents(self) -> list[Json]:
        answer = await self.http.get("/v1/incidents")
        answer.raise_for_status()
        found: list[Json] = answer.json()["incidents"]
        return found

    async def run_of(self, incident_id: str, run_id: str) -> Json:
        """One run of an incident: a target that fails again gets another."""
        answer = await self.http.get(f"/v1/incidents/{incident_id}", params={"run_id": run_id})
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def stop_looking(self) -> None:
        """No more looks at watched namespaces: what was asked so far is all."""
        await self.temporal.get_schedule_handle(SCHEDULE_ID).pause()

    async def keeps(self, config_map: ObjectRef, uid: str) -> bool:
        """Whether it has a last known good version of the ConfigMap on its disk."""
        data = self.folder / "data"
        last_good = FileLastGood(data / "last-good", CLUSTER, FileArtifacts(data / "artifacts"))
        return await last_good.newest(config_map, uid) is not None

    async def approve(self, asking: Json) -> Message:
        """A click on the button of the message that asks about this very plan; the message as it was then."""

        async def look() -> Message | None:
            return next((m for m in self.slack.workspace.messages(self.channel.id) if _asks(m, asking["plan"]["hash"])), None)

        question = await eventually(look, f"the question about {asking['id']} in Slack", 30)
        await self.slack.click(self.mia, self.channel.id, question, APPROVE)
        return question

    async def start(self, role: str) -> None:
        """The worker of a role, or the API."""
        port = str(urlsplit(OPSMEND_URL).port)
        command = ["api", "--port", port] if role == "api" else ["worker", "--role", role]
        argv = [sys.executable, "-m", "opsmend.cli", *command]
        self.parts[role] = await start_part(role, argv, self.folder / "logs", self.environments[role])

    async def kill(self, role: str) -> None:
        self.parts[role].kill()
        await self.parts[role].process.wait()


@asynccontextmanager
async def opsmend_running(
    folder: Path, ground: Ground, kubeconfigs: dict[str, Path], watched: Sequence[str]
) -> AsyncIterator[Opsmend]:
    """Everything started and answering; ends with the context. Of the namespaces `watched` it keeps good configurations."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(running_slack())
        workspace = slack.workspace
        mia = workspace.add_user("mia")
        workspace.add_usergroup("opsmend-approvers", mia)
        channel = workspace.add_channel("incidents")
        slack.request_url = f"{OPSMEND_URL}/v1/slack/events"
        server = await start_temporal(folder / "temporal")
        stack.push_async_callback(server.part.stop)
        milvus_port = free_port()
        milvus = await start_part("milvus", milvus_command(folder / "milvus", milvus_port), folder / "logs")
        stack.push_async_callback(milvus.stop)
        shared = {
            "TEMPORAL_ADDRESS": server.address,
            "OPSMEND_TEMPORAL__UI_URL": server.ui_url,
            "OPSMEND_DATA_DIR": str(folder / "data"),
            "OPSMEND_KUBERNETES__CLUSTER": CLUSTER,
            "NO_PROXY": f"127.0.0.1,{ground.server}",
            **TEMPO,
        }
        chat = {
            "OPSMEND_SLACK__BOT_TOKEN": workspace.bot_token,
            "OPSMEND_SLACK__SIGNING_SECRET": workspace.signing_secret,
            "OPSMEND_SLACK__CHANNEL": channel.id,
            "OPSMEND_SLACK__API_URL": slack.api_url,
        }
        memory = {"OPSMEND_MILVUS__URI": f"http://127.0.0.1:{milvus_port}"}
        tokens = {"OPSMEND_API_TOKEN": ground.webhook_token, "OPSMEND_OPERATOR_TOKEN": OPERATOR_TOKEN}
        cluster = {agent: {"KUBECONFIG": str(kubeconfig)} for agent, kubeconfig in kubeconfigs.items()}
        watching = {
            "OPSMEND_LAST_GOOD__NAMESPACES": ",".join(watched),
            "OPSMEND_LAST_GOOD__INTERVAL": "PT3S",
            "OPSMEND_LAST_GOOD__STEADY_AFTER": "PT3S",
        }
        no_cluster = {"KUBECONFIG": "/nowhere"}
        environments = {
            "api": shared | chat | tokens | no_cluster,
            "workflows": shared | no_cluster,
            "sre": shared | memory | cluster["sre"] | watching | {"OPSMEND_PROMETHEUS_URL": ground.prometheus_url},
            "architect": shared | cluster["architect"],
            "security": shared | cluster["security"],
            "deployment": shared | cluster["deployment"] | {"OPSMEND_KUBERNETES__EXECUTOR": EXECUTOR} | MANY_CHANGES,
            "connectors": shared | chat | memory | no_cluster,
        }
        headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=OPSMEND_URL, headers=headers, trust_env=False, timeout=40)
        )
        temporal = await connect(server.address, "default")
        opsmend = Opsmend(slack, channel, mia, http, folder, environments, temporal)
        stack.push_async_callback(_stop_all, opsmend)
        await milvus.ready(lambda: listens(milvus_port))
        for role in environments:
            await opsmend.start(role)
        await eventually(lambda: _ready(http), "opsmend ready", 90)
        yield opsmend


async def _stop_all(opsmend: Opsmend) -> None:
    await asyncio.gather(*(part.stop() for part in opsmend.parts.values()))


async def _ready(http: httpx.AsyncClient) -> bool | None:
    try:
        return True if (await http.get("/readyz")).status_code == httpx.codes.OK else None
    except httpx.TransportError:
        return None


def _asks(message: Message, plan_hash: str) -> bool:
    buttons = [e for block in message["blocks"] for e in block.get("elements", []) if e.get("type") == "button"]
    return any(b["action_id"] == APPROVE and plan_hash in json.dumps(b["value"]) for b in buttons)
