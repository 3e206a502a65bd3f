"""An API server that says what a test tells it to, for the answers that a well-behaved cluster never gives."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jsonpatch
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from opsmend.adapters.kubernetes.connection import Connection, Refresh
from opsmend.settings import KubernetesSettings


@dataclass(frozen=True)
class Answer:
    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class ScriptedApi:
    """Answers by path; lists that nobody scripted are empty, objects are 404. The last of several answers repeats."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.answering: dict[str, Callable[[dict[str, str]], Answer]] = {}
        """Answers that depend on the query."""
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Method, path with query, headers."""
        self.mutations: list[list[dict[str, Any]]] = []
        """The JSON patches that changed something."""
        self.before_patch: Callable[[dict[str, Any]], None] = lambda obj: None
        """Somebody else, who may change the object between our read and our write."""

    def on(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def holds(self, path: str, *objects: dict[str, Any]) -> None:
        """A collection with these objects, each of which is found by name too."""
        self.on(path, Answer({"items": list(objects), "metadata": {}}))
        for obj in objects:
            self.on(f"{path}/{obj['metadata']['name']}", Answer(obj))

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path_qs, dict(request.headers)))
        if request.method == "PATCH":
            return self._patch(request.path, await request.json(), dry_run="dryRun" in request.query)
        scripted = self.answers.get(request.path)
        if request.path in self.answering:
            answer = self.answering[request.path](dict(request.query))
        elif scripted is None:
            is_list = request.path.rsplit("/", 1)[-1].endswith("s")
            answer = Answer({"items": [], "metadata": {}}) if is_list else Answer({"message": "not found"}, 404)
        else:
            answer = scripted.pop(0) if len(scripted) > 1 else scripted[0]
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return web.Response(text=body, status=answer.status, headers=answer.headers)

    def object_at(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.answers[path][0].body
        return found

    def _patch(self, path: str, operations: list[dict[str, Any]], *, dry_run: bool) -> web.Response:
        """As the real one: a version that is not the current one is a conflict, a dry run keeps nothing."""
        obj = deepcopy(self.object_at(path))
        self.before_patch(obj)
        version = obj["metadata"]["resourceVersion"]
        patched = jsonpatch.apply_patch(obj, operations)
        conflict = patched["metadata"]["resourceVersion"] != version
        if conflict or dry_run:
            self.on(path, Answer(obj))
            return web.json_response({"message": "conflict"}, status=409) if conflict else web.json_response(patched)
        self.mutations.append(operations)
        patched["metadata"]["resourceVersion"] = str(int(version) + 1)
        self.on(path, Answer(patched))
        return web.json_response(patched)


@asynccontextmanager
async def connected(
    api: ScriptedApi, *, timeout: float = 5, refresh: Refresh | None = None, cluster: str | None = None
) -> AsyncIterator[Connection]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with AsyncExitStack() as stack:
        server = TestServer(app)
        await server.start_server()
        stack.push_async_callback(server.close)
        configuration = Configuration(host=str(server.make_url("")).rstrip("/"))
        client = await stack.enter_async_context(ApiClient(configuration))
        settings = KubernetesSettings(cluster=cluster, request_timeout=timedelta(seconds=timeout))
        yield Connection(client, settings, refresh)
