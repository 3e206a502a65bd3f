"""Every failure as `{"error": {"type", "message"}}`. What we did not foresee tells nothing of its insides."""

import math
from datetime import timedelta
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from opsmend.api.problem import Failure, Problem, problem_type
from opsmend.api.request_body import described
from opsmend.errors import OpsmendError, TransientError, bounded
from opsmend.telemetry import ApiMetrics

_log = structlog.get_logger(__name__)

_ASK_AGAIN: Final = timedelta(seconds=5)
"""Retry-After where the failing side named no time. Alertmanager has its own backoff; others honour the header."""

_UNEXPECTED: Final = "Something unforeseen went wrong. The server's log has the details."


def handle_failures(app: FastAPI, metrics: ApiMetrics) -> None:
    """Install the one place where errors become answers."""

    def answer(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
        metrics.errors.labels(kind).inc()
        return JSONResponse(Failure(error=Problem(type=kind, message=message)).model_dump(), status, headers)

    async def ours(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, OpsmendError):
            raise error
        return answer(error.http_status, problem_type(error), bounded(str(error)), _headers(error))

    async def malformed(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        # The first element of `loc` is where it was: body, path, query.
        return answer(422, "bad_payload", described([(e["loc"][1:] or e["loc"], e["msg"]) for e in error.errors()]))

    async def of_the_framework(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):
            raise error
        kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http")
        return answer(error.status_code, kind, str(error.detail), dict(error.headers or {}))

    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        # Starlette raises it again after this answer, so that the server logs the traceback.
        _log.error("api.failed", path=request.url.path, error=problem_type(error))
        return answer(500, "internal", _UNEXPECTED)

    app.add_exception_handler(OpsmendError, ours)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, of_the_framework)
    app.add_exception_handler(Exception, unforeseen)


def _headers(error: OpsmendError) -> dict[str, str]:
    if isinstance(error, TransientError):
        wait = _ASK_AGAIN if error.retry_after is None else error.retry_after
        return {"Retry-After": str(max(1, math.ceil(wait.total_seconds())))}
    return {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else {}
