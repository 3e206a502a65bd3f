"""A Prometheus that answers as a real one did, and only what it was really asked."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from opsmend.adapters.prometheus.metrics import PrometheusMetrics

EXPRESSION = 'kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"} == 1'

Change = Callable[[dict[str, Any]], object]
"""Alters the recorded answer (`status`, `date`, `body`) in place."""


class RecordedPrometheus:
    """A transport for httpx. Anything that was not recorded is an error of the test."""

    def __init__(self, name: str, changes: dict[str, Change] | None = None, prefix: str = "") -> None:
        self._prefix = prefix
        recorded = json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text())
        self._answers = {self._key(r["method"], r["path"], r["asked"].get("query", "")): deepcopy(r) for r in recorded}
        for key, change in (changes or {}).items():
            change(self._answers[key])
        self.requests: list[httpx.Request] = []

    def metrics(self, url: str = "http://prometheus") -> PrometheusMetrics:
        return PrometheusMetrics(url, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = dict(parse_qsl(request.content.decode(), strict_parsing=True)) if request.content else {}
        assert request.url.path.startswith(f"{self._prefix}/api/v1/")
        path = request.url.path.removeprefix(self._prefix)
        assert set(body) <= {"query", "timeout", "start", "end", "step"}
        assert request.url.query in (b"", b"type=alert")
        found = self._answers.get(self._key(request.method, path, body.get("query", "")))
        assert found is not None, f"{request.method} {path} {body} was never recorded"
        return httpx.Response(found["status"], json=found["body"], headers={"Date": found["date"]})

    @staticmethod
    def _key(method: str, path: str, query: str) -> str:
        return f"{method} {path.removeprefix('/api/v1/')} {query}".strip()


def body(change: Callable[[dict[str, Any]], object]) -> Change:
    """A change of the `data` of the answer."""
    return lambda answer: change(answer["body"]["data"])


def asked(request: httpx.Request) -> str | None:
    """The PromQL of a request, None where it asks for something else."""
    return dict(parse_qsl(request.content.decode())).get("query")
