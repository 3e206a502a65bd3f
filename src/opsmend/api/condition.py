"""Is the API up, can it take alerts, what has it counted: for orchestrators and for Prometheus. No token."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from opsmend.api.problem import Failure
from opsmend.api.readiness import Readiness
from opsmend.api.worker_watch import WorkerWatch
from opsmend.telemetry import ApiMetrics

_NOT_READY: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Failure, "description": "A parameter is not what it must be."},
    503: {"model": Failure, "description": "Temporal does not take alerts, or there is no room on the disk."},
}

Verbose = Annotated[str | None, Query(max_length=16, description="Present: which roles have workers, too.")]


class Condition(BaseModel):
    status: str
    instance: str | None = None
    """Which API this is (OPSMEND_INSTANCE)."""


class VerboseCondition(Condition):
    workers: dict[str, bool]
    """Role -> whether a worker of it asks for work. Alerts are taken without them, and wait. Empty before the first look."""


def condition_router(
    metrics: ApiMetrics, readiness: Readiness, watch: WorkerWatch | None, instance: str | None = None
) -> APIRouter:
    router = APIRouter(tags=["condition"])

    @router.get("/healthz", response_model_exclude_none=True)
    async def healthz() -> Condition:
        """The process serves."""
        return Condition(status="ok", instance=instance)

    @router.get("/readyz", responses=_NOT_READY, response_model_exclude_none=True)
    async def readyz(verbose: Verbose = None) -> VerboseCondition | Condition:
        """Alerts can be taken: Temporal answers, the last ones were taken, and there is room on the disk."""
        await readiness.require()
        if verbose is None:
            return Condition(status="ready")
        return VerboseCondition(status="ready", workers=watch.at_work if watch else {})

    @router.get("/metrics", response_class=Response)
    async def show_metrics() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
