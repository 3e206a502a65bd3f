"""PagerDuty's Events API v2 with its rules: https://developer.pagerduty.com/docs/events-api-v2-overview

An event of an open alert's dedup key is added to it; one of a resolved alert opens another; a resolve of what is not open is
dropped. A page is an incident that opens: that is when somebody's phone rings.
"""

import json
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import AnyHttpUrl, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.pager_standin.http import FaultyServer

_LARGEST_BODY: Final = 512 * 1024


class _Strict(BaseModel):
    """PagerDuty ignores fields that it does not know; here they are slips."""

    model_config = ConfigDict(extra="forbid")


class Payload(_Strict):
    summary: str = Field(min_length=1, max_length=1024)
    source: str = Field(min_length=1)
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: AwareDatetime | None = None
    component: str | None = None
    group: str | None = None
    class_: str | None = Field(default=None, alias="class")
    custom_details: dict[str, Any] = Field(default_factory=dict)


class Link(_Strict):
    href: AnyHttpUrl
    text: str | None = None


class Trigger(_Strict):
    event_action: Literal["trigger"]
    routing_key: str
    dedup_key: str | None = Field(default=None, max_length=255)
    payload: Payload
    links: list[Link] = Field(default_factory=list)
    client: str | None = None
    client_url: AnyHttpUrl | None = None


class FollowUp(_Strict):
    event_action: Literal["acknowledge", "resolve"]
    routing_key: str
    dedup_key: str = Field(min_length=1, max_length=255)


_EVENT: Final[TypeAdapter[Trigger | FollowUp]] = TypeAdapter(Annotated[Trigger | FollowUp, Field(discriminator="event_action")])


@dataclass
class Incident:
    """`triggers` has one entry for each trigger event: the first one rang, the others are lines of its log."""

    dedup_key: str
    triggers: list[Trigger] = field(default_factory=list)
    status: str = "triggered"


class PagerDutyStandin:
    def __init__(self) -> None:
        self.routing_key = secrets.token_hex(16)
        self.incidents: list[Incident] = []
        """In the order in which they opened."""
        self.server = FaultyServer("/v2/enqueue", self._enqueue)

    def open_incident(self, dedup_key: str) -> Incident | None:
        return next((i for i in self.incidents if i.dedup_key == dedup_key and i.status != "resolved"), None)

    async def _enqueue(self, request: Request) -> Response:
        body = await request.body()
        if "json" not in request.headers.get("content-type", "") or len(body) > _LARGEST_BODY:
            return _invalid("the body must be JSON of at most 512 KB")
        try:
            event = _EVENT.validate_python(json.loads(body))
        except (json.JSONDecodeError, ValidationError) as e:
            return _invalid(str(e))
        if event.routing_key != self.routing_key:
            return _invalid("Invalid routing key")
        key = event.dedup_key or secrets.token_hex(16)
        self._apply(event, key)
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    def _apply(self, event: Trigger | FollowUp, key: str) -> None:
        incident = self.open_incident(key)
        if isinstance(event, Trigger):
            if incident is None:
                incident = Incident(key)
                self.incidents.append(incident)
            incident.triggers.append(event)
        elif incident is not None:
            incident.status = {"acknowledge": "acknowledged", "resolve": "resolved"}[event.event_action]


def _invalid(*errors: str) -> Response:
    return JSONResponse({"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}, 400)
