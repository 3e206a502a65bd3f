"""What Temporal will never take is told apart from what it cannot take now: only the second is worth sending again."""

import pytest
from temporalio.client import Client
from tests.builders import a_target, an_alert
from tests.contract.desk.conftest import LARGEST_PAYLOAD, LONGEST_ID, MOST_SIGNALS, a_desk

from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.domain.alert import Alert
from opsmend.errors import AlertsRejectedError, TemporalUnavailableError

LONG = a_target(name="x" * LONGEST_ID)


def too_large() -> Alert:
    return an_alert(annotations={"summary": "x" * LARGEST_PAYLOAD})


async def test_an_id_that_is_too_long_is_refused_for_good(desk: TemporalDesk) -> None:
    with pytest.raises(AlertsRejectedError, match="length"):
        await desk.submit(LONG, (an_alert(target=LONG),))


async def test_a_payload_that_is_too_large_is_refused_for_good_whether_or_not_its_incident_is_open(desk: TemporalDesk) -> None:
    alert = an_alert()
    with pytest.raises(AlertsRejectedError):
        await desk.submit(alert.target, (too_large(),))
    opened = await desk.submit(alert.target, (alert,))
    with pytest.raises(AlertsRejectedError):
        await desk.submit(alert.target, (too_large(),))
    joined = await desk.submit(alert.target, (alert,))
    assert (opened and opened.created, joined and joined.created) == (True, False)


async def test_a_run_that_takes_no_more_signals_will_take_them_later(client: Client, desk: TemporalDesk) -> None:
    alert = an_alert()
    for _ in range(MOST_SIGNALS):
        assert await desk.submit(alert.target, (alert,))
    with pytest.raises(TemporalUnavailableError):
        await desk.submit(alert.target, (alert,))
    with pytest.raises(TemporalUnavailableError):  # of a process that does not know that it is open
        await a_desk(client).submit(alert.target, (alert,))
    resolved = an_alert(status="resolved")
    with pytest.raises(TemporalUnavailableError):
        await desk.submit(alert.target, (resolved,))


async def test_an_id_that_is_too_long_has_no_incident_to_decide_about(desk: TemporalDesk) -> None:
    resolved = an_alert(target=LONG, status="resolved")
    assert await desk.submit(LONG, (resolved,)) is None
