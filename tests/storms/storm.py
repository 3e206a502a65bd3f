"""One storm: the targets break, their alerts come in two halves with that of the cause between them, and the cause ends."""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from temporalio.client import Client

from opsmend.adapters.temporal.connection import connect
from opsmend.adapters.temporal.shared_causes import FRESH, TemporalSharedCauses
from tests.integration.outside.cluster import GOOD, Cluster, a_cluster
from tests.integration.outside.opsmend import CLUSTER, Opsmend, opsmend_up
from tests.integration.outside.waiting import eventually
from tests.slack_standin.standin import SlackStandin, running_slack
from tests.slack_standin.workspace import Channel
from tests.storms.causes import NAMESPACE, OTHER_NODE, Cause, Json, on_node

UNRELATED: Final = 20
IN_ONE_NOTIFICATION: Final = 10
"""Alertmanager groups alerts."""
PATIENCE: Final = 240.0
"""Seconds for a step of a storm of a hundred targets; more have more."""
OWN: Final = "the cause itself"
_HALVES: Final = 2
_ROOMY: Final[Json] = {"node_capacity": {"cpu": "4000", "memory": "8000Gi", "pods": "4000"}}


@dataclass(frozen=True)
class Account:
    """What became of the incidents, by the name of the Deployment (or OWN). `late`: their cause was known before they began."""

    targets: frozenset[str]
    unrelated: frozenset[str]
    late: frozenset[str]
    settled: dict[str, Json]
    """Each as it was once it waited for another, asked or was over."""
    seconds: float
    """Until all had settled."""
    ended: dict[str, Json]
    """Those of the targets, once their cause was over."""
    calls: Counter[str]
    """To the Kubernetes API, by its own audit log."""
    notified: tuple[int, int]
    """Messages for which a phone buzzed: until all had settled, and until the end."""
    changed: tuple[tuple[str, ...], tuple[str, ...]]
    """Objects, by the cluster's audit log: until all had settled, and until the end."""


