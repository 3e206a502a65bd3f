"""Pauses and limits of change without Temporal."""

from datetime import UTC, datetime

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
from opsmend.errors import ChangeControlUnavailableError, NothingToReleaseError, PolicyRefusedError


class ChangeControlInMemory:
    """Implements ChangeControl. `down`: it cannot be read. `operators`: only members of this group may change it."""

    def __init__(self, operators: str = "") -> None:
        self._operators = operators
        self.kept = ChangeControlState()
        self.down = False

    async def reserve(self, asked: ChangeReservation) -> ChangeLeave:
        self._must_be_up()
        self.kept, leave = change_control.reserve(self.kept, asked, datetime.now(UTC))
        return leave

    async def state(self) -> ChangeControlState:
        self._must_be_up()
        return self.kept

    async def pause(self, request: PauseRequest) -> ChangeControlState:
        self._must_be_up()
        must_be_in(self._operators, request.by)
        pause = Pause(by=request.by, at=datetime.now(UTC), reason=request.reason)
        self.kept = self.kept.model_copy(update={"pause": self.kept.pause or pause})
        return self.kept

    async def resume(self, request: ResumeRequest) -> ChangeControlState:
        self._must_be_up()
        must_be_in(self._operators, request.by)
        self.kept = self.kept.model_copy(update={"pause": None})
        return self.kept

    async def release(self, request: ReleaseRequest) -> ChangeControlState:
        self._must_be_up()
        if self.kept.held_for_people(request.target) is None:
            raise NothingToReleaseError(f"{request.target} is not held for people")
        held = tuple(one for one in self.kept.held if one.target != request.target)
        self.kept = self.kept.model_copy(update={"held": held})
        return self.kept

    def _must_be_up(self) -> None:
        if self.down:
            raise ChangeControlUnavailableError("it could not be read whether changes are paused")


def must_be_in(group: str, person: Person) -> None:
    """As policy does it. Raises PolicyRefusedError."""
    if group and group not in person.groups:
        raise PolicyRefusedError(f"{person} is not in {group}")
