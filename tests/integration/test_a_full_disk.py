"""No room on the disk, for real: a small file system, filled. Whoever has alerts is told in time, and they are taken as soon as
there is room. It takes root, for the file system."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.integration.outside.api_alone import an_api
from tests.integration.outside.waiting import eventually

from opsmend.embedded.temporal_server import start_temporal

pytestmark = pytest.mark.timeout(300)

SIZE = 220 * 1024 * 1024


@dataclass
class Disk:
    """A file system of its own."""

    path: Path

    def fill(self, leave: int) -> None:
        found = os.statvfs(self.path)
        with (self.path / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, found.f_bavail * found.f_frsize - leave)

    def fill_to_the_brim(self) -> None:
        self.fill(leave=4 * 1024 * 1024)
        with suppress(OSError), (self.path / "rest").open("wb", buffering=0) as rest:
            while True:
                rest.write(b"x" * 4096)

    def clear(self) -> None:
        for name in ("ballast", "rest"):
            (self.path / name).unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system of its own takes root")
    try:
        yield Disk(where)
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)


async def post(api: httpx.AsyncClient, name: str) -> httpx.Response:
    alert = {"name": "WebIsDown", "status": "firing", "labels": {"namespace": "shop", "deployment": name}}
    return await api.post("/v1/alerts/generic", json=alert)


async def test_alerts_are_turned_away_before_the_disk_is_full_and_taken_when_there_is_room(disk: Disk, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await start_temporal(disk.path / "state")
        stack.push_async_callback(server.part.stop)
        api = await stack.enter_async_context(an_api(server, disk.path / "state", tmp_path / "logs"))
        assert (await post(api, "before")).status_code == 202
        disk.fill(leave=32 * 1024 * 1024)
        await _until_ready_is(api, 503)
        refused, ready = await post(api, "full"), await api.get("/readyz")
        assert [answer.status_code for answer in (refused, ready)] == [503, 503]
        assert {answer.json()["error"]["type"] for answer in (refused, ready)} == {"disk_full"}
        assert int(refused.headers["Retry-After"]) >= 1
        assert server.part.running
        disk.clear()
        await _until_ready_is(api, 200)
        assert (await post(api, "full")).status_code == 202


async def test_a_full_disk_of_temporal_alone_is_told_in_time_and_alerts_are_taken_once_it_is_back(
    disk: Disk, tmp_path: Path
) -> None:
    state = disk.path / "state"
    async with AsyncExitStack() as stack:
        server = await start_temporal(state)
        api = await stack.enter_async_context(an_api(server, tmp_path / "elsewhere", tmp_path / "logs"))
        disk.fill_to_the_brim()
        refused = await post(api, "full")  # within the patience of whoever sends it
        ready = await api.get("/readyz")
        assert [answer.status_code for answer in (refused, ready)] == [503, 503]
        disk.clear()
        await server.part.stop()
        port = int(server.address.rpartition(":")[2])
        server = await start_temporal(state, port=port)
        stack.push_async_callback(server.part.stop)
        await _until_ready_is(api, 200)
        assert (await post(api, "full")).status_code == 202


async def _until_ready_is(api: httpx.AsyncClient, status: int) -> None:
    async def look() -> bool | None:
        return True if (await api.get("/readyz")).status_code == status else None

    await eventually(look, f"/readyz to answer {status}", 30)