@dataclass
class Storm:
    """`targets` suffer from the cause, `unrelated` have a fault of their own beside them."""

    cause: Cause
    cluster: Cluster
    opsmend: Opsmend
    slack: SlackStandin
    channel: Channel
    targets: Sequence[str]
    unrelated: Sequence[str]
    incidents: dict[str, str] = field(default_factory=dict)
    """Deployment, or the cause's own alert, to incident."""
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    """When all alerts began to fire; a resend says so again."""

    async def furnish(self) -> None:
        """Deploy everything, and wait until it is well."""
        on_other = on_node(OTHER_NODE)
        for name in self.unrelated:
            await self.cluster.deploy(NAMESPACE, name=name, ready=False, pod=on_other)
        await self.cause.prepare(self.cluster)
        for name in self.targets:
            await self.cluster.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", self._target(name))
        await eventually(lambda: self._all((*self.targets, *self.unrelated), ready=True), "all are well", self._patience)

    async def strike(self) -> None:
        for name in self.unrelated:
            await self.cluster.patch_container(NAMESPACE, {"image": f"registry.example/{name}:broken"}, name)
        await self.cause.strike(self.cluster)
        await eventually(lambda: self._all(self.targets, ready=False), "all targets fail", self._patience)

    async def send_alerts(self) -> frozenset[str]:
        """Half of the alerts, that of the cause, and the others once the cause is known: those of whom it was known."""
        first, second = self._half(0), self._half(1)
        await self._send(first, "firing")
        if self.cause.own:
            await self._send_own("firing")
        client = await self._temporal()
        await eventually(lambda: self._known(client), "the cause is known", self._patience)
        await self._send([*second, *first], "firing")  # those of the first half are sent again, as long as they fire
        return frozenset(name for name in second if name in self.targets)

    async def settled(self) -> dict[str, Json]:
        """All incidents, once each waits for another, asks or is over."""
        found: dict[str, Json] = {}

        async def look() -> bool | None:
            for name, incident in self.incidents.items():
                if name not in found:
                    seen = await self.opsmend.incident(incident)
                    if not _has_settled(seen):
                        return None
                    found[name] = seen
            return True

        await eventually(look, "all incidents settled", self._patience)
        return {name: await self.opsmend.incident(incident) for name, incident in self.incidents.items()}

    async def end(self) -> dict[str, Json]:
        """The cause ends and the alerts of the targets resolve: their incidents, once they are closed."""
        await self.cause.end(self.cluster, self._say_yes)
        await eventually(lambda: self._all(self.targets, ready=True), "all targets are well again", self._patience)
        await self._send(list(self.targets), "resolved")
        if self.cause.own:
            await self._send_own("resolved")
        return {name: await self.opsmend.closed(self.incidents[name]) for name in self.targets}

    async def _say_yes(self) -> None:
        for name in (*self.targets, OWN):
            if (await self.opsmend.incident(self.incidents[name]))["status"] == "awaiting_approval":
                await self.opsmend.approve(self.incidents[name])

    async def calls(self) -> Counter[str]:
        names = {incident: name for name, incident in self.incidents.items()}
        counted: Counter[str] = Counter()
        for entry in await self.cluster.get("/opsmend-demo/audit", reads="true"):
            workflow = entry["user_agent"].partition("; ")[2].removesuffix(")")
            incident = next((i for i in names if workflow.startswith(f"{i}:")), None)
            if incident:
                counted[names[incident]] += 1
        return counted

    async def changed(self) -> tuple[str, ...]:
        entries = await self.cluster.get("/opsmend-demo/audit", mutations="true")
        return tuple(f"{e['namespace']}/{e['name']}" for e in entries if e["field_manager"] == "opsmend")

    def notified(self) -> int:
        """Messages for which a phone buzzes."""
        return len({notification.ts for notification in self.slack.workspace.notifications})

    # --- how it is done ---

    @property
    def _patience(self) -> float:
        return PATIENCE * max(1.0, len(self.targets) / 100)

    def _half(self, number: int) -> list[str]:
        """Faults of all kinds side by side."""
        names = [*self.targets[number::_HALVES], *self.unrelated[number::_HALVES]]
        Random(number).shuffle(names)
        return names

    async def _send(self, names: Sequence[str], status: str) -> None:
        for start in range(0, len(names), IN_ONE_NOTIFICATION):
            group = names[start : start + IN_ONE_NOTIFICATION]
            labels = [
                {"alertname": "KubeDeploymentReplicasMismatch", "namespace": NAMESPACE, "deployment": name} for name in group
            ]
            touched = await self.opsmend.post("alertmanager", _notification(labels, status, self.began))
            by_name = {incident["id"].rpartition(":")[2]: incident["id"] for incident in touched}
            self.incidents = {**by_name, **self.incidents}

    async def _send_own(self, status: str) -> None:
        for touched in await self.opsmend.post("alertmanager", _notification([self.cause.own], status, self.began)):
            self.incidents.setdefault(OWN, touched["id"])

    async def _known(self, client: Client) -> bool | None:
        """For so long that each worker knows it too: it lists causes every FRESH seconds."""
        known = await TemporalSharedCauses(client).known(CLUSTER)
        since = [one.since for one in known if one.cause.kind is self.cause.kind]
        return True if since and datetime.now(UTC) - min(since) > timedelta(seconds=2 * FRESH) else None

    async def _temporal(self) -> Client:
        command = self.opsmend.tree()["temporal"].cmdline()
        return await connect(f"127.0.0.1:{command[command.index('--port') + 1]}", "default")

    async def _all(self, names: Sequence[str], *, ready: bool) -> bool | None:
        listed = (await self.cluster.get(f"/api/v1/namespaces/{NAMESPACE}/pods"))["items"]
        of = {name: [pod for pod in listed if pod["metadata"]["labels"].get("app") == name] for name in names}
        return True if all(pods and all(_is(pod, ready=ready) for pod in pods) for pods in of.values()) else None

    def _target(self, name: str) -> Json:
        pod, container = self.cause.target
        probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5}
        app = {
            "name": "app",
            "image": GOOD,
            "ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": probe,
            **container,
        }
        sidecar = {"name": "proxy", "image": "registry.example/proxy:2.4"}
        labels = {"app": name, "role": "target"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [app, sidecar], **pod}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
        return {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _has_settled(seen: Json) -> bool:
    return waits_for_another(seen) or seen["status"] in ("awaiting_approval", "closed")


def waits_for_another(seen: Json) -> bool:
    """For the incident that sees to its cause or to its node, or asks about the same object."""
    events = {entry["event"] for entry in seen["timeline"]}
    return seen["status"] == "investigating" and bool(events & {"cause.grouped", "node.waiting", "question.waiting"})


def _is(pod: Json, *, ready: bool) -> bool:
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions") or []}
    if ready:
        return conditions.get("Ready") == "True"
    statuses = pod["status"].get("containerStatuses") or []
    reasons = {status["state"].get("waiting", {}).get("reason") for status in statuses}
    lost = conditions.get("Ready") == "False" and not reasons - {None}
    return lost or bool(reasons & {"ImagePullBackOff", "CrashLoopBackOff"})


def _notification(labels: Sequence[Json], status: str, began: str) -> Json:
    """In Alertmanager's webhook format, version 4."""
    now = datetime.now(UTC).isoformat()
    alerts = [
        {
            "status": status, "labels": {"severity": "critical", **one}, "annotations": {"summary": f"{one['alertname']}"},
            "startsAt": began, "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else now,
            "generatorURL": "http://prometheus.example/graph?g0.expr=up",
            "fingerprint": json.dumps(one, sort_keys=True)[-60:],
        }
        for one in labels
    ]  # fmt: skip
    return {
        "version": "4", "groupKey": '{}:{alertname=""}', "truncatedAlerts": 0, "status": status, "receiver": "opsmend",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example",
        "alerts": alerts,
    }  # fmt: skip


@asynccontextmanager
async def a_storm(folder: Path, cause: Cause, targets: int) -> AsyncIterator[Storm]:
    """An opsmend, a cluster and a Slack workspace of its own."""
    async with running_slack() as slack, a_cluster(folder / "cluster", **_ROOMY) as cluster:
        workspace = slack.workspace
        mia = workspace.add_user("mia")
        channel = workspace.add_channel("incidents")
        channel.members.add(mia.id)
        settings = {
            "OPSMEND_SLACK__BOT_TOKEN": workspace.bot_token,
            "OPSMEND_SLACK__SIGNING_SECRET": workspace.signing_secret,
            "OPSMEND_SLACK__CHANNEL": channel.id,
            "OPSMEND_SLACK__API_URL": slack.api_url,
            "OPSMEND_SLACK__MENTIONS": "*=here",
            "NO_PROXY": "127.0.0.1",
        }
        async with opsmend_up(folder / "opsmend", cluster.kubeconfig, settings) as opsmend:
            names = [f"app-{number:04}" for number in range(1, targets + 1)]
            unrelated = [f"other-{number:02}" for number in range(1, UNRELATED + 1)]
            yield Storm(cause, cluster, opsmend, slack, channel, names, unrelated)


async def played(folder: Path, cause: Cause, targets: int) -> Account:
    """Raises:
    NotInTimeError: something that was waited for did not come.
    """
    async with a_storm(folder, cause, targets) as storm:
        await storm.furnish()
        await storm.strike()
        began = time.monotonic()
        late = await storm.send_alerts()
        settled = await storm.settled()
        seconds = time.monotonic() - began
        calls, notified, changed = await storm.calls(), storm.notified(), await storm.changed()
        ended = await storm.end()
        return Account(
            targets=frozenset(storm.targets),
            unrelated=frozenset(storm.unrelated),
            late=late,
            settled=settled,
            seconds=seconds,
            ended=ended,
            calls=calls,
            notified=(notified, storm.notified()),
            changed=(changed, await storm.changed()),
        )
