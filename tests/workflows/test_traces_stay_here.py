"""What LangGraph does is exported to LangSmith only where our own setting says so, whatever else the environment holds."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opsmend.telemetry import keep_traces_here


class LangSmith(ThreadingHTTPServer):
    """Takes everything and remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Any)
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Any(BaseHTTPRequestHandler):
    server: LangSmith

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)
        self.send_response(202)
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_PATCH = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def langsmith() -> Iterator[LangSmith]:
    server = LangSmith()
    yield server
    server.shutdown()
    server.server_close()


EVERY_SWITCH = {
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    # LangChain refuses to run at all with this one of old and none of those above.
    "LANGCHAIN_TRACING": "true",
    "LANGSMITH_API_KEY": "lsv2-made-up",
    "LANGCHAIN_API_KEY": "lsv2-made-up",
}


def play_an_incident(langsmith: LangSmith, **variables: str) -> str:
    """What a process of its own said, with tracing switched on in its environment in every way that there is."""
    endpoints = {"LANGSMITH_ENDPOINT": langsmith.url, "LANGCHAIN_ENDPOINT": langsmith.url}
    played = subprocess.run(
        [sys.executable, "-m", "tests.workflows.an_incident"],
        cwd=Path(__file__).parents[2],
        env=os.environ | EVERY_SWITCH | endpoints | variables,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "remediated" in played.stdout, played.stderr[-4000:]
    return played.stdout


@pytest.mark.timeout(240)
def test_tracing_switched_on_by_the_environment_alone_exports_nothing(langsmith: LangSmith) -> None:
    said = play_an_incident(langsmith)
    assert langsmith.asked == []
    assert "langsmith.off" in said
    assert "lsv2-made-up" not in said


@pytest.mark.timeout(240)
def test_tracing_that_our_own_setting_asks_for_is_exported(langsmith: LangSmith) -> None:
    play_an_incident(langsmith, OPSMEND_LANGSMITH_TRACING="true")
    assert any("runs" in path for path in langsmith.asked)


@pytest.mark.parametrize("name", EVERY_SWITCH)
def test_every_variable_of_langsmith_goes_and_no_other(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "true")
    monkeypatch.setenv("LANGUAGE", "en")
    keep_traces_here(export=False)
    assert name not in os.environ
    assert os.environ["LANGUAGE"] == "en"
