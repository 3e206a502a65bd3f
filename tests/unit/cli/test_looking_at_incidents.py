"""What a person at a terminal sees of incidents."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from tests.builders import (
    NOW,
    a_change,
    a_diagnosis,
    a_hint,
    a_ledger,
    a_plan,
    a_postmortem,
    a_recollection,
    a_target,
    a_verdict,
    a_verification,
    ago,
    an_alert,
    an_approval,
    an_execution,
    an_incident,
    an_incident_awaiting_approval,
    some_evidence,
)
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import an_app
from tests.unit.cli.run_cli import run_against, run_cli
from typer.testing import Result

from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.api.worker_watch import WorkerWatch
from opsmend.domain.incident import TimelineEntry
from opsmend.domain.plan import Alternative
from opsmend.domain.ports.workers import WorkQueue
from opsmend.telemetry import ApiMetrics

WEB = "incident:demo:shop:deployment:web"


PLAN = a_plan(
    alternatives=(Alternative(summary="restart web", refused_because="it would crash again"),), cites=("incident:earlier",)
)


def a_finished_desk() -> DeskInMemory:
    return DeskInMemory(
        an_incident_awaiting_approval(
            status="closed",
            outcome="remediated",
            closed_at=NOW,
            closing="web is healthy again",
            plan=PLAN,
            diagnosis=a_diagnosis(hints=(a_hint(revision=1),), recalled=(a_recollection(),), unseen=("no metrics",)),
            verdict=a_verdict(PLAN),
            approval=an_approval(PLAN),
            execution=an_execution(PLAN),
            verification=a_verification(),
            postmortem=a_postmortem(),
            timeline=(TimelineEntry(at=NOW, event="plan.proposed", detail="one step"),),
            calls={"sre": a_ledger(calls=15, bytes=98_304), "deployment": a_ledger(calls=6)},
        )
    )


def test_list_shows_each_incident_with_its_status() -> None:
    shown = run_cli(DeskInMemory(an_incident()), "incidents")
    assert shown.exit_code == 0
    assert WEB in shown.stdout
    assert "investigating" in shown.stdout


def test_ids_are_whole_even_in_a_narrow_terminal() -> None:
    shown = run_cli(DeskInMemory(an_incident()), "incidents", COLUMNS="40")
    assert "…" not in shown.stdout


def test_list_can_be_filtered_and_says_when_there_is_none() -> None:
    shown = run_cli(DeskInMemory(an_incident()), "incidents", "--status", "closed")
    assert (shown.exit_code, shown.stdout.strip()) == (0, "No incidents.")


def many(count: int) -> DeskInMemory:
    return DeskInMemory(*(an_incident(target=a_target(name=f"app-{n}"), opened_at=ago(minutes=n)) for n in range(count)))


def test_a_list_that_is_not_all_says_so_and_how_to_see_more() -> None:
    shown = run_cli(many(201), "incidents")
    assert shown.stdout.count("deployment:app-") == 200
    assert "There are more than these 200." in shown.stdout
    assert "--limit 400" in shown.stdout


def test_more_are_shown_when_more_are_asked_for() -> None:
    shown = run_cli(many(450), "incidents", "--limit", "450")
    assert shown.stdout.count("deployment:app-") == 450
    assert "There are more" not in shown.stdout


def test_a_program_learns_that_there_are_more() -> None:
    listed = json.loads(run_cli(many(5), "incidents", "--limit", "3", "--json").stdout)
    assert (len(listed["incidents"]), bool(listed["next_cursor"])) == (3, True)


class Behind:
    """Workers whose oldest task has waited for so long."""

    def __init__(self, **oldest: timedelta) -> None:
        self._oldest = oldest

    async def work_queues(self) -> dict[str, WorkQueue]:
        return {role: WorkQueue(at_work=True, waiting=40, oldest=oldest) for role, oldest in self._oldest.items()}


def run_behind(desk: DeskInMemory, oldest: dict[str, timedelta], *args: str) -> Result:
    """As `run_cli`, where so much waits."""
    watch = WorkerWatch(Behind(**oldest), TerminalChat(), ApiMetrics())
    asyncio.run(watch.look())
    return run_against(httpx.ASGITransport(an_app(desk, watch=watch)), *args)


@pytest.mark.parametrize(
    ("oldest", "said"),
    [
        pytest.param(
            {"sre": timedelta(seconds=190)}, "About 40 incidents wait to be looked into, the oldest for 3 min.", id="sre"
        ),
        pytest.param(
            {"workflows": timedelta(seconds=20), "sre": timedelta(seconds=15)},
            "About 80 incidents wait to be looked into, the oldest for 20 s.",
            id="both",
        ),
    ],
)
def test_a_backlog_is_told_beside_the_list(oldest: dict[str, timedelta], said: str) -> None:
    assert said in run_behind(many(3), oldest, "incidents").stdout
    assert said in run_behind(DeskInMemory(), oldest, "incidents").stdout
    listed = json.loads(run_behind(many(3), oldest, "incidents", "--json").stdout)
    assert f"About {listed['backlog']['incidents']} incidents" in said


@pytest.mark.parametrize(
    "oldest",
    [
        pytest.param({"sre": timedelta(seconds=9)}, id="only for a moment"),
        pytest.param({"connectors": timedelta(hours=1)}, id="only messages"),
    ],
)
def test_what_is_no_backlog_of_incidents_is_not_told(oldest: dict[str, timedelta]) -> None:
    shown = run_behind(many(3), oldest, "incidents")
    assert shown.exit_code == 0
    assert "wait to be looked into" not in shown.stdout


def test_unknown_filter_is_a_usage_error() -> None:
    assert run_cli(DeskInMemory(), "incidents", "--status", "bogus").exit_code == 2


def test_incident_shows_all_that_a_person_needs_to_judge_it() -> None:
    shown = run_cli(a_finished_desk(), "incident", WEB)
    assert shown.exit_code == 0
    for expected in (
        "Deployment shop/web in demo",
        "closed: remediated",
        "exit code 1",
        "no metrics",
        "Roll Deployment shop/web back to revision 1",
        "+  image: registry.example/web:1.4.2",
        "2 pods of Deployment shop/web",
        "back to revision 2",
        PLAN.hash,
        "it would crash again",
        "incident:earlier",
        "Security: passed",
        "ask-for-everything",
        "approved by Mia (terminal)",
        "Verified healthy in 3 checks",
        "plan.proposed",
        "crashed after a rollout",
        "http://temporal.test/",
        "sre 15 calls, 96 KB; deployment 6 calls",
    ):
        assert expected in shown.stdout


def test_incident_as_json_is_the_contract_itself() -> None:
    shown = run_cli(a_finished_desk(), "incident", WEB, "--json", COLUMNS="40")
    body = json.loads(shown.stdout)
    assert (body["id"], body["outcome"], body["plan"]["requires_approval"]) == (WEB, "remediated", True)


def test_list_as_json_is_for_programs() -> None:
    body = json.loads(run_cli(DeskInMemory(an_incident()), "incidents", "--json").stdout)
    assert [row["id"] for row in body["incidents"]] == [WEB]


def test_explanation_shows_each_value_with_its_reason() -> None:
    shown = run_cli(a_finished_desk(), "explain", WEB)
    assert shown.exit_code == 0
    for expected in ("revision 1 ran for 23 h", "restart web", "it would crash again", "ask-for-everything", "exit code 1"):
        assert expected in shown.stdout


def test_explanation_of_an_incident_without_a_diagnosis_says_so() -> None:
    assert "no diagnosis" in run_cli(DeskInMemory(an_incident()), "explain", WEB).stdout


def test_earlier_run_is_shown_when_named() -> None:
    desk = DeskInMemory(an_incident(closing="the first"), an_incident(run_id="run-2", closing="the second"))
    assert "the first" in run_cli(desk, "incident", WEB, "--run", "run-1").stdout
    assert "the second" in run_cli(desk, "incident", WEB).stdout


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("\x1b[2J\x1b]0;owned\x07", id="terminal escapes"),
        pytest.param("[red]x[/nonsense] [link=file:///etc]y[/link]", id="rich markup"),
        pytest.param("good\u202etxt.exe\u200b", id="reversed text"),
        pytest.param("first\rsecond\x9b31m", id="carriage return and C1"),
    ],
)
@pytest.mark.parametrize("command", ["incident", "explain"])
def test_hostile_text_is_shown_and_controls_nothing(command: str, hostile: str) -> None:
    alert = an_alert(name=hostile, annotations={"summary": hostile})
    change = a_change(hostile, by=hostile)
    diagnosis = a_diagnosis(
        summary=hostile,
        evidence=(some_evidence(hostile),),
        unseen=(hostile,),
        changes=(change,),
        began_at=NOW,
        began_note=hostile,
    )
    state = an_incident_awaiting_approval(
        alerts=(alert,), diagnosis=diagnosis, closing=hostile, postmortem=a_postmortem(markdown=f"# {hostile}\n")
    )
    shown = run_cli(DeskInMemory(state), command, WEB)
    assert shown.exit_code == 0
    assert not any(char in shown.stdout for char in "\x1b\x07\x9b\r\u202e\u200b")
    if hostile.startswith("["):
        assert "[red]x[/nonsense]" in shown.stdout


def test_unknown_incident_is_refused_with_a_sentence() -> None:
    shown = run_cli(DeskInMemory(), "incident", "incident:nothing")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "There is no incident incident:nothing" in shown.stderr


def test_wrong_token_is_refused_and_the_variable_is_named() -> None:
    shown = run_cli(DeskInMemory(), "incidents", OPSMEND_OPERATOR_TOKEN="wrong")
    assert shown.exit_code == 1
    assert "OPSMEND_OPERATOR_TOKEN" in shown.stderr


def test_nobody_at_the_address_is_said_in_a_sentence() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    shown = run_against(httpx.MockTransport(refuse), "incidents", "--api", "http://nowhere.test:1")
    assert shown.exit_code == 3
    assert "http://nowhere.test:1" in shown.stderr
    assert "opsmend up" in shown.stderr
    assert "Traceback" not in shown.output


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(200, text="<html>It works!</html>"), id="another service"),
        pytest.param(httpx.Response(502, text="bad gateway"), id="a proxy"),
        pytest.param(httpx.Response(200, json={"incidents": [{"id": 1}]}), id="another shape"),
    ],
)
def test_something_else_at_the_address_is_told_apart(answer: httpx.Response) -> None:
    shown = run_against(httpx.MockTransport(lambda request: answer), "incidents")
    assert shown.exit_code == 3
    assert "is not opsmend's API" in shown.stderr


def test_broken_setting_is_named_by_its_variable() -> None:
    shown = run_cli(DeskInMemory(), "incidents", OPSMEND_BUDGET__TOKENS="many")
    assert shown.exit_code == 78
    assert "OPSMEND_BUDGET__TOKENS" in shown.stderr
