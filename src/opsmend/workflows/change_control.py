"""The ChangeControl workflow: what may be changed in one cluster now. It runs as long as opsmend is used there."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.policy import OperatorCheck, PolicyActivities
    from opsmend.agents.patience import THINK, on
    from opsmend.agents.queues import SECURITY
    from opsmend.domain import change_control
    from opsmend.domain.approval import Person
    from opsmend.domain.change_control import (
        ChangeControlState,
        ChangeLeave,
        ChangeReservation,
        Pause,
        PauseRequest,
        ReleaseRequest,
        ResumeRequest,
    )
    from opsmend.domain.record import Record
    from opsmend.errors import NothingToReleaseError


class ChangeControlOpened(Record):
    """Input. `state` is that of the run before; after `most_events` of history a new run goes on with it."""

    cluster: str
    state: ChangeControlState = ChangeControlState()
    most_events: int = 5_000


def change_control_id(cluster: str) -> str:
    """The id of the one workflow of a cluster."""
    return f"change-control:{cluster}"


@workflow.defn(name="ChangeControl")
class ChangeControlWorkflow:
    """Pauses, counts and holds for one cluster. Waits on: updates."""

    @workflow.init
    def __init__(self, opened: ChangeControlOpened) -> None:
        self._cluster = opened.cluster
        self._state = opened.state

    @workflow.run
    async def run(self, opened: ChangeControlOpened) -> None:
        await workflow.wait_condition(lambda: self._is_long(opened.most_events) and workflow.all_handlers_finished())
        state = self._state.without_old(workflow.now())
        workflow.continue_as_new(opened.model_copy(update={"state": state}))

    def _is_long(self, most_events: int) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > most_events

    @workflow.update
    def reserve(self, asked: ChangeReservation) -> ChangeLeave:
        """Whether a step may be made now."""
        self._state, leave = change_control.reserve(self._state, asked, workflow.now())
        self._show()
        return leave

    @workflow.update
    async def pause(self, request: PauseRequest) -> ChangeControlState:
        """No new step until `resume`."""
        await self._must_be_operator(request.by)
        if self._state.pause is None:
            pause = Pause(by=request.by, at=workflow.now(), reason=request.reason)
            self._state = self._state.model_copy(update={"pause": pause})
        return self._show()

    @workflow.update
    async def resume(self, request: ResumeRequest) -> ChangeControlState:
        """Steps may be made again."""
        await self._must_be_operator(request.by)
        self._state = self._state.model_copy(update={"pause": None})
        return self._show()

    @workflow.update
    async def release(self, request: ReleaseRequest) -> ChangeControlState:
        """An object that was held for people may be changed again, and its remedies are counted anew."""
        await self._must_be_operator(request.by)
        if self._state.held_for_people(request.target) is None:
            raise ApplicationError(
                f"{request.target} is not held for people", type=NothingToReleaseError.__name__, non_retryable=True
            )
        self._state = self._state.model_copy(
            update={
                "held": tuple(held for held in self._state.held if held.target != request.target),
                "changes": tuple(change for change in self._state.changes if change.target != request.target),
            }
        )
        return self._show()

    @workflow.query
    def state(self) -> ChangeControlState:
        return self._state.without_old(workflow.now())

    async def _must_be_operator(self, person: Person) -> None:
        await workflow.execute_activity_method(
            PolicyActivities.check_operator,
            OperatorCheck(person=person, cluster=self._cluster),
            **on(SECURITY, THINK, f"May {person} pause and release changes?"),
        )

    def _show(self) -> ChangeControlState:
        held = "".join(f"\n\n- {held.why}" for held in self._state.held)
        pause = str(self._state.pause) if self._state.pause else "Changes are allowed."
        workflow.set_current_details(f"{pause} {len(self._state.changes)} within 24 hours.{held}")
        return self._state
