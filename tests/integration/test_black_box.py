"""The contract that other people's tools rely on, against a real `opsmend up`, seen from outside: HTTP, files, exit codes."""

import asyncio
import json
from typing import Any, Final

import jsonschema
import pytest
from tests.integration.outside.cluster import BAD, GOOD, Cluster, images_in
from tests.integration.outside.opsmend import API_TOKEN, CLUSTER, OPERATOR_TOKEN, Opsmend, alertmanager

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

TEXT: Final = {"type": "string"}
OBJECT: Final = {
    "type": "object",
    "required": ["kind", "namespace", "name"],
    "properties": {"kind": TEXT, "namespace": TEXT, "name": TEXT},
}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def some(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1}


ASKING: Final = obj(
    id=TEXT,
    status={"const": "awaiting_approval"},
    outcome={"type": "null"},
    target=OBJECT,
    diagnosis=obj(
        summary=TEXT,
        category=TEXT,
        resource=OBJECT,
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        evidence=some(obj(id=TEXT, source=TEXT, excerpt=TEXT)),
        tier=TEXT,
    ),
    plan=obj(
        hash={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        actions=some(obj(type=TEXT, target=OBJECT, summary=TEXT, diff={"type": "string", "minLength": 1})),
        requires_approval={"const": True},
    ),
    approval={"type": "null"},
    timeline=some(obj(at={"type": "string", "format": "date-time"}, event=TEXT, detail=TEXT)),
    usage=obj(
        input_tokens={"type": "integer"},
        output_tokens={"type": "integer"},
        cost_usd={"type": "number"},
        tool_calls={"type": "integer", "minimum": 1},
    ),
    temporal_ui={"type": "string", "pattern": "^http"},
)


async def broken(cluster: Cluster, namespace: str) -> None:
    """A Deployment whose last release names an image that does not exist."""
    await cluster.deploy(namespace)
    await cluster.break_image(namespace)


# --- who may, and what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        pytest.param("POST", "/v1/alerts/alertmanager", None, 401, id="alert-without-token"),
        pytest.param("POST", "/v1/alerts/alertmanager", "guessed", 401, id="alert-with-wrong-token"),
        pytest.param("POST", "/v1/alerts/alertmanager", OPERATOR_TOKEN, 401, id="alert-with-operators-token"),
        pytest.param("GET", "/v1/incidents", None, 401, id="list-without-token"),
        pytest.param("GET", "/v1/incidents/incident:x", "guessed", 401, id="incident-with-wrong-token"),
        pytest.param("POST", "/v1/incidents/incident:x/decision", None, 401, id="decision-without-token"),
        pytest.param("POST", "/v1/incidents/incident:x/decision", "guessed", 401, id="decision-with-wrong-token"),
        pytest.param("POST", "/v1/incidents/incident:x/decision", API_TOKEN, 403, id="decision-with-webhooks-token"),
    ],
)
@pytest.mark.safety
async def test_nobody_gets_in_with_the_wrong_token(
    opsmend: Opsmend, method: str, path: str, token: str | None, status: int
) -> None:
    async with opsmend.client(token) as http:
        body = {"plan_hash": "0" * 64, "decision": "approve"} if "decision" in path else alertmanager("nowhere")
        answer = await http.request(method, path, json=body if method == "POST" else None)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/v1/alerts/alertmanager", b"not JSON", 422, id="not-json"),
        pytest.param("/v1/alerts/alertmanager", b'{"version": "4", "alerts": [{"status": "firing"}]}', 422, id="no-labels"),
        pytest.param("/v1/alerts/generic", b'{"name": "A", "status": "on fire"}', 422, id="unknown-status"),
        pytest.param("/v1/alerts/datadog", b"{}", 422, id="empty-object"),
        pytest.param("/v1/alerts/generic", b'{"name": "' + b"A" * 1024 * 1024 + b'"}', 413, id="too-long"),
        pytest.param("/v1/alerts/carrier-pigeon", b"{}", 404, id="unknown-source"),
    ],
)
async def test_a_payload_that_is_none_is_refused_with_a_reason(opsmend: Opsmend, path: str, body: bytes, status: int) -> None:
    async with opsmend.client() as http:
        answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/v1/incidents/incident:outside:nowhere:deployment:none", 404, id="unknown-incident"),
        pytest.param("/v1/incidents/incident:x?run_id=none", 404, id="unknown-run"),
        pytest.param("/v1/incidents/incident:x?run_id=00000000-0000-4000-8000-000000000000", 404, id="other-run"),
        pytest.param("/v1/incidents?status=asleep", 422, id="unknown-status"),
        pytest.param("/v1/incidents?outcome=luck", 422, id="unknown-outcome"),
        pytest.param("/v1/nothing", 404, id="unknown-path"),
    ],
)
async def test_what_is_not_there_is_said_so(opsmend: Opsmend, path: str, status: int) -> None:
    async with opsmend.client() as http:
        assert (await http.get(path)).status_code == status


