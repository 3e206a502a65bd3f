"""The part of the Prometheus HTTP API that we use, typed and bounded: https://prometheus.io/docs/prometheus/latest/querying/api/."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from opsmend.errors import MetricsUnavailableError, bounded
from opsmend.policy.redaction import redact

ANSWER_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one answer: the alerts of some 10,000 firing rules. More is refused, not read."""

_NOT_UNDERSTOOD: Final = frozenset({400, 422})
"""Prometheus' statuses for a query that does not parse or cannot be carried out; asking again changes nothing."""

Labels = dict[str, str]
Sample = tuple[float, float]
"""Unix seconds and the value, which may be NaN or infinite."""


class BadQueryError(Exception):
    """Prometheus does not understand the query. Stays inside this package."""


class ActiveAlert(BaseModel):
    labels: Labels
    state: str
    value: str = ""


class _Alerts(BaseModel):
    alerts: list[ActiveAlert]


class AlertingRule(BaseModel):
    """`health` is ok, err or unknown (not evaluated yet)."""

    name: str
    query: str
    labels: Labels = Field(default_factory=dict)
    health: str = "unknown"
    last_error: str = Field(default="", alias="lastError")
    last_evaluation: AwareDatetime = Field(default=datetime.min.replace(tzinfo=UTC), alias="lastEvaluation")
    interval: timedelta = timedelta(minutes=1)
    """Of its group: how often it is evaluated."""


class _Group(BaseModel):
    interval: timedelta
    rules: list[AlertingRule]


class _Rules(BaseModel):
    groups: list[_Group]


class Series(BaseModel):
    """One series: `value` in an instant answer, `values` in a range answer."""

    metric: Labels
    value: Sample | None = None
    values: list[Sample] = Field(default_factory=list)


class _Result(BaseModel):
    result_type: str = Field(alias="resultType")
    result: list[Any]


T = TypeVar("T")


class Answer(BaseModel, Generic[T]):
    """What Prometheus said and when by its own clock. `partial` when it warns that something may be missing."""

    data: T
    at: AwareDatetime
    partial: bool


class PrometheusApi:
    """Every method raises MetricsUnavailableError; those that take a query also BadQueryError."""

    def __init__(self, url: str, timeout: timedelta, transport: httpx.AsyncBaseTransport | None) -> None:
        self._timeout = timeout
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout.total_seconds(), transport=transport)
        self._shown = redact(url)

    async def close(self) -> None:
        await self._client.aclose()

    async def alerts(self) -> Answer[list[ActiveAlert]]:
        answer = await self._ask("api/v1/alerts", {}, _Alerts)
        return Answer(data=answer.data.alerts, at=answer.at, partial=answer.partial)

    async def alerting_rules(self, name: str) -> Answer[list[AlertingRule]]:
        """Those called `name`; several groups may have one."""
        answer = await self._ask("api/v1/rules", {"type": "alert"}, _Rules)
        rules = [
            rule.model_copy(update={"interval": group.interval})
            for group in answer.data.groups
            for rule in group.rules
            if rule.name == name
        ]
        return Answer(data=rules, at=answer.at, partial=answer.partial)

    async def query(self, expression: str) -> Answer[list[Series]]:
        """The series that `expression` yields now; a scalar or string yields none."""
        return self._series(await self._ask("api/v1/query", {"query": expression}, _Result))

    async def query_range(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Answer[list[Series]]:
        span = {"start": start.timestamp(), "end": end.timestamp(), "step": step.total_seconds()}
        return self._series(await self._ask("api/v1/query_range", {"query": expression} | span, _Result))

    def _series(self, answer: Answer[_Result]) -> Answer[list[Series]]:
        found = answer.data.result if answer.data.result_type in ("vector", "matrix") else []
        try:
            series = TypeAdapter(list[Series]).validate_python(found)
        except ValidationError as e:
            raise self._unavailable("its series are not what the API promises") from e
        return Answer(data=series, at=answer.at, partial=answer.partial)

    async def _ask(self, path: str, parameters: dict[str, Any], model: type[T]) -> Answer[T]:
        if parameters.get("query"):
            parameters = parameters | {"timeout": f"{self._timeout.total_seconds():g}s"}
        try:
            async with self._send(path, parameters) as response:
                body = await self._read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            raise self._unavailable(f"{type(e).__name__} on {path}") from e
        if response.status_code in _NOT_UNDERSTOOD and "query" in parameters:
            raise BadQueryError(bounded(body.decode(errors="replace")))
        if response.status_code != httpx.codes.OK:
            raise self._unavailable(f"HTTP {response.status_code} on {path}")
        return self._parse(body, response, model)

    def _send(self, path: str, parameters: dict[str, Any]) -> AbstractAsyncContextManager[httpx.Response]:
        # Expressions may be longer than a URL may be.
        if "query" in parameters:
            return self._client.stream("POST", path, data=parameters)
        return self._client.stream("GET", path, params=parameters)

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise self._unavailable(f"its answer is longer than {ANSWER_LIMIT} bytes")
        return bytes(body)

    def _parse(self, body: bytes, response: httpx.Response, model: type[T]) -> Answer[T]:
        try:
            envelope = TypeAdapter(dict[str, Any]).validate_json(body)
            data = TypeAdapter(model).validate_python(envelope.get("data"))
        except ValidationError as e:
            raise self._unavailable("its answer is not that of a Prometheus API") from e
        return Answer(data=data, at=_when(response), partial=bool(envelope.get("warnings")))

    def _unavailable(self, what: str) -> MetricsUnavailableError:
        return MetricsUnavailableError(f"Prometheus at {self._shown} did not answer: {what}")


def _when(response: httpx.Response) -> datetime:
    """Their clock, so that a difference between the two clocks does not make a fresh evaluation look old."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
