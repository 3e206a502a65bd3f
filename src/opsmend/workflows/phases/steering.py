"""A person on call takes the incident over, stops it, or wants no reminder for a while."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.policy import OperatorCheck, PolicyActivities
    from opsmend.agents.patience import JUDGE, on
    from opsmend.agents.queues import SECURITY
    from opsmend.domain.approval import Person
    from opsmend.domain.incident import Status
    from opsmend.domain.steering import LONGEST_SNOOZE, Snooze, Stop, TakeOver
    from opsmend.errors import BadPayloadError, IncidentClosedError

from opsmend.workflows.phases.incident_log import IncidentLog
from opsmend.workflows.phases.interruptions import Interruptions
from opsmend.workflows.phases.question import Question


class Steering:
    """Each method says in a sentence what comes of it, and raises IncidentClosedError where there is nothing to steer."""

    def __init__(self, log: IncidentLog, interruptions: Interruptions, question: Question) -> None:
        self._log = log
        self._interruptions = interruptions
        self._question = question

    async def must_be_operator(self, person: Person) -> None:
        """Ask policy about the person. Raises FailureError when they may not steer."""
        await workflow.execute_activity_method(
            PolicyActivities.check_operator,
            OperatorCheck(person=person, cluster=self._log.state.target.cluster),
            **on(SECURITY, JUDGE, f"May {person} steer this incident?"),
        )

    def take_over(self, request: TakeOver) -> str:
        self._must_be_open()
        self._end(f"{request.by} took it over", request.reason, stands_back=True)
        return "opsmend stands back: no step begins any more, and it asks and reminds nobody"

    def stop(self, request: Stop) -> str:
        self._must_be_open()
        self._end(f"{request.by} stopped it", request.reason, stands_back=False)
        return "the incident ends; a change that was made is undone first"

    def snooze(self, request: Snooze) -> str:
        """Raises BadPayloadError: `until` is past, or too far away. Raises NothingToDecideError: nothing is asked."""
        self._must_be_open()
        ahead = request.until - workflow.now()
        if not timedelta(0) < ahead <= LONGEST_SNOOZE:
            raise BadPayloadError(
                f"a snooze ends within {LONGEST_SNOOZE.days} days from now, not at {request.until:%Y-%m-%d %H:%M}"
            )
        until = f"{request.until:%Y-%m-%d %H:%M} UTC"
        self._question.snooze(request.until)
        self._log.note("incident.snoozed", f"by {request.by} until {until}")
        return f"no reminder and no escalation before {until}"

    def _must_be_open(self) -> None:
        state = self._log.state
        if state.status is Status.CLOSED:
            raise IncidentClosedError(f"{state.id} is closed: {state.outcome}")
        if self._interruptions.to_end:
            raise IncidentClosedError(f"{state.id} is about to end: {self._interruptions.to_end}")

    def _end(self, what: str, reason: str, *, stands_back: bool) -> None:
        why = f"{what} ({reason})" if reason else what
        self._interruptions.ended, self._interruptions.stands_back = why, stands_back
        self._log.note("incident.taken_over" if stands_back else "incident.stopped", why)