async def test_whoever_runs_it_is_told_once_that_changes_are_made_with_their_own_rights(opsmend: Opsmend) -> None:
    logs = [path.read_text() for path in opsmend.data_dir.rglob("worker.log")]
    assert "".join(logs).count("executor.unset") == 1


async def test_its_condition_metrics_and_contract_need_no_token(opsmend: Opsmend) -> None:
    async with opsmend.client(None) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200
        assert "# TYPE opsmend_" in (await http.get("/metrics")).text
        paths = (await http.get("/openapi.json")).json()["paths"]
    assert {"/v1/alerts/{source}", "/v1/incidents", "/v1/incidents/{incident_id}", "/healthz", "/readyz"} <= paths.keys()
    assert "/v1/incidents/{incident_id}/decision" in paths


# --- one alert, one incident, one fix -------------------------------------------------------------------------------------


@pytest.mark.safety
async def test_an_alert_becomes_one_approved_and_verified_fix(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "story")
    first = await opsmend.alert("story")
    assert first == {"id": f"incident:{CLUSTER}:story:deployment:web", "created": True}
    assert await opsmend.alert("story") == first | {"created": False}

    asking = await opsmend.asking(first["id"])
    jsonschema.validate(asking, ASKING)
    assert asking["target"] | {"kind": "Deployment", "namespace": "story", "name": "web"} == asking["target"]
    assert asking["diagnosis"]["category"] == "bad_image"
    assert images_in(asking["plan"]["actions"][0]["diff"]) == [("-", BAD), ("+", GOOD)]
    assert await cluster.mutations("story") == []

    plan_hash = asking["plan"]["hash"]
    stale = await opsmend.decide(first["id"], plan_hash="0" * 64, decision="approve")
    assert stale.status_code == 409
    assert (await opsmend.decide(first["id"], API_TOKEN, plan_hash=plan_hash, decision="approve")).status_code == 403
    assert (await opsmend.decide(first["id"], None, plan_hash=plan_hash, decision="approve")).status_code == 401
    assert (await opsmend.incident(first["id"]))["approval"] is None

    approved = await opsmend.decide(first["id"], plan_hash=plan_hash, decision="approve", reason="seen", name="mia")
    assert approved.status_code == 200
    assert (await opsmend.decide(first["id"], plan_hash=plan_hash, decision="approve")).status_code == 409

    closed = await opsmend.closed(first["id"])
    assert closed["outcome"] == "remediated", closed["closing"]
    assert closed["approval"] | {"decision": "approve", "plan_hash": plan_hash, "reason": "seen"} == closed["approval"]
    assert closed["verification"]["health"] == "healthy"
    assert "## Timeline" in closed["postmortem"]
    assert await cluster.mutations("story") == [("patch", "deployments/web")]
    deployment = await cluster.deployment("story")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == GOOD
    assert (await opsmend.decide(first["id"], plan_hash=plan_hash, decision="reject")).status_code == 409
    async with opsmend.client() as http:
        assert (await http.get(f"/v1/incidents/{first['id']}:sre:1")).status_code == 404  # an agent's part of it


async def test_the_next_outbreak_is_another_run_of_the_same_incident(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "again")
    incident = await opsmend.open("again")
    await opsmend.approve(incident)
    first = await opsmend.closed(incident)
    assert first["outcome"] == "remediated", first["closing"]

    await cluster.break_image("again")
    assert await opsmend.open("again", starts_at="2026-03-15T03:00:00Z") == incident
    second = await opsmend.approve(incident)
    assert second["run_id"] != first["run_id"]
    assert incident in second["recalled_from"]
    assert (await opsmend.closed(incident))["outcome"] == "remediated"

    earlier = await opsmend.incident(incident, first["run_id"])
    assert (earlier["run_id"], earlier["outcome"], earlier["closed_at"]) == (first["run_id"], "remediated", first["closed_at"])
    assert await cluster.mutations("again") == [("patch", "deployments/web")] * 2


async def test_alerts_of_other_sources_join_the_open_incident(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "joined")
    incident = await opsmend.open("joined")
    await opsmend.asking(incident)
    labels = {"namespace": "joined", "deployment": "web"}
    generic = {"name": "CheckoutIsDown", "status": "firing", "severity": "warning", "labels": labels}
    datadog = {
        "cycle_key": "6391042750148213",
        "transition": "Triggered",
        "title": "[Triggered on {kube_deployment:web}] Restarts of web",
        "type": "error",
        "tags": "env:prod,kube_deployment:web,kube_namespace:joined",
    }
    assert await opsmend.post("generic", generic) == [{"id": incident, "created": False}]
    assert await opsmend.post("datadog", datadog) == [{"id": incident, "created": False}]
    seen = await opsmend.incident(incident)
    assert {alert["source"] for alert in seen["alerts"]} == {"alertmanager", "generic", "datadog"}
    assert seen["status"] == "awaiting_approval"
    await opsmend.approve(incident)
    assert (await opsmend.closed(incident))["outcome"] == "remediated"
    assert await cluster.mutations("joined") == [("patch", "deployments/web")]


