"""`opsmend up` as a process, and what is sent to it and asked of it over HTTP."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from tests.integration.outside.waiting import eventually

from opsmend.embedded.processes import free_port

Json = dict[str, Any]

API_TOKEN: Final = "the-token-of-the-webhooks-0001"
OPERATOR_TOKEN: Final = "the-token-of-the-operators-0002"
CLUSTER: Final = "outside"
STARTED: Final = "2026-03-14T15:00:00Z"
"""When alerts began to fire, unless they say otherwise."""

START_DEADLINE: Final = 240.0
"""Seconds. On two idle cores it takes about ten."""

_TEMPO: Final = {
    "OPSMEND_INCIDENT__INTAKE_WINDOW": "PT0.3S",
    "OPSMEND_INCIDENT__VERIFY_INTERVAL": "PT0.3S",
    "OPSMEND_INCIDENT__VERIFY_DEADLINE": "PT30S",
    "OPSMEND_LIMITS__PER_CLUSTER": "1000",
}
_COMMAND: Final = str(Path(sys.executable).with_name("opsmend"))


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Opsmend:
    """Knows its port and data directory; `start` and `kill` may follow each other."""

    folder: Path
    kubeconfig: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    command: str = _COMMAND
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def env(self) -> dict[str, str]:
        """Nothing of the surroundings that could lead elsewhere."""
        own = ("OPSMEND_", "TEMPORAL_", "KUBE")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        tokens = {"OPSMEND_API_TOKEN": API_TOKEN, "OPSMEND_OPERATOR_TOKEN": OPERATOR_TOKEN}
        place = {"KUBECONFIG": str(self.kubeconfig), "OPSMEND_KUBERNETES__CLUSTER": CLUSTER}
        return inherited | _TEMPO | tokens | place | dict(self.extra)

    # --- the process ---

    async def start(self) -> None:
        """Run `opsmend up` and wait for its word that it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        said, complained = self.folder / "up.out", self.folder / "up.err"
        with said.open("wb") as out, complained.open("ab") as err:
            self.process = await asyncio.create_subprocess_exec(
                *(self.command, "up", "--port", str(self.port), "--data-dir", str(self.data_dir)),
                env=self.env, cwd=self.folder, stdout=out, stderr=err,
            )  # fmt: skip
        process = self.process

        async def is_ready() -> bool | None:
            assert process.returncode is None, complained.read_text()[-4000:]
            return True if f"ready {self.url}" in said.read_text().splitlines() else None

        await eventually(is_ready, "the line that says ready", START_DEADLINE)

    def tree(self) -> dict[str, psutil.Process]:
        """`opsmend up` itself as `up`, and its parts: temporal, milvus, worker, api."""
        assert self.process is not None
        up = psutil.Process(self.process.pid)
        parts = {"up": up}
        for child in up.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it may go while it is asked for its name
                if not is_gone(child):
                    parts[_part(child)] = child
        return parts

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()

    async def run(self, *arguments: str, **env: str) -> Ran:
        """`opsmend …` in another process, which finds this one by its data directory."""
        command = await asyncio.create_subprocess_exec(
            *(self.command, *arguments),
            env=self.env | {"OPSMEND_DATA_DIR": str(self.data_dir), "COLUMNS": "200", **env},
            cwd=self.folder, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await command.communicate()
        assert command.returncode is not None
        return Ran(command.returncode, out.decode(), err.decode())

    # --- HTTP ---

    def client(self, token: str | None = API_TOKEN) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=40)

    async def post(self, source: str, payload: Any) -> list[Json]:
        """Hand alerts in, again and again while the answer is 5xx, as Alertmanager does; the incidents of the answer."""

        async def send() -> list[Json] | None:
            try:
                async with self.client() as http:
                    answer = await http.post(f"/v1/alerts/{source}", json=payload)
            except httpx.TransportError:
                return None
            if answer.status_code >= 500:
                return None
            assert answer.status_code == 202, answer.text
            incidents: list[Json] = answer.json()["incidents"]
            return incidents

        return await eventually(send, "the alert taken")

    async def alert(self, namespace: str, **how: Any) -> Json:
        """One notification of Alertmanager; the one incident that it touched."""
        (touched,) = await self.post("alertmanager", alertmanager(namespace, **how))
        return touched

    async def open(self, namespace: str, **how: Any) -> str:
        """The id of the incident that an alert opens."""
        touched = await self.alert(namespace, **how)
        assert touched["created"] is True
        return str(touched["id"])

    async def incident(self, incident_id: str, run_id: str | None = None) -> Json:
        async def ask() -> Json | None:
            async with self.client() as http:
                answer = await http.get(f"/v1/incidents/{incident_id}", params={"run_id": run_id} if run_id else {})
            if answer.status_code == 503:  # no worker answered in time
                return None
            assert answer.status_code == 200, answer.text
            found: Json = answer.json()
            return found

        return await eventually(ask, f"{incident_id} telling its state")

    async def decide(self, incident_id: str, token: str | None = OPERATOR_TOKEN, **decision: str) -> httpx.Response:
        async with self.client(token) as http:
            return await http.post(f"/v1/incidents/{incident_id}/decision", json=decision)

    async def approve(self, incident_id: str) -> Json:
        """Wait for the question, say yes; the incident as it was then."""
        asking = await self.asking(incident_id)
        answer = await self.decide(incident_id, plan_hash=asking["plan"]["hash"], decision="approve")
        assert answer.status_code == 200, answer.text
        return asking

    async def asking(self, incident_id: str, other_than: str = "", other_than_run: str = "") -> Json:
        """Once it asks about a plan with another hash than `other_than`, in another run than the one that may be closed."""
        return await self._until(
            incident_id,
            "asking",
            lambda seen: seen["status"] == "awaiting_approval" and seen["plan"]["hash"] != other_than,
            other_than_run,
        )

    async def closed(self, incident_id: str, other_than_run: str = "") -> Json:
        return await self._until(
            incident_id, "closed", lambda seen: seen["status"] == "closed" and seen["run_id"] != other_than_run
        )

    async def _until(self, incident_id: str, what: str, condition: Any, over: str = "") -> Json:
        last: Json = {}

        async def look() -> Json | None:
            last.update(await self.incident(incident_id))
            ended = last["status"] == "closed" and last["run_id"] != over
            assert not ended or what == "closed", f"{last['outcome']}: {last['closing']}"
            return dict(last) if condition(last) else None

        try:
            return await eventually(look, f"{incident_id} {what}", 90)
        except AssertionError as e:
            told = "\n".join(f"{entry['event']} {entry['detail']}" for entry in last.get("timeline", []))
            raise AssertionError(f"{e}\n{told}") from e


