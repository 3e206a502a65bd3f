"""`POST /v1/alerts/{source}`: 202 only once Temporal holds every alert of the payload that it can hold."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import to_json

from opsmend.api.access import Access
from opsmend.api.alerts import SOURCES
from opsmend.api.alerts.batches import Batch, in_batches
from opsmend.api.alerts.heartbeats import Heartbeats
from opsmend.api.alerts.intake import Parsed, Refused
from opsmend.api.readiness import Readiness
from opsmend.api.refusals import UnknownSourceError
from opsmend.api.request_body import complaint, json_body
from opsmend.api.signatures import require_grafana
from opsmend.api.webhook_contract import ANY_SOURCE, contract_of
from opsmend.domain.alert import Alert
from opsmend.domain.ports.desk import IncidentDesk, IncidentReceipt
from opsmend.errors import AlertsRejectedError, BadPayloadError, TransientError
from opsmend.settings import Settings
from opsmend.telemetry import ApiMetrics

_log = structlog.get_logger(__name__)

SUBMITS_AT_ONCE: Final = 16
"""Targets of one payload handed to Temporal side by side: enough to hide its latency, too few to crowd out other senders."""

ALERTS_PER_SUBMIT: Final = 500
BYTES_PER_SUBMIT: Final = 1024 * 1024
"""What one signal holds at most: Temporal takes 2 MiB. Masking can make an alert longer than it came."""

REFUSED_SHOWN: Final = 100
"""Refused alerts that the answer names. All are counted."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of the alerts of a batch: Temporal has them, or it will never take them."""

    receipt: IncidentReceipt | None
    alerts: list[Alert]
    refused: list[Refused]


def _of_cluster(alert: Alert, cluster: str) -> Alert:
    """While the watched cluster has no name of its own, whatever name an alert gives is taken for it: one workload must not
    become two incidents because one of its alerts carries a `cluster` label and another does not."""
    if alert.target.cluster == cluster:
        return alert
    return alert.model_copy(update={"target": alert.target.model_copy(update={"cluster": cluster})})


