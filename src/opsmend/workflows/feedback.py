"""The Feedback workflow: a person said that a diagnosis was wrong. Its history keeps who said so, and memory forgets it."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.feedback import FeedbackActivities, ForgetRequest
    from opsmend.activities.policy import OperatorCheck, PolicyActivities
    from opsmend.agents.patience import JUDGE, NOTIFY, on
    from opsmend.agents.queues import CONNECTORS, SECURITY
    from opsmend.domain.record import StrictRecord
    from opsmend.domain.steering import WrongDiagnosis
    from opsmend.errors import PolicyRefusedError

from opsmend.workflows.phases.incident_log import root_of


class FeedbackGiven(StrictRecord):
    """About one run of an incident, which may be over."""

    incident_id: str
    run_id: str
    cluster: str
    wrong: WrongDiagnosis


def feedback_id(incident_id: str, run_id: str) -> str:
    """The id of the one workflow for a run: that it exists says that its diagnosis is wrong."""
    return f"feedback:{incident_id}:{run_id}"


@workflow.defn(name="Feedback")
class FeedbackWorkflow:
    """Waits on nothing but its activities. Memory may be away for two weeks. Fails where policy does not let the person."""

    @workflow.init
    def __init__(self, given: FeedbackGiven) -> None:
        self._given = given
        self._accepted = False
        self._refused = ""

    @workflow.run
    async def run(self, given: FeedbackGiven) -> None:
        try:
            await self._must_be_operator()
        except FailureError as failure:
            self._refused = root_of(failure)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        self._accepted = True
        await workflow.execute_activity_method(
            FeedbackActivities.forget,
            ForgetRequest(run_id=given.run_id),
            **on(CONNECTORS, NOTIFY, "Let memory forget what it learnt from a wrong diagnosis"),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _must_be_operator(self) -> None:
        person = self._given.wrong.by
        await workflow.execute_activity_method(
            PolicyActivities.check_operator,
            OperatorCheck(person=person, cluster=self._given.cluster),
            **on(SECURITY, JUDGE, f"May {person} mark a diagnosis as wrong?"),
        )

    @workflow.update
    async def accepted(self) -> None:
        """Returns once it is known that the person may say so."""
        await workflow.wait_condition(lambda: self._accepted or bool(self._refused))
        if self._refused:
            raise ApplicationError(self._refused, type=PolicyRefusedError.__name__, non_retryable=True)
