"""What /openapi.json says of the webhooks: a body for each source, and what is answered."""

from functools import cache
from typing import Any, Final

from pydantic import BaseModel, Field, TypeAdapter

from opsmend.api.alerts import SOURCES
from opsmend.api.problem import Failure


class IncidentTouched(BaseModel):
    id: str
    created: bool
    """Whether these alerts opened it, or joined it."""


class AlertRefused(BaseModel):
    alert: str
    """Its name, and its place in the payload where it could not be read."""
    why: str


class AlertsAccepted(BaseModel):
    """`incidents` is empty when all alerts were resolved ones of no open incident, or heartbeats."""

    incidents: list[IncidentTouched]
    refused: list[AlertRefused] = Field(default_factory=list)
    """Alerts that were not taken and need not be sent again as they are, at most 100 of them; absent where all were taken."""
    refused_count: int = 0


_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Failure, "description": "No or wrong API token, or a signature that is not right."},
    408: {"model": Failure, "description": "The body did not arrive in time."},
    413: {"model": Failure, "description": "The body is too long."},
    415: {"model": Failure, "description": "Not JSON."},
    422: {"model": Failure, "description": "Not one alert could be taken; the message names the field."},
    503: {"model": Failure, "description": "Temporal does not hold the alerts. Send them again."},
}
_OF_EACH: Final[dict[str, Any]] = {"status_code": 202, "response_model": AlertsAccepted}


def contract_of(source: str) -> dict[str, Any]:
    """Keywords of the route that takes the alerts of `source`."""
    return _OF_EACH | {
        "summary": f"Hand in alerts: {source}",
        "responses": _FAILURES,
        "openapi_extra": _extra(_schema(source)),
        "operation_id": f"hand_in_{source}",
    }


def _extra(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "description": "The payload of the source, at most 1 MiB.",
            "content": {"application/json": {"schema": schema}},
        },
        "security": [{"apiToken": []}],
    }


@cache
def _schema(source: str) -> dict[str, Any]:
    """Whole in itself: what a route adds by hand cannot refer to the components that FastAPI collects."""
    return _resolved(TypeAdapter(SOURCES[source].payload).json_schema())


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """With definitions in place of references to them; none of ours refers to itself. How many alerts a list may have is left
    out: a body has reached its 1 MiB long before."""
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, list):
            return [resolve(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolve(definitions[part["$ref"].rpartition("/")[2]])
        return {key: resolve(value) for key, value in part.items() if key != "maxItems"}

    resolved: dict[str, Any] = resolve(schema)
    return resolved


ANY_SOURCE: Final[dict[str, Any]] = _OF_EACH | {
    "summary": "Hand in alerts of a monitoring system",
    "responses": {404: {"model": Failure, "description": "Unknown source."}} | _FAILURES,
    "openapi_extra": _extra({"anyOf": [_schema(source) for source in SOURCES]})
    | {"parameters": [{"name": "source", "in": "path", "required": True, "schema": {"type": "string", "enum": list(SOURCES)}}]},
    "operation_id": "hand_in_alerts",
}
