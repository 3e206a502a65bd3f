"""Serving a cluster: in this process for tests, or in one of its own."""

import asyncio
import contextlib
import queue
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import yaml

from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.world import World, build_world


@dataclass(frozen=True)
class RunningCluster:
    """A cluster that answers at `url` (http, loopback)."""

    url: str
    world: World
    controlling: asyncio.Task[None]
    """The controllers. It ends only by a fault of ours, which it then holds."""

    def kubeconfig(self, path: Path, token: str = "", namespace: str = "default") -> Path:
        """Write a kubeconfig for it to `path`."""
        return write_kubeconfig(path, self.url, token, namespace)


def write_kubeconfig(path: Path, url: str, token: str = "", namespace: str = "default") -> Path:
    """A kubeconfig with one context, `embedded`. kubectl sends no token over plain HTTP; the Python client does."""
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "embedded",
        "clusters": [{"name": "embedded", "cluster": {"server": url}}],
        "users": [{"name": "embedded", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "embedded", "context": {"cluster": "embedded", "user": "embedded", "namespace": namespace}}],
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    path.chmod(0o600)
    return path


class _Server(uvicorn.Server):
    """Says when it answers, and leaves signals to its host process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def running_cluster(
    config: ClusterConfig | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningCluster]:
    """A cluster in this event loop, from entry to exit. Port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    world = build_world(config or ClusterConfig())
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is: 40 ms a request.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # No log_config: how this process logs is not the cluster's to decide.
        settings = uvicorn.Config(
            world.app, log_config=None, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = _Server(settings)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        controlling = asyncio.create_task(world.loop.run())
        try:
            await server.answering.wait()
            yield RunningCluster(f"http://{host}:{listener.getsockname()[1]}", world, controlling)
        finally:
            controlling.cancel()
            world.store.close()
            server.should_exit = True
            await serving
            with contextlib.suppress(asyncio.CancelledError):
                await controlling


@contextlib.contextmanager
def cluster_in_thread(config: ClusterConfig | None = None) -> Iterator[str]:
    """The URL of a cluster that runs in a thread of its own, for callers that block (the synchronous client, a script)."""
    ready: queue.SimpleQueue[str] = queue.SimpleQueue()
    stop: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = queue.SimpleQueue()

    async def serve() -> None:
        async with running_cluster(config) as cluster:
            stopping = asyncio.Event()
            stop.put((asyncio.get_running_loop(), stopping))
            ready.put(cluster.url)
            await stopping.wait()

    with ThreadPoolExecutor(1, thread_name_prefix="embedded-cluster") as thread:
        served = thread.submit(asyncio.run, serve())
        served.add_done_callback(lambda _: ready.put(""))
        url = ready.get()
        if url:
            loop, stopping = stop.get()
            try:
                yield url
            finally:
                loop.call_soon_threadsafe(stopping.set)
        served.result()
