"""A Prometheus process with the rules of a test, which scrapes what the test says."""

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus on PATH")
"""Debian: apt-get install prometheus."""


class Exporter(ThreadingHTTPServer):
    """Serves the text that `told` gives at each scrape."""

    def __init__(self, told: Callable[[], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Scrape)
        self.told = told
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Scrape(BaseHTTPRequestHandler):
    server: Exporter

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.told().encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def a_prometheus(folder: Path, exporter: Exporter, *rules: dict[str, Any]) -> Iterator[str]:
    """Its URL; the exporter is its job kube-state-metrics. Scrapes and evaluates every second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    scrape = {"job_name": "kube-state-metrics", "static_configs": [{"targets": [f"127.0.0.1:{exporter.server_port}"]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [scrape | {"honor_labels": True}],
    }
    groups = {"groups": [{"name": "workloads", "interval": "1s", "rules": list(rules)}]}
    (folder / "rules.yml").write_text(yaml.safe_dump(groups))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    argv = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    process = subprocess.Popen([*argv, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    try:
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


async def is_ready(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{url}/-/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 40
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