async def test_an_alert_that_resolves_while_people_think_ends_the_incident_untouched(
    opsmend: Opsmend, cluster: Cluster
) -> None:
    await broken(cluster, "passing")
    incident = await opsmend.open("passing")
    asking = await opsmend.asking(incident)
    assert await opsmend.alert("passing", status="resolved") == {"id": incident, "created": False}
    assert (await opsmend.closed(incident))["outcome"] == "self_resolved"
    late = await opsmend.decide(incident, plan_hash=asking["plan"]["hash"], decision="approve")
    assert late.status_code == 409
    assert await cluster.mutations("passing") == []


async def test_a_rejected_plan_is_left_to_people_until_the_alert_fires_anew(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "rejected")
    incident = await opsmend.open("rejected")
    asking = await opsmend.asking(incident)
    answer = await opsmend.decide(incident, plan_hash=asking["plan"]["hash"], decision="reject", reason="we roll forward")
    assert answer.status_code == 200
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "escalated"
    assert closed["approval"]["reason"] == "we roll forward"

    assert await opsmend.alert("rejected") == {"id": incident, "created": False}
    resent = await opsmend.incident(incident)
    assert (resent["run_id"], resent["outcome"]) == (closed["run_id"], "escalated")
    assert await cluster.writes("rejected") == []

    await opsmend.alert("rejected", starts_at="2026-03-15T03:00:00Z")
    anew = await opsmend.asking(incident, other_than_run=closed["run_id"])
    assert anew["run_id"] != closed["run_id"]
    await opsmend.alert("rejected", starts_at="2026-03-15T03:00:00Z", status="resolved")
    assert (await opsmend.closed(incident, other_than_run=closed["run_id"]))["outcome"] == "self_resolved"


async def test_lists_are_narrowed_by_status_and_outcome(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "listed")
    incident = await opsmend.open("listed")
    await opsmend.asking(incident)

    async def ids(**query: str) -> list[str]:
        async with opsmend.client() as http:
            answer = await http.get("/v1/incidents", params=query)
        assert answer.status_code == 200
        return [row["id"] for row in answer.json()["incidents"]]

    assert incident in await ids()
    assert incident in await ids(status="awaiting_approval")
    assert incident not in await ids(status="closed")
    await opsmend.alert("listed", status="resolved")
    await opsmend.closed(incident)
    assert incident in await ids(status="closed", outcome="self_resolved")
    assert incident not in await ids(outcome="remediated")
    assert incident not in await ids(status="awaiting_approval")


# --- the same from a terminal ---------------------------------------------------------------------------------------------


async def test_a_person_approves_from_a_terminal(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "terminal")
    incident = await opsmend.open("terminal")
    plan_hash = (await opsmend.asking(incident))["plan"]["hash"]
    listed, shown, other = await asyncio.gather(
        opsmend.run("incidents", "--status", "awaiting_approval"),
        opsmend.run("incident", incident, "--json"),
        opsmend.run("approve", incident, "--yes", "--plan-hash", "0" * 64),
    )
    assert (listed.code, shown.code, other.code) == (0, 0, 1)
    assert incident in listed.out
    assert json.loads(shown.out)["plan"]["hash"] == plan_hash
    assert "Nothing was sent" in other.err

    approved = await opsmend.run("approve", incident, "--yes", "--plan-hash", plan_hash[:12])
    assert approved.code == 0, approved.err
    assert GOOD in approved.out
    assert (await opsmend.closed(incident))["outcome"] == "remediated"
    told, why, late, unknown = await asyncio.gather(
        opsmend.run("incident", incident),
        opsmend.run("explain", incident),
        opsmend.run("approve", incident, "--yes"),
        opsmend.run("incident", "incident:outside:nowhere:deployment:none"),
    )
    assert (told.code, why.code, late.code, unknown.code) == (0, 0, 1, 1)
    assert "remediated" in told.out
    assert "bad_image" in why.out
    assert "asks nothing" in late.err
    assert unknown.err.strip()


async def test_a_person_rejects_from_a_terminal_with_a_reason(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "refused")
    incident = await opsmend.open("refused")
    await opsmend.asking(incident)
    rejected = await opsmend.run("reject", incident, "--reason", "a fix is on its way")
    assert rejected.code == 0, rejected.err
    closed = await opsmend.closed(incident)
    assert (closed["outcome"], closed["approval"]["reason"]) == ("escalated", "a fix is on its way")
    assert await cluster.writes("refused") == []


async def test_a_terminal_says_what_works_and_what_cannot_be_reached(opsmend: Opsmend) -> None:
    doctor, blind, nowhere, misspelt = await asyncio.gather(
        opsmend.run("doctor"),
        opsmend.run("doctor", KUBECONFIG="/nowhere/kubeconfig"),
        opsmend.run("incidents", "--api", "http://127.0.0.1:9"),
        opsmend.run("incidents", "--status", "asleep"),
    )
    assert doctor.code == 0, doctor.out + doctor.err
    assert blind.code == 1
    assert nowhere.code == 3
    assert misspelt.code == 2
