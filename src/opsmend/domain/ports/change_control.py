"""Pauses and limits of change, as the deployment agent and people ask for them."""

from typing import Protocol

from opsmend.domain.change_control import (
    ChangeControlState,
    ChangeLeave,
    ChangeReservation,
    PauseRequest,
    ReleaseRequest,
    ResumeRequest,
)


class ChangeControl(Protocol):
    """Of one cluster. Every method raises ChangeControlUnavailableError, and PolicyRefusedError where a person asks."""

    async def reserve(self, asked: ChangeReservation) -> ChangeLeave:
        """Whether this step may be made now. The same step is counted once. Raises ChangeControlLostError."""
        ...

    async def state(self) -> ChangeControlState:
        """What is paused, what was changed within 24 hours, which objects are held for people."""
        ...

    async def pause(self, request: PauseRequest) -> ChangeControlState:
        """No new step is made until somebody resumes. Twice is harmless: the first pause stands."""
        ...

    async def resume(self, request: ResumeRequest) -> ChangeControlState:
        """Let steps be made again."""
        ...

    async def release(self, request: ReleaseRequest) -> ChangeControlState:
        """Let opsmend change an object again that was held for people. Raises NothingToReleaseError."""
        ...
