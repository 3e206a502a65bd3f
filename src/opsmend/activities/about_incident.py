"""What an activity is handed of the incident that it tells of.

The incident's state comes with the request. A try that comes late asks the workflow itself: it tells what is true when it gets
through, not when it was scheduled.
"""

from datetime import timedelta
from typing import Final

from temporalio import activity

from opsmend.domain.call import ANSWERABLE, Call
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.record import Handed, View

_LATE: Final = timedelta(seconds=10)
"""After its activity was scheduled: more than a chat that is well needs, less than a person takes to answer."""


class AboutIncident(Handed, View):
    """`state` is that of the moment in which this was scheduled; None in what was scheduled before 0.2."""

    incident_id: str
    run_id: str
    state: IncidentState | None = None


async def state_of(request: AboutIncident, desk: IncidentDesk) -> IncidentState:
    info = activity.info()
    if request.state and info.started_time - info.scheduled_time < _LATE:
        return request.state
    return await desk.get(request.incident_id, request.run_id)


def still_needed(call: Call, asked: IncidentState | None, now: IncidentState) -> bool:
    """False for a call to a question that was answered or withdrawn since; `asked` is the state when the call was scheduled."""
    if asked is None or call.reason not in ANSWERABLE:
        return True
    return (asked.status, asked.plan, asked.approval, asked.outcome) == (now.status, now.plan, now.approval, now.outcome)
