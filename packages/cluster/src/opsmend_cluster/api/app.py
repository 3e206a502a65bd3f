"""The ASGI application: faults, authentication, authorization, the handler, the audit log, in this order."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from opsmend_cluster.api import request as requests
from opsmend_cluster.api.access import SubjectAccess, User
from opsmend_cluster.api.admin import Admin
from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.audit import UNANSWERED, AuditEntry, AuditLog
from opsmend_cluster.api.context import Call, Cluster
from opsmend_cluster.api.discovery import document
from opsmend_cluster.api.dispatch import dispatch
from opsmend_cluster.api.faults import Fault, Faults, injected
from opsmend_cluster.api.openapi import openapi_document
from opsmend_cluster.api.query import timeout_seconds
from opsmend_cluster.api.request import Asked
from opsmend_cluster.objects.status import ApiError, NoSuchPageError, timed_out

HANG: Final = 3600.0
"""Seconds that a hanging request waits: longer than any client."""
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_HEALTH: Final = ("/healthz", "/livez", "/readyz")


class _CutOff(Response):
    """Promises a body and sends none of it: uvicorn then closes the connection and the client sees it broken."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1048576"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


class KubernetesApi:
    def __init__(self, cluster: Cluster, audit: AuditLog, faults: Faults) -> None:
        self._cluster = cluster
        self._audit = audit
        self._faults = faults

    async def answer(self, request: Request) -> Response:
        raw = await request.body()
        target = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        fault = self._faults.hit(request.method, target)
        if fault is not None and fault.answer not in ("disconnect", "late_500"):
            self._note_fault(request, raw, fault)
            return await _fail(fault)
        began = time.perf_counter()
        try:
            allotted = timeout_seconds(request.query_params)
            answer = self._handle(request, raw)
            if allotted is not None and answer.stream is None and time.perf_counter() - began > allotted:
                raise timed_out()
        except NoSuchPageError as error:
            answer = Answer(text=str(error), code=error.code)
        except ApiError as error:
            answer = Answer(error.body(), error.code, headers=error.headers())
        if fault is not None:
            return await _fail(fault)
        return _response(answer)

    def _handle(self, request: Request, raw: bytes) -> Answer:
        path, authorization = request.url.path, request.headers.get("authorization", "")
        if path in _HEALTH:
            self._cluster.access.authenticate(authorization)
            return Answer(text="ok")
        found = document(path) or openapi_document(path)
        if found is not None:
            self._cluster.access.authenticate(authorization)
            return Answer(found)
        what = requests.asked(request.method, path, request.query_params)
        if what is None:
            self._cluster.access.authenticate(authorization)
            raise NoSuchPageError()
        entry = _entry(what, request, raw)
        try:
            user = self._cluster.access.authenticate(authorization)
            entry.user = user.name
            answer = self._answer(what, request, raw, user)
            entry.code = answer.code
            entry.resource_version = ((answer.body or {}).get("metadata") or {}).get("resourceVersion", "")
            return answer
        except ApiError as error:
            entry.code = error.code
            raise
        finally:
            self._audit.record(entry)

    def _answer(self, what: Asked, request: Request, raw: bytes, user: User) -> Answer:
        headers = request.headers
        call = Call(
            self._cluster, requests.parse(what, request.query_params), user, headers.get("user-agent", ""),
            headers.get("content-type", ""), headers.get("accept", ""), raw,
        )  # fmt: skip
        if what.group != "authorization.k8s.io":
            resource = what.qualified + (f"/{what.subresource}" if what.subresource else "")
            asks = SubjectAccess(verb=what.verb, resource=resource, namespace=what.namespace)
            self._cluster.access.authorize(user, asks, what.name)
        answer = dispatch(call)
        if call.warnings:
            answer.headers["Warning"] = ", ".join(f"299 - {json.dumps(text)}" for text in call.warnings)
        return answer

    def _note_fault(self, request: Request, raw: bytes, fault: Fault) -> None:
        """A server that is in trouble has seen the request all the same."""
        what = requests.asked(request.method, request.url.path, request.query_params)
        if what is None:
            return
        entry = _entry(what, request, raw)
        entry.code = fault.answer if isinstance(fault.answer, int) else UNANSWERED
        self._audit.record(entry)


def _entry(what: Asked, request: Request, raw: bytes) -> AuditEntry:
    """Without user and outcome, which are not known yet."""
    query = request.query_params
    return AuditEntry(
        user="", user_agent=request.headers.get("user-agent", ""), verb=what.verb, resource=what.qualified,
        namespace=what.namespace, name=what.name or _created_name(what.verb, raw), subresource=what.subresource,
        dry_run=bool(query.get("dryRun")) or _dry_run_in_body(what.verb, raw),
        field_manager=query.get("fieldManager", ""), code=500, body=raw.decode(errors="replace"),
    )  # fmt: skip


def _created_name(verb: str, raw: bytes) -> str:
    body = _json(raw) if verb == "create" else {}
    metadata = body.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _dry_run_in_body(verb: str, raw: bytes) -> bool:
    """DeleteOptions, and those of an Eviction, carry dryRun in the body."""
    body = _json(raw) if verb in ("delete", "deletecollection", "create") else {}
    nested = body.get("deleteOptions")
    return bool(body.get("dryRun")) or (isinstance(nested, dict) and bool(nested.get("dryRun")))


def _json(raw: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def _fail(fault: Fault) -> Response:
    if fault.answer == "hang":
        await asyncio.sleep(HANG)
    if fault.answer == "disconnect":
        return _CutOff()
    error = injected(fault)
    return JSONResponse(error.body(), error.code, headers=error.headers())


def _response(answer: Answer) -> Response:
    if answer.stream is not None:
        return StreamingResponse(answer.stream, media_type="application/json")
    if answer.text is not None:
        return PlainTextResponse(answer.text, answer.code)
    if answer.code == 204:
        return Response(status_code=204)
    return JSONResponse(answer.body, answer.code, headers=answer.headers)


async def _our_fault(request: Request, error: Exception) -> Response:
    """Starlette logs the traceback; the client gets a Status as from the real server."""
    body = ApiError(500, "InternalError", f"Internal error occurred: {type(error).__name__} in the embedded cluster", {}).body()
    return JSONResponse(body, 500)


def build_app(cluster: Cluster, audit: AuditLog, faults: Faults, admin: Admin) -> Starlette:
    api = KubernetesApi(cluster, audit, faults)
    routes = [*admin.routes(), Route("/{path:path}", api.answer, methods=_METHODS)]
    return Starlette(routes=routes, exception_handlers={Exception: _our_fault})
