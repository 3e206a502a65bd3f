"""While Milvus, Slack and Prometheus are away, tries that fail are a line a minute of the log, and all are counted."""

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

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

LONGEST_LINE = 2000
"""Characters. A traceback of pymilvus has 200,000."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
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


async def test_tries_that_fail_are_a_line_a_minute(alone: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("lonely")
    await cluster.break_image("lonely")
    await alone.approve(await alone.open("lonely"))
    worker = alone.data_dir / "logs" / "worker.log"

    tries = {"chat.publish_incident": "ChatUnavailableError: ", "memory.remember_postmortem": "MemoryUnavailableError: "}

    async def told_of_both() -> list[dict[str, Any]] | None:
        failed = [line for line in lines(worker) if line.get("activity_type") in tries]
        return failed if {line["activity_type"] for line in failed} == tries.keys() else None

    failed = await eventually(told_of_both, "Slack and Milvus said to be away", 120)
    for line in failed:
        assert line["error"].startswith(tries[line["activity_type"]])
    assert len(failed) <= 4, "a line a minute each"
    for log in (alone.data_dir / "logs").iterdir():
        if log.name in ("worker.log", "api.log"):
            assert not [line for line in lines(log) if "exception" in line]
    assert (alone.folder / "up.err").read_text().count("\n") < 20


async def test_each_try_is_counted_by_what_failed(alone: Opsmend) -> None:
    targets = json.loads((alone.data_dir / "metrics.json").read_text())
    (worker,) = [entry["targets"][0] for entry in targets if entry["labels"]["part"] == "worker"]

    async def counted() -> bool | None:
        async with httpx.AsyncClient(trust_env=False) as http:
            shown = (await http.get(f"http://{worker}/metrics")).text
        tries = [line for line in shown.splitlines() if line.startswith("opsmend_activity_errors_total{")]
        away = ("ChatUnavailableError", "MemoryUnavailableError")
        return all(any(f'error="{e}"' in line and int(line.split()[-1]) >= 3 for line in tries) for e in away) or None

    assert await eventually(counted, "three tries counted of Slack and of Milvus", 60)
