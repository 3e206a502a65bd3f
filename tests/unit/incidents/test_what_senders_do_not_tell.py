"""People read that a start was not told and that alerts were left out, in every place where they read of an incident."""

from collections.abc import Callable
from typing import Final

import pytest
from rich.console import Console
from tests.builders import a_diagnosis, an_alert, an_incident
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import a_client

from opsmend.activities.postmortem import write_postmortem
from opsmend.adapters.slack.message import render
from opsmend.api.incident_view import incident_view
from opsmend.console.incident_report import incident_report
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice


def in_slack(state: IncidentState) -> str:
    return str([block.to_dict() if hasattr(block, "to_dict") else block for block in render(Notice(state=state)).blocks])


def in_a_terminal(state: IncidentState) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(incident_report(incident_view(state, "")))
    return shown.get()


def in_the_postmortem(state: IncidentState) -> str:
    return write_postmortem(state).markdown


def of_a_silent_sender(**changes: object) -> IncidentState:
    return an_incident(alerts=(an_alert(starts_at=None),), diagnosis=a_diagnosis(), outcome="escalated", **changes)


Place = Callable[[IncidentState], str]
PLACES: Final[list[Place]] = [in_slack, in_a_terminal, in_the_postmortem]


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_start_is_told_as_no_date(place: Place) -> None:
    assert "1970" not in place(of_a_silent_sender())


def test_the_postmortem_says_that_the_start_was_not_told() -> None:
    assert "firing, start not told" in in_the_postmortem(of_a_silent_sender())


async def test_programs_get_null_for_an_unknown_start() -> None:
    state = of_a_silent_sender()
    async with a_client(DeskInMemory(state)) as client:
        shown = (await client.get(f"/v1/incidents/{state.id}")).json()
    assert [alert["starts_at"] for alert in shown["alerts"]] == [None]


@pytest.mark.parametrize("place", PLACES)
def test_alerts_that_were_left_out_are_told(place: Place) -> None:
    assert "37" in place(of_a_silent_sender(alerts_left_out=37))
    assert "left out" not in place(of_a_silent_sender())
