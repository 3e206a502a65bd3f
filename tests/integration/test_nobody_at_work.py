"""The API with a Temporal and no worker: alerts are taken, and it is shown that nobody works on them."""

from pathlib import Path

import pytest
from tests.integration.outside.api_alone import an_api
from tests.integration.outside.waiting import eventually

from opsmend.agents.queues import ROLES
from opsmend.embedded.temporal_server import start_temporal

pytestmark = pytest.mark.timeout(300)


async def test_alerts_are_taken_and_it_is_shown_that_nobody_works_on_them(tmp_path: Path) -> None:
    server = await start_temporal(tmp_path / "temporal")
    try:
        async with an_api(server, tmp_path / "data", tmp_path / "logs") as api:
            taken = await api.post("/v1/alerts/generic", json={"name": "WebIsDown", "status": "firing"})
            assert taken.status_code == 202

            async def look() -> dict[str, bool] | None:
                shown: dict[str, bool] = (await api.get("/readyz?verbose")).json()["workers"]
                return shown or None

            assert await eventually(look, "the first look at workers", 30) == dict.fromkeys(ROLES, False)
            metrics = (await api.get("/metrics")).text
            assert 'opsmend_workers_at_work{role="sre"} 0.0' in metrics

            async def list_incidents() -> dict[str, int] | None:
                backlog: dict[str, int] | None = (await api.get("/v1/incidents")).json()["backlog"]
                return backlog

            backlog = await eventually(list_incidents, "the incident in the backlog", 90)
            assert backlog["incidents"] >= 1
            assert 'opsmend_backlog_tasks{role="workflows"} 1.0' in (await api.get("/metrics")).text
    finally:
        await server.part.stop()
