"""What people and programs get when they ask about incidents."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from tests.builders import (
    NOW,
    a_diagnosis,
    a_hint,
    a_ledger,
    a_plan,
    a_policy_decision,
    a_postmortem,
    a_recollection,
    a_step,
    a_target,
    a_verdict,
    a_verification,
    ago,
    an_approval,
    an_execution,
    an_incident,
    an_incident_awaiting_approval,
)
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN, a_client

from opsmend.domain.incident import IncidentState, Outcome, Status, TimelineEntry
from opsmend.domain.plan import Alternative
from opsmend.domain.ports.desk import IncidentPage
from opsmend.errors import TemporalUnavailableError

WEB = "incident:demo:shop:deployment:web"


def a_closed_incident() -> IncidentState:
    plan = a_plan(
        alternatives=(Alternative(summary="restart web", refused_because="revision 2 would crash again"),),
        cites=("incident:demo:shop:deployment:cart/run-0",),
    )
    return an_incident_awaiting_approval(
        status="closed",
        outcome="remediated",
        closed_at=NOW,
        closing="web is healthy again",
        plan=plan,
        diagnosis=a_diagnosis(hints=(a_hint(revision=1),), recalled=(a_recollection(),), unseen=("Prometheus is not set up",)),
        verdict=a_verdict(plan),
        approval=an_approval(plan),
        execution=an_execution(plan),
        verification=a_verification(),
        postmortem=a_postmortem(),
        timeline=(TimelineEntry(at=ago(minutes=4), event="plan.proposed", detail="one step"),),
    )


async def test_incident_is_found_by_its_id_with_a_link_to_temporal() -> None:
    async with a_client(DeskInMemory(a_closed_incident())) as client:
        response = await client.get(f"/v1/incidents/{WEB}")
    body = response.json()
    assert response.status_code == 200
    assert (body["id"], body["status"], body["outcome"]) == (WEB, "closed", "remediated")
    assert body["temporal_ui"].endswith(f"/{WEB}/run-1/history")


async def test_calls_to_the_cluster_are_told_by_agent_as_an_audit_log_keys_them() -> None:
    usage = {"tool_calls": 5, "api_calls": 3, "api_bytes": 4096}
    state = an_incident(calls={"sre": a_ledger(calls=3, bytes=4096)}, usage=usage)
    async with a_client(DeskInMemory(state)) as client:
        body = (await client.get(f"/v1/incidents/{WEB}")).json()
    assert (body["usage"]["tool_calls"], body["usage"]["api_calls"], body["usage"]["api_bytes"]) == (5, 3, 4096)
    call = {"verb": "list", "resource": "pods", "namespace": "shop", "name": "", "dry_run": False, "times": 3}
    assert body["ledger"] == {"sre": {"calls": 3, "bytes": 4096, "counted": [call]}}


async def test_earlier_run_is_found_by_its_run_id() -> None:
    desk = DeskInMemory(a_closed_incident(), an_incident(run_id="run-2"))
    async with a_client(desk) as client:
        latest = await client.get(f"/v1/incidents/{WEB}")
        earlier = await client.get(f"/v1/incidents/{WEB}", params={"run_id": "run-1"})
        unknown = await client.get(f"/v1/incidents/{WEB}", params={"run_id": "run-9"})
    assert (latest.json()["run_id"], earlier.json()["run_id"], unknown.status_code) == ("run-2", "run-1", 404)


async def test_fresh_incident_shows_what_is_not_known_yet_as_null() -> None:
    async with a_client(DeskInMemory(an_incident())) as client:
        body = (await client.get(f"/v1/incidents/{WEB}")).json()
    assert [body[field] for field in ("outcome", "diagnosis", "plan", "approval", "postmortem")] == [None] * 5
    assert (body["status"], body["timeline"], body["execution"]) == ("investigating", [], [])


@pytest.mark.parametrize(
    ("autonomy", "passed", "asks"),
    [
        pytest.param("approve", True, True, id="ask"),
        pytest.param("auto", True, False, id="auto"),
        pytest.param("auto", False, True, id="auto but blocked by Security"),
        pytest.param("suggest", True, True, id="suggest"),
    ],
)
async def test_plan_needs_approval_unless_policy_let_it_run(autonomy: str, passed: bool, asks: bool) -> None:
    plan = a_plan()
    verdict = a_verdict(plan, passed=passed, policy=a_policy_decision(autonomy))
    state = an_incident_awaiting_approval(plan=plan, verdict=verdict)
    async with a_client(DeskInMemory(state)) as client:
        body = (await client.get(f"/v1/incidents/{WEB}")).json()
    assert body["plan"]["requires_approval"] is asks


async def test_plan_without_a_verdict_needs_approval() -> None:
    async with a_client(DeskInMemory(an_incident_awaiting_approval(verdict=None))) as client:
        body = (await client.get(f"/v1/incidents/{WEB}")).json()
    assert body["plan"]["requires_approval"] is True


async def test_list_is_filtered_by_status_and_outcome_newest_first() -> None:
    desk = DeskInMemory(
        an_incident(opened_at=ago(hours=2)),
        an_incident(target=a_target(name="cart"), opened_at=ago(hours=1)),
        an_incident(target=a_target(name="old"), status="closed", outcome="escalated"),
    )
    async with a_client(desk) as client:
        open_ones = (await client.get("/v1/incidents", params={"status": "investigating"})).json()["incidents"]
        escalated = (await client.get("/v1/incidents", params={"outcome": "escalated"})).json()["incidents"]
    assert [row["id"].split(":")[-1] for row in open_ones] == ["cart", "web"]
    assert [row["id"].split(":")[-1] for row in escalated] == ["old"]
    assert escalated[0]["temporal_ui"].startswith("http")


async def test_a_long_list_comes_in_pages_that_lose_none_and_repeat_none() -> None:
    desk = DeskInMemory(*(an_incident(target=a_target(name=f"app-{n}"), opened_at=ago(minutes=n)) for n in range(450)))
    seen: list[str] = []
    cursor: str | None = None
    async with a_client(desk) as client:
        for _ in range(3):
            page = (await client.get("/v1/incidents", params={"cursor": cursor} if cursor else {})).json()
            seen += [row["id"].rsplit(":")[-1] for row in page["incidents"]]
            cursor = page["next_cursor"]
    assert seen == [f"app-{n}" for n in range(450)]
    assert cursor is None


async def test_a_page_is_as_long_as_asked_for() -> None:
    desk = DeskInMemory(*(an_incident(target=a_target(name=f"app-{n}")) for n in range(5)))
    async with a_client(desk) as client:
        page = (await client.get("/v1/incidents", params={"limit": 2})).json()
        rest = (await client.get("/v1/incidents", params={"limit": 3, "cursor": page["next_cursor"]})).json()
    assert (len(page["incidents"]), len(rest["incidents"]), rest["next_cursor"]) == (2, 3, None)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
async def test_a_page_has_a_bound(limit: str) -> None:
    async with a_client(DeskInMemory()) as client:
        response = await client.get("/v1/incidents", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith("limit: ")


async def test_a_cursor_is_taken_by_another_process_with_the_same_token() -> None:
    desk = DeskInMemory(*(an_incident(target=a_target(name=f"app-{n}")) for n in range(3)))
    async with a_client(desk) as client:
        page = (await client.get("/v1/incidents", params={"limit": 2})).json()
    async with a_client(desk) as restarted:
        rest = await restarted.get("/v1/incidents", params={"cursor": page["next_cursor"]})
    assert len(rest.json()["incidents"]) == 1


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "AAAA", "A" * 2_048, urlsafe_b64encode(b"garbage that is none of ours").decode(), "=", "a\x00b", "%"],
)
async def test_a_cursor_that_was_not_given_out_never_gets_to_temporal(cursor: str) -> None:
    class StumblingDesk(DeskInMemory):
        async def page(self, *asked: Any, begin: bytes | None = None, **more: Any) -> IncidentPage:
            assert begin is None
            return await super().page(*asked, begin=begin, **more)

    async with a_client(StumblingDesk()) as client:
        response = await client.get("/v1/incidents", params={"cursor": cursor})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith("cursor: ")


@pytest.mark.parametrize(
    ("parameter", "known"),
    [pytest.param("status", list(Status), id="status"), pytest.param("outcome", list(Outcome), id="outcome")],
)
async def test_unknown_filter_is_answered_with_the_known_values(parameter: str, known: list[str]) -> None:
    async with a_client(DeskInMemory()) as client:
        response = await client.get("/v1/incidents", params={parameter: "bogus"})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith(f"{parameter}: ")
    assert all(value in response.json()["error"]["message"] for value in known)


async def test_explanation_answers_why_these_numbers_who_refused_what_and_who_approved() -> None:
    async with a_client(DeskInMemory(a_closed_incident())) as client:
        why = (await client.get(f"/v1/incidents/{WEB}/explain")).json()
    assert why["believed"]["rule"] == "crash_after_rollout"
    values = {value["field"]: value for value in why["chosen"][0]["values"]}
    assert (values["revision"]["value"], values["revision"]["because"]) == ("1", "revision 1 ran for 23 h")
    assert [evidence["id"] for evidence in why["chosen"][0]["evidence"]] == ["e1"]
    assert why["refused"] == [{"summary": "restart web", "refused_because": "revision 2 would crash again"}]
    assert why["judged"]["policy"]["policies"] == ["ask-for-everything"]
    assert why["decided"]["by"]["name"] == "Mia"
    assert why["recalled_from"] == ["incident:demo:shop:deployment:cart"]
    assert why["believed"]["unseen"] == ["Prometheus is not set up"]


async def test_value_that_no_detector_derived_is_explained_by_the_steps_reason() -> None:
    state = an_incident_awaiting_approval(plan=a_plan(a_step(reason="because e1 says so")), diagnosis=a_diagnosis(hints=()))
    async with a_client(DeskInMemory(state)) as client:
        why = (await client.get(f"/v1/incidents/{WEB}/explain")).json()
    assert {value["because"] for value in why["chosen"][0]["values"]} == {"because e1 says so"}


async def test_incident_without_a_plan_is_explained_as_far_as_it_is_known() -> None:
    async with a_client(DeskInMemory(an_incident())) as client:
        why = (await client.get(f"/v1/incidents/{WEB}/explain")).json()
    assert (why["believed"], why["chosen"], why["plan_hash"]) == (None, [], None)


@pytest.mark.parametrize(
    ("token", "status"),
    [
        pytest.param(API_TOKEN, 200, id="the API token"),
        pytest.param(OPERATOR_TOKEN, 200, id="the operator token"),
        pytest.param("wrong", 401, id="another"),
        pytest.param(None, 401, id="none"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/incidents", f"/v1/incidents/{WEB}", f"/v1/incidents/{WEB}/explain"])
async def test_reading_takes_either_token(path: str, token: str | None, status: int) -> None:
    async with a_client(DeskInMemory(an_incident()), token=token) as client:
        assert (await client.get(path)).status_code == status


@pytest.mark.parametrize("path", ["/v1/incidents", f"/v1/incidents/{WEB}", f"/v1/incidents/{WEB}/explain"])
async def test_reading_while_temporal_is_away_asks_to_come_again(path: str) -> None:
    desk = DeskInMemory(an_incident())
    desk.failing = TemporalUnavailableError("Temporal does not answer.")
    async with a_client(desk) as client:
        response = await client.get(path)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


async def test_unknown_incident_and_unknown_path_are_told_apart() -> None:
    async with a_client(DeskInMemory()) as client:
        incident = await client.get("/v1/incidents/incident:x")
        path = await client.get("/v1/nothing")
        method = await client.delete("/v1/incidents")
    assert [r.status_code for r in (incident, path, method)] == [404, 404, 405]
    assert [r.json()["error"]["type"] for r in (incident, path, method)] == [
        "incident_not_found",
        "not_found",
        "method_not_allowed",
    ]
