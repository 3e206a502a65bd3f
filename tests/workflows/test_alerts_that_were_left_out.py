"""What a sender left out of its payload is told on every incident that the payload touched."""

from opsmend.domain.incident import IncidentState
from tests.builders import an_alert
from tests.workflows.conftest import MakeWorld


def told(state: IncidentState) -> list[str]:
    return [entry.detail for entry in state.timeline if entry.event == "alerts.left_out"]


async def test_left_out_alerts_are_told_once_and_again_when_they_become_more(make_world: MakeWorld) -> None:
    world = await make_world()
    alert = an_alert()
    for left_out in (37, 37, 0, 40):
        await world.desk.submit(alert.target, (alert,), left_out=left_out)
    state = await world.until(lambda s: s.alerts_received == 4)
    assert state.alerts_left_out == 40
    assert [detail.split(" of this group")[0] for detail in told(state)] == [
        "the sender left out 37 alerts",
        "the sender left out 40 alerts",
    ]


async def test_nothing_is_told_where_nothing_was_left_out(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.alert()
    state = await world.until(lambda s: s.alerts_received == 1)
    assert (state.alerts_left_out, told(state)) == (0, [])
