"""PagerDuty by its Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview"""

import hashlib
import json
from http import HTTPStatus
from typing import Final

from pydantic import SecretStr

from opsmend.adapters.pager.http import OtherSide
from opsmend.domain.alert import Severity
from opsmend.domain.call import CallReason
from opsmend.domain.ports.pager import Page, Paged, PageOver
from opsmend.domain.record import JsonObject

NAME: Final = "pagerduty"
_LONGEST_KEY: Final = 255
"""Characters of a dedup_key."""
_LONGEST_SUMMARY: Final = 1024
_NEVER_TRIGGERED: Final = "opsmend-doctor"
"""Nothing is ever triggered under this key, and PagerDuty drops the resolve of what was not triggered."""


class PagerDuty:
    """The incident's id is the dedup key: one page an incident, however often it is triggered, until it is resolved."""

    def __init__(self, events: OtherSide, url: str, routing_key: SecretStr) -> None:
        self._events = events
        self._url = url
        self._routing_key = routing_key

    async def trigger(self, page: Page) -> Paged:
        event: JsonObject = {"event_action": "trigger", "payload": _payload(page), "client": "opsmend"}
        if page.temporal_ui:
            event |= {"client_url": page.temporal_ui, "links": [{"href": page.temporal_ui, "text": "open in Temporal"}]}
        return await self._enqueue(event, page.incident_id)

    async def resolve(self, over: PageOver) -> Paged:
        return await self._enqueue({"event_action": "resolve"}, over.incident_id)

    async def check(self) -> str:
        await self._enqueue({"event_action": "resolve"}, _NEVER_TRIGGERED)
        return "PagerDuty takes events with this key."

    async def _enqueue(self, event: JsonObject, incident_id: str) -> Paged:
        keys = {"routing_key": self._routing_key.get_secret_value(), "dedup_key": _dedup_key(incident_id)}
        body = json.dumps(event | keys).encode()
        answer = await self._events.ask("POST", self._url, body, {"Content-Type": "application/json"})
        if answer.status != HTTPStatus.ACCEPTED:
            raise self._events.refusal(answer)
        return Paged(by=(NAME,))


def _payload(page: Page) -> JsonObject:
    return {
        "summary": f"{page.target}: {page.summary}"[:_LONGEST_SUMMARY],
        "source": f"{page.cluster}/{page.target}",
        # A change that may still do harm is worse than whatever the alert was about.
        "severity": (Severity.CRITICAL if page.reason is CallReason.UNDO_FAILED else page.severity).value,
        "timestamp": page.at.isoformat(),
        "component": page.target.name,
        "group": page.target.namespace or page.cluster,
        "class": page.reason.value,
        "custom_details": {
            "what happened": page.text,
            "what is needed": page.needed,
            "plan": page.plan,
            "alerts": list(page.alerts),
            "incident": page.incident_id,
            "run": page.run_id,
        },
    }


def _dedup_key(incident_id: str) -> str:
    """The id itself where PagerDuty takes one of its length: names of Kubernetes may have 253 characters each."""
    return incident_id if len(incident_id) <= _LONGEST_KEY else hashlib.sha256(incident_id.encode()).hexdigest()
