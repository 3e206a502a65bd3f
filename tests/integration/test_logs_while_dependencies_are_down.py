"""While Milvus, Slack and Prometheus are away, a try that failed is a line of the log, and a number of the metrics."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.integration.outside.cluster import Cluster
from tests.integration.outside.neighbours import nobody
from tests.integration.outside.opsmend import Opsmend, opsmend_up
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

LONGEST_LINE = 2000
"""Characters. A traceback of pymilvus has 200,000."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> AsyncIterator[Opsmend]:
    """An opsmend whose memory, chat and metrics are away."""
    away = {
        "OPSMEND_MILVUS__URI": f"http://127.0.0.1:{nobody()}",
        "OPSMEND_PROMETHEUS_URL": f"http://127.0.0.1:{nobody()}",
        "OPSMEND_SLACK__API_URL": f"http://127.0.0.1:{nobody()}/api/",
        "OPSMEND_SLACK__BOT_TOKEN": "xoxb-1",
        "OPSMEND_SLACK__APP_TOKEN": "xapp-1",
        "OPSMEND_SLACK__CHANNEL": "C1",
    }
    async with opsmend_up(tmp_path_factory.mktemp("alone"), cluster.kubeconfig, away) as running:
        yield running


def lines(log: Path) -> list[dict[str, Any]]:
    """Each line of a log. A line that is no JSON fails the test."""
    text = log.read_text()
    assert max(map(len, text.splitlines())) < LONGEST_LINE, max(text.splitlines(), key=len)[:4000]
    return [json.loads(line) for line in text[: text.rfind("\n")].splitlines()]


async def test_each_try_is_a_line(alone: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("lonely")
    await cluster.break_image("lonely")
    await alone.approve(await alone.open("lonely"))
    worker = alone.data_dir / "logs" / "worker.log"

    tries = {"chat.publish_incident": "ChatUnavailableError: ", "memory.remember_postmortem": "MemoryUnavailableError: "}

    async def all_tried_three_times() -> list[dict[str, Any]] | None:
        failed = [line for line in lines(worker) if line.get("activity_type") in tries]
        return failed if {line["activity_type"] for line in failed if line["attempt"] >= 3} == tries.keys() else None

    for line in await eventually(all_tried_three_times, "Slack and Milvus tried three times"):
        assert line["error"].startswith(tries[line["activity_type"]])
    for log in (alone.data_dir / "logs").iterdir():
        if log.name in ("worker.log", "api.log"):
            assert not [line for line in lines(log) if "exception" in line]
    assert (alone.folder / "up.err").read_text().count("\n") < 20


async def test_each_try_is_counted_by_what_failed(alone: Opsmend) -> None:
    targets = json.loads((alone.data_dir / "metrics.json").read_text())
    (worker,) = [entry["targets"][0] for entry in targets if entry["labels"]["part"] == "worker"]
    async with httpx.AsyncClient(trust_env=False) as http:
        shown = (await http.get(f"http://{worker}/metrics")).text
    counted = [line for line in shown.splitlines() if line.startswith("opsmend_activity_errors_total{")]
    for error in ("ChatUnavailableError", "MemoryUnavailableError"):
        assert any(f'error="{error}"' in line and int(line.split()[-1]) >= 2 for line in counted)
