"""What is told of pauses and of objects that are held for people. The server writes it, the client reads it."""

from datetime import datetime

from pydantic import BaseModel

from opsmend.domain.change_control import ChangeControlState


class PauseView(BaseModel):
    by: str
    at: datetime
    reason: str


class HeldView(BaseModel):
    target: str
    since: datetime
    why: str


class ChangesView(BaseModel):
    """`paused` is null while changes are allowed. `changes_within_24_hours` counts steps, undoing aside."""

    paused: PauseView | None
    held: list[HeldView]
    changes_within_24_hours: int


def changes_view(state: ChangeControlState) -> ChangesView:
    pause = state.pause
    return ChangesView(
        paused=PauseView(by=str(pause.by), at=pause.at, reason=pause.reason) if pause else None,
        held=[HeldView(target=held.target, since=held.since, why=held.why) for held in state.held],
        changes_within_24_hours=len(state.changes),
    )
