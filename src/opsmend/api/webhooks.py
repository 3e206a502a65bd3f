"""`POST /v1/alerts/{source}`: 202 only once Temporal holds every alert of the payload."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from time import perf_counter
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from opsmend.api.access import Access
from opsmend.api.alerts import SOURCES
from opsmend.api.alerts.batches import Batch, in_batches
from opsmend.api.problem import Failure
from opsmend.api.refusals import UnknownSourceError
from opsmend.api.request_body import complaint, json_body
from opsmend.domain.alert import Alert
from opsmend.domain.ports.desk import IncidentDesk, IncidentReceipt
from opsmend.settings import Settings
from opsmend.telemetry import ApiMetrics

_log = structlog.get_logger(__name__)

SUBMITS_AT_ONCE: Final = 16
"""Targets of one payload handed to Temporal side by side: enough to hide its latency, too few to crowd out other senders."""

ALERTS_PER_SUBMIT: Final = 500
"""Keeps one signal under Temporal's 2 MiB: a body has at most 1 MiB, and normalising adds some 500 bytes an alert."""

_REQUEST_DOC: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The payload of the source, at most 1 MiB.",
        "content": {"application/json": {"schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}}},
    },
    "parameters": [
        {"name": "source", "in": "path", "required": True, "schema": {"type": "string", "enum": list(SOURCES)}},
    ],
    "security": [{"apiToken": []}],
}
_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Failure, "description": "No or wrong API token."},
    404: {"model": Failure, "description": "Unknown source."},
    413: {"model": Failure, "description": "The body is too long."},
    415: {"model": Failure, "description": "Not JSON."},
    422: {"model": Failure, "description": "Not a payload of this source; the message names the field."},
    503: {"model": Failure, "description": "Temporal does not hold the alerts. Send them again."},
}


class IncidentTouched(BaseModel):
    id: str
    created: bool
    """Whether these alerts opened it, or joined it."""


class AlertsAccepted(BaseModel):
    """`incidents` is empty when all alerts were resolved ones of no open incident."""

    incidents: list[IncidentTouched]


def _of_cluster(alert: Alert, cluster: str) -> Alert:
    """While the watched cluster has no name of its own, whatever name an alert gives is taken for it: one workload must not
    become two incidents because one of its alerts carries a `cluster` label and another does not."""
    if alert.target.cluster == cluster:
        return alert
    return alert.model_copy(update={"target": alert.target.model_copy(update={"cluster": cluster})})


class AlertIntake:
    """Verifies, normalises, hands over."""

    def __init__(self, settings: Settings, desk: IncidentDesk, access: Access, metrics: ApiMetrics) -> None:
        self._cluster = settings.kubernetes.name
        self._only_cluster = settings.kubernetes.cluster is None
        self._desk = desk
        self._access = access
        self._metrics = metrics

    async def receive(self, request: Request) -> JSONResponse:
        self._access.require_sender(request)
        source = request.path_params["source"]
        if source not in SOURCES:
            raise UnknownSourceError(f"There is no alert source of this name. Known: {', '.join(SOURCES)}.")
        began = perf_counter()
        try:
            alerts = self._read(source, await json_body(request))
            receipts = await self._submit(alerts)
        finally:
            self._metrics.webhook_seconds.labels(source).observe(perf_counter() - began)
        for alert in alerts:
            self._metrics.alerts.labels(source, alert.status.value).inc()
        return JSONResponse({"incidents": [{"id": r.id, "created": r.created} for r in receipts]}, 202)

    def _read(self, source: str, body: bytes) -> tuple[Alert, ...]:
        try:
            parsed = SOURCES[source](body, self._cluster)
        except ValidationError as invalid:
            raise complaint(invalid) from invalid
        if parsed.truncated:
            self._metrics.alerts_truncated.labels(source).inc(parsed.truncated)
            _log.warning("alerts.truncated", source=source, left_out=parsed.truncated, received=len(parsed.alerts))
        return tuple(_of_cluster(alert, self._cluster) for alert in parsed.alerts) if self._only_cluster else parsed.alerts

    async def _submit(self, alerts: tuple[Alert, ...]) -> list[IncidentReceipt]:
        """Hand the alerts to the desk, target by target. One failure fails the request: the sender sends it all again."""
        nodes, others = in_batches(alerts)
        receipts = [*await self._submit_side_by_side(nodes), *await self._submit_side_by_side(others)]
        held = _one_an_incident(receipts)
        for receipt in held:
            self._metrics.incidents.labels("created" if receipt.created else "joined").inc()
            if receipt.created:
                _log.info("incident.opened", incident_id=receipt.id)
        return held

    async def _submit_side_by_side(self, batches: list[Batch]) -> list[IncidentReceipt | None]:
        if len(batches) < 2:
            return [await self._submit_batch(batch) for batch in batches]
        gate = asyncio.Semaphore(SUBMITS_AT_ONCE)

        async def one(batch: Batch) -> IncidentReceipt | None:
            async with gate:
                return await self._submit_batch(batch)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(batch)) for batch in batches]
        except ExceptionGroup as failed:
            # One of them is enough to know what to answer; the group keeps the others.
            raise failed.exceptions[0] from failed
        return [task.result() for task in tasks]

    async def _submit_batch(self, batch: Batch) -> IncidentReceipt | None:
        """All of its alerts, in order; created when any part of them opened the incident."""
        answer: IncidentReceipt | None = None
        for start in range(0, len(batch.alerts), ALERTS_PER_SUBMIT):
            part = tuple(batch.alerts[start : start + ALERTS_PER_SUBMIT])
            receipt = await self._desk.submit(batch.target, part)
            if receipt and not (answer and answer.created):
                answer = receipt
        return answer


def _one_an_incident(receipts: Iterable[IncidentReceipt | None]) -> list[IncidentReceipt]:
    """In their order; created when any part of the alerts opened it."""
    held: dict[str, IncidentReceipt] = {}
    for receipt in filter(None, receipts):
        if receipt.id not in held or receipt.created:
            held[receipt.id] = receipt
    return list(held.values())


class _BareRoute(APIRoute):
    """Hands the request to the endpoint as it is. FastAPI's solving of parameters took 40 of an alert's 250 µs, and there is
    nothing to solve: the token comes before everything else, and each source has a body of its own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


def webhook_router(intake: AlertIntake) -> APIRouter:
    router = APIRouter(tags=["alerts"], route_class=_BareRoute)
    router.add_api_route(
        "/v1/alerts/{source}",
        intake.receive,
        methods=["POST"],
        status_code=202,
        response_model=AlertsAccepted,
        responses=_FAILURES,
        openapi_extra=_REQUEST_DOC,
        summary="Hand in alerts of a monitoring system",
    )
    return router
