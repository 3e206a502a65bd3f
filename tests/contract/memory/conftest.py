"""A real Milvus Lite server, one a test file, started as `opsmend up` starts it."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from opsmend.adapters.milvus.memory import MilvusMemory
from opsmend.adapters.milvus.server import milvus_command
from opsmend.settings import MilvusSettings


class MilvusLite:
    """A server process on a port and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder.parent / "milvus.log").open("ab") as log:
            self._process = subprocess.Popen(milvus_command(self.folder, self.port), stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._listens():
            assert self._process.poll() is None, (self.folder.parent / "milvus.log").read_text()
            assert time.monotonic() < deadline, "Milvus Lite was not ready within 60 s"

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=20)
            self._process = None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
            return True
        time.sleep(0.05)
        return False


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusLite]:
    server = MilvusLite(tmp_path_factory.mktemp("milvus") / "data")
    server.start()
    yield server
    server.end()


@pytest.fixture
async def memory(milvus: MilvusLite) -> AsyncIterator[MilvusMemory]:
    """A memory on a collection of its own, so that tests do not see each other's incidents."""
    opened = MilvusMemory(MilvusSettings(uri=milvus.uri, collection=f"t{uuid4().hex}"))
    yield opened
    await asyncio.shield(opened.close())
