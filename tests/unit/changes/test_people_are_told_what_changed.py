"""Wherever people look at an incident they read what changed before it, and how long before."""

from collections.abc import Callable

import pytest
from tests.builders import NOW, a_change, a_diagnosis, a_postmortem, ago, an_incident
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import a_client
from tests.unit.cli.run_cli import run_cli

from opsmend.activities.postmortem import write_postmortem
from opsmend.adapters.slack.message import render
from opsmend.domain.changes import Author
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice

WEB = "incident:demo:shop:deployment:web"
NOTE = "The first alert says that it began at 2031-01-01 00:00:00 UTC, which was still to come: its clock looks off."

EDIT = a_change("data.nginx.conf written", at=ago(minutes=12), fields=("data.nginx.conf",))
MOVED = a_change("2 pods were created anew on node-2", at=ago(minutes=9), by="", author=Author.KUBERNETES)
SCALED = a_change("spec.replicas written", at=ago(minutes=1), by="kubectl-scale")


def state(**changes: object) -> IncidentState:
    told = {"changes": (MOVED, EDIT, SCALED), "began_at": ago(minutes=8), "began_note": NOTE} | changes
    diagnosis = a_diagnosis(**told)
    closed = {"status": "closed", "outcome": "escalated", "closed_at": NOW, "closing": "a person is needed"}
    return an_incident(diagnosis=diagnosis, postmortem=a_postmortem(), **closed)


def in_the_terminal(of: IncidentState) -> str:
    return run_cli(DeskInMemory(of), "incident", WEB, COLUMNS="300").stdout


def explained(of: IncidentState) -> str:
    return run_cli(DeskInMemory(of), "explain", WEB, COLUMNS="300").stdout


def in_the_post_mortem(of: IncidentState) -> str:
    return write_postmortem(of).markdown


def in_slack(of: IncidentState) -> str:
    blocks = render(Notice(state=of)).blocks
    return "\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")


PLACES = [in_the_terminal, explained, in_the_post_mortem, in_slack]


@pytest.mark.parametrize("place", PLACES)
def test_the_edit_is_told_with_its_author_and_how_long_before(place: Callable[[IncidentState], str]) -> None:
    told = place(state())
    (line,) = [line for line in told.splitlines() if "data.nginx.conf written" in line]
    assert "4 min before" in line
    assert "kubectl-edit" in line
    assert "What changed before it" in told
    assert "clock looks off" in told


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_said_where_nothing_changed(place: Callable[[IncidentState], str]) -> None:
    assert "What changed" not in place(state(changes=(), began_note=""))


def test_slack_has_room_for_the_few_that_matter() -> None:
    many = tuple(a_change(f"edit {n}", at=ago(minutes=20 + n)) for n in range(9))
    told = in_slack(state(changes=(MOVED, *many)))
    assert [f"edit {n}" in told for n in (0, 2, 3)] == [True, True, False]
    assert "created anew" not in told
    assert "and 7 more changes" in told


async def test_programs_get_every_change_with_its_numbers() -> None:
    async with a_client(DeskInMemory(state())) as client:
        body = (await client.get(f"/v1/incidents/{WEB}")).json()
        why = (await client.get(f"/v1/incidents/{WEB}/explain")).json()
    moved, edit, scaled = body["changes"]
    assert edit == {
        "at": "2026-03-14T14:48:00Z",
        "when": "4 min before",
        "seconds_before": 240.0,
        "object": {"kind": "ConfigMap", "namespace": "shop", "name": "web-conf"},
        "what": "data.nginx.conf written",
        "fields": ["data.nginx.conf"],
        "by": "kubectl-edit",
        "author": "somebody",
    }
    assert (moved["author"], scaled["seconds_before"]) == ("kubernetes", -420.0)
    assert (body["began_at"], body["began_note"]) == ("2026-03-14T14:52:00Z", NOTE)
    assert why["changed"] == body["changes"]


async def test_an_incident_of_an_older_version_shows_none() -> None:
    async with a_client(DeskInMemory(an_incident(diagnosis=a_diagnosis()))) as client:
        body = (await client.get(f"/v1/incidents/{WEB}")).json()
    assert (body["changes"], body["began_at"], body["began_note"]) == ([], None, "")
