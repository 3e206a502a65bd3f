"""The JSON that other people's programs rely on: names, types and values may be added to, never changed."""

from typing import Any, Final

import jsonschema
import pytest
from tests.builders import (
    a_plan,
    a_postmortem,
    a_verification,
    an_approval,
    an_execution,
    an_incident,
    an_incident_awaiting_approval,
)
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, a_client, an_app

from opsmend.domain.incident import Outcome, Status

TEXT: Final = {"type": "string"}
OBJECT: Final = {
    "type": "object",
    "required": ["kind", "namespace", "name"],
    "properties": {"kind": TEXT, "namespace": TEXT, "name": TEXT},
}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, schema]}


INCIDENT: Final = obj(
    id=TEXT,
    status={"enum": ["investigating", "awaiting_approval", "executing", "verifying", "closed"]},
    outcome={"enum": [None, "remediated", "self_resolved", "no_action", "rolled_back", "escalated"]},
    target={"type": "object"},
    diagnosis=or_null(
        obj(
            summary=TEXT,
            category=TEXT,
            resource=OBJECT,
            confidence={"type": "number", "minimum": 0, "maximum": 1},
            evidence=many(obj(id=TEXT, source=TEXT, excerpt=TEXT)),
            tier=TEXT,
        )
    ),
    plan=or_null(
        obj(
            hash=TEXT,
            actions=many(obj(type=TEXT, target=OBJECT, summary=TEXT, diff=TEXT)),
            requires_approval={"type": "boolean"},
        )
    ),
    approval=or_null({"type": "object"}),
    timeline=many(obj(at={"type": "string", "format": "date-time"}, event=TEXT, detail=TEXT)),
    usage=obj(
        input_tokens={"type": "integer"},
        output_tokens={"type": "integer"},
        cost_usd={"type": "number"},
        tool_calls={"type": "integer"},
    ),
    temporal_ui={"type": "string", "pattern": "^http"},
)


def closed() -> Any:
    plan = a_plan()
    return an_incident_awaiting_approval(
        status="closed",
        outcome="remediated",
        plan=plan,
        approval=an_approval(plan),
        execution=an_execution(plan),
        verification=a_verification(),
        postmortem=a_postmortem(),
    )


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(an_incident(), id="investigating"),
        pytest.param(an_incident_awaiting_approval(), id="awaiting approval"),
        pytest.param(closed(), id="closed"),
    ],
)
async def test_incident_has_the_promised_shape(state: Any) -> None:
    async with a_client(DeskInMemory(state)) as client:
        body = (await client.get(f"/v1/incidents/{state.id}")).json()
    jsonschema.validate(body, INCIDENT)


def test_promised_words_are_all_the_words_there_are() -> None:
    assert set(INCIDENT["properties"]["status"]["enum"]) == set(Status)
    assert set(INCIDENT["properties"]["outcome"]["enum"]) == {None, *Outcome}


async def test_accepted_alert_is_answered_as_promised() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json={"name": "A", "status": "firing"})
    assert response.status_code == 202
    jsonschema.validate(response.json(), obj(incidents=many(obj(id=TEXT, created={"type": "boolean"}))))


def test_openapi_lists_every_promised_path_with_its_failures() -> None:
    paths = an_app(DeskInMemory()).openapi()["paths"]
    assert {"202", "401", "404", "413", "415", "422", "503"} <= paths["/v1/alerts/{source}"]["post"]["responses"].keys()
    decision = paths["/v1/incidents/{incident_id}/decision"]["post"]
    assert {"200", "401", "403", "404", "409", "422", "503"} <= decision["responses"].keys()
    assert decision["security"] == [{"operatorToken": []}]
    assert {"/v1/incidents", "/v1/incidents/{incident_id}", "/healthz", "/readyz", "/metrics"} <= paths.keys()