def alertmanager(
    namespace: str,
    *,
    name: str = "KubePodCrashLooping",
    status: str = "firing",
    starts_at: str = STARTED,
    **target: str,
) -> Json:
    """A notification in Alertmanager's webhook format, version 4; `target` are labels, by default deployment=web."""
    labels = {"alertname": name, "namespace": namespace, "severity": "critical", **(target or {"deployment": "web"})}
    summary = {"summary": f"{name} in {namespace}"}
    alert = {
        "status": status, "labels": labels, "annotations": summary, "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-03-14T16:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up", "fingerprint": f"{name}-{namespace}"[:60],
    }  # fmt: skip
    return {
        "version": "4", "groupKey": f'{{}}:{{namespace="{namespace}"}}', "truncatedAlerts": 0, "status": status,
        "receiver": "opsmend", "groupLabels": {"namespace": namespace}, "commonLabels": labels,
        "commonAnnotations": summary, "externalURL": "http://alertmanager.example", "alerts": [alert],
    }  # fmt: skip


def is_gone(process: psutil.Process) -> bool:
    """Whether nothing of it runs any more; its parent may not have noticed yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _part(process: psutil.Process) -> str:
    command = process.cmdline()
    for word in command:
        name = Path(word).name.removesuffix("_lite")
        if name in ("temporal", "milvus", "worker", "api"):
            return name
    return " ".join(command)


@asynccontextmanager
async def opsmend_up(folder: Path, kubeconfig: Path, extra: Mapping[str, str] | None = None) -> AsyncIterator[Opsmend]:
    """A running opsmend; whatever is left of it at the end is killed."""
    opsmend = Opsmend(folder, kubeconfig, extra or {})
    seen: list[psutil.Process] = []
    try:
        await opsmend.start()
        seen += opsmend.tree().values()
        yield opsmend
    finally:
        if opsmend.process is not None and opsmend.process.returncode is None:
            seen += opsmend.tree().values()
            await opsmend.stop()
        for process in seen:
            if not is_gone(process):
                process.kill()
