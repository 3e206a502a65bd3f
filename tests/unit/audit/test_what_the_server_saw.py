"""The audit log is read as the server means it: whose call, for what, and each request once."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.drills.audit.rights_used import used
from tests.drills.audit.seen import seen, seen_since
from tests.unit.audit.entries import INCIDENT, SRE, entry

from opsmend.domain.call_ledger import ApiCall

GET_WEB = ApiCall(verb="get", resource="deployments.apps", namespace="shop", name="web")
THEN = datetime(2026, 11, 25, 14, tzinfo=UTC)


def a_log(folder: Path, *entries: dict[str, Any], name: str = "audit.log") -> Path:
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in entries))
    return folder / "audit.log"


def test_a_call_is_told_with_its_agent_its_incident_and_its_account() -> None:
    found = seen(entry())
    assert found is not None
    assert (found.agent, found.work, found.account, found.call) == ("sre", INCIDENT, "opsmend/opsmend-sre", GET_WEB)


@pytest.mark.parametrize(
    ("changed", "call"),
    [
        pytest.param(
            {"verb": "patch", "requestURI": "/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All"},
            GET_WEB.model_copy(update={"verb": "patch", "dry_run": True}),
            id="rehearsed",
        ),
        pytest.param(
            {"objectRef": {"resource": "pods", "namespace": "shop", "name": "web-1", "subresource": "log"}},
            ApiCall(verb="get", resource="pods/log", namespace="shop", name="web-1"),
            id="subresource",
        ),
        pytest.param(
            {"objectRef": {"resource": "namespaces", "namespace": "shop", "name": "shop"}},
            ApiCall(verb="get", resource="namespaces", name="shop"),
            id="namespace",
        ),
        pytest.param(
            {"objectRef": None, "requestURI": "/version?x=1"}, ApiCall(verb="get", resource="/version"), id="no-object"
        ),
    ],
)
def test_a_call_is_named_as_the_ledger_names_it(changed: dict[str, Any], call: ApiCall) -> None:
    found = seen(entry(**changed))
    assert found is not None
    assert found.call == call


def test_a_request_counts_once_whatever_its_stages(tmp_path: Path) -> None:
    log = a_log(tmp_path, entry(stage="ResponseStarted"), entry(), entry("a2", stage="ResponseStarted"))
    assert len(seen_since(log, THEN)) == 2


def test_what_came_before_the_drills_is_left_out_and_what_was_rotated_away_is_not(tmp_path: Path) -> None:
    a_log(tmp_path, entry("a1"), name="audit-2026-11-25T14-01-00.000.log")
    before = entry("a0", requestReceivedTimestamp="2026-11-25T13:59:59.000000Z")
    assert len(seen_since(a_log(tmp_path, before, entry("a2")), THEN)) == 2


def test_a_call_that_the_server_did_not_believe_is_still_ours() -> None:
    found = seen(entry(user={}, stage="ResponseStarted", responseStatus={"code": 401}))
    assert found is not None
    assert (found.account, found.work, found.call) == ("", INCIDENT, GET_WEB)


def test_a_stranger_with_an_account_of_ours_is_seen_and_names_no_incident() -> None:
    found = seen(entry(userAgent="curl/8"))
    assert found is not None
    assert (found.agent, found.work) == ("", "curl/8")


@pytest.mark.parametrize("user_agent", ["kubectl/1.36", SRE])
def test_everybody_else_is_none_of_our_business_whatever_they_call_themselves(user_agent: str) -> None:
    assert seen(entry(user={"username": "admin"}, userAgent=user_agent)) is None


def test_a_right_was_needed_whatever_the_server_answered(tmp_path: Path) -> None:
    gone = entry("a2", responseStatus={"code": 404}, objectRef={"resource": "nodes", "name": "n1"})
    refused = entry("a3", responseStatus={"code": 403}, objectRef={"resource": "secrets", "name": "password"})
    log = a_log(tmp_path, entry("a1"), gone, refused, entry("a4"))
    assert used(seen_since(log, THEN)) == {"opsmend-sre": ["get deployments.apps", "get nodes", "get secrets"]}