class AlertIntake:
    """Verifies, normalises, hands over."""

    def __init__(
        self, settings: Settings, desk: IncidentDesk, access: Access, readiness: Readiness, metrics: ApiMetrics
    ) -> None:
        self._cluster = settings.kubernetes.name
        self._only_cluster = settings.kubernetes.cluster is None
        self._heartbeats = Heartbeats(settings.intake)
        secret = settings.intake.grafana_secret
        self._grafana_secret = secret.get_secret_value() if secret else None
        self._desk = desk
        self._access = access
        self._readiness = readiness
        self._metrics = metrics

    async def receive(self, request: Request, source: str) -> JSONResponse:
        self._access.require_sender(request)
        if source not in SOURCES:
            raise UnknownSourceError(f"There is no alert source of this name. Known: {', '.join(SOURCES)}.")
        self._readiness.require_room()
        began = perf_counter()
        try:
            body = await json_body(request)
            if source == "grafana" and self._grafana_secret:
                require_grafana(self._grafana_secret, request.headers, body)
            return await self._take(source, self._read(source, body))
        finally:
            self._metrics.webhook_seconds.labels(source).observe(perf_counter() - began)

    def _read(self, source: str, body: bytes) -> Parsed:
        try:
            parsed = SOURCES[source](body, self._cluster)
        except ValidationError as invalid:
            raise complaint(invalid) from invalid
        if parsed.truncated:
            self._metrics.alerts_truncated.labels(source).inc(parsed.truncated)
            _log.warning("alerts.truncated", source=source, left_out=parsed.truncated, received=len(parsed.alerts))
        return parsed

    async def _take(self, source: str, parsed: Parsed) -> JSONResponse:
        alerts = [alert for alert in parsed.alerts if alert not in self._heartbeats]
        try:
            taken = await self._submit(alerts, parsed.truncated)
        except TransientError as failure:
            self._readiness.not_handed_over(failure)
            raise
        if taken:
            self._readiness.handed_over()
        refused = [*parsed.refused, *(one for batch in taken for one in batch.refused)]
        if refused:
            self._tell_refused(source, refused)
        if refused and len(refused) == len(parsed.alerts) + len(parsed.refused):
            raise BadPayloadError(f"No alert could be taken. {refused[0].alert}: {refused[0].why}")
        if beats := len(parsed.alerts) - len(alerts):
            self._metrics.heartbeats.labels(source).inc(beats)
        for alert in (alert for batch in taken for alert in batch.alerts):
            self._metrics.alerts.labels(source, alert.status.value).inc()
        held = _one_an_incident(batch.receipt for batch in taken)
        self._count_incidents(held)
        return JSONResponse(_answer(held, refused), 202)

    def _tell_refused(self, source: str, refused: list[Refused]) -> None:
        self._metrics.alerts_refused.labels(source).inc(len(refused))
        first = refused[0]
        _log.warning("alerts.refused", source=source, refused=len(refused), alert=first.alert, why=first.why)

    def _count_incidents(self, held: list[IncidentReceipt]) -> None:
        for receipt in held:
            self._metrics.incidents.labels("created" if receipt.created else "joined").inc()
            if receipt.created:
                _log.info("incident.opened", incident_id=receipt.id)

    async def _submit(self, alerts: list[Alert], left_out: int) -> list[_Taken]:
        """Hand the alerts to the desk, target by target. What Temporal refuses for good is told; what it only cannot take now
        fails the request, and the sender sends it all again."""
        if self._only_cluster:
            alerts = [_of_cluster(alert, self._cluster) for alert in alerts]
        nodes, others = in_batches(alerts)
        return [*await self._submit_side_by_side(nodes, left_out), *await self._submit_side_by_side(others, left_out)]

    async def _submit_side_by_side(self, batches: list[Batch], left_out: int) -> list[_Taken]:
        if len(batches) < 2:
            return [await self._submit_batch(batch, left_out) for batch in batches]
        gate = asyncio.Semaphore(SUBMITS_AT_ONCE)

        async def one(batch: Batch) -> _Taken:
            async with gate:
                return await self._submit_batch(batch, left_out)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(batch)) for batch in batches]
        except ExceptionGroup as failed:
            # One of them is enough to know what to answer; the group keeps the others.
            raise failed.exceptions[0] from failed
        return [task.result() for task in tasks]

    async def _submit_batch(self, batch: Batch, left_out: int) -> _Taken:
        """All of its alerts, in order; created when any part of them opened the incident."""
        answer: IncidentReceipt | None = None
        taken: list[Alert] = []
        refused: list[Refused] = []
        for part in _parts(batch.alerts):
            try:
                receipt = await self._desk.submit(batch.target, part, left_out=left_out)
            except AlertsRejectedError as rejected:
                refused += [Refused(alert.name, str(rejected)) for alert in part]
                continue
            taken += part
            if receipt and not (answer and answer.created):
                answer = receipt
        return _Taken(answer, taken, refused)


def _parts(alerts: list[Alert]) -> Iterator[tuple[Alert, ...]]:
    """In their order, as many at a time as one signal holds."""
    if len(alerts) == 1:
        yield (alerts[0],)
        return
    part: list[Alert] = []
    size = 0
    for alert in alerts:
        bytes_of_alert = len(to_json(alert))
        if part and (len(part) == ALERTS_PER_SUBMIT or size + bytes_of_alert > BYTES_PER_SUBMIT):
            yield tuple(part)
            part, size = [], 0
        part.append(alert)
        size += bytes_of_alert
    if part:
        yield tuple(part)


def _answer(held: list[IncidentReceipt], refused: list[Refused]) -> dict[str, Any]:
    """As AlertsAccepted describes it."""
    answer: dict[str, Any] = {"incidents": [{"id": receipt.id, "created": receipt.created} for receipt in held]}
    if refused:
        answer["refused"] = [{"alert": one.alert, "why": one.why} for one in refused[:REFUSED_SHOWN]]
        answer["refused_count"] = len(refused)
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
    """A route for each source, so that the contract can tell what its body is, and one that knows no other names."""
    router = APIRouter(prefix="/v1/alerts", tags=["alerts"], route_class=_BareRoute)
    for source in SOURCES:
        router.add_api_route(f"/{source}", _of_source(intake, source), methods=["POST"], **contract_of(source))

    async def any_source(request: Request) -> Response:
        return await intake.receive(request, request.path_params["source"])

    router.add_api_route("/{source}", any_source, methods=["POST"], **ANY_SOURCE)
    return router


def _of_source(intake: AlertIntake, source: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def receive(request: Request) -> Response:
        return await intake.receive(request, source)

    return receive
