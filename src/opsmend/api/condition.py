"""Is the API up, can it do its work, what has it counted: for orchestrators and for Prometheus. No token."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from opsmend.api.problem import Failure
from opsmend.errors import TemporalUnavailableError
from opsmend.telemetry import ApiMetrics

Probe = Callable[[], Awaitable[bool]]
"""Whether Temporal answers."""

PROBE_DEADLINE: Final = 3.0
"""Seconds. Kubernetes' own readiness timeout is 1 s by default and then asks again; people ask with more patience."""

_NOT_READY: Final[dict[int | str, dict[str, Any]]] = {503: {"model": Failure, "description": "Temporal does not answer."}}


class Condition(BaseModel):
    status: str


def condition_router(metrics: ApiMetrics, ready: Probe) -> APIRouter:
    router = APIRouter(tags=["condition"])

    @router.get("/healthz")
    async def healthz() -> Condition:
        """The process serves."""
        return Condition(status="ok")

    @router.get("/readyz", responses=_NOT_READY)
    async def readyz() -> Condition:
        """Temporal answers, so alerts can be taken."""
        try:
            async with asyncio.timeout(PROBE_DEADLINE):
                answers = await ready()
        except TimeoutError as silent:
            raise TemporalUnavailableError(f"Temporal did not answer within {PROBE_DEADLINE:.0f} s.") from silent
        if not answers:
            raise TemporalUnavailableError("Temporal does not answer, so no alert can be taken.")
        return Condition(status="ready")

    @router.get("/metrics", response_class=Response)
    async def show_metrics() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
