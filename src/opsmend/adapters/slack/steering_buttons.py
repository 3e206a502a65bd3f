"""What the buttons below an incident say, beside those that answer its question. Pure."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import ActionsBlock, ButtonElement, ConfirmObject, PlainTextObject

from opsmend.domain.incident import IncidentState, Status
from opsmend.domain.record import StrictRecord

TAKE_OVER_ACTION: Final = "opsmend_take_over"
SNOOZE_ACTION: Final = "opsmend_snooze"
STOP_ACTION: Final = "opsmend_stop"
WRONG_ACTION: Final = "opsmend_wrong_diagnosis"
STEERING_BLOCK: Final = "opsmend_steering"


class SteeredIncident(StrictRecord):
    """What a button is about. It comes back from outside, so it is a claim."""

    incident_id: str
    run_id: str


def steering_buttons(state: IncidentState) -> list[ActionsBlock]:
    """None where nothing is left to steer. Each button asks once more before it does anything.

    Buttons and no overflow menu: an option of a menu takes 150 characters, too few for an incident's id, and its options share
    one dialog.
    """
    buttons = list(_buttons(state))
    return [ActionsBlock(block_id=STEERING_BLOCK, elements=buttons)] if buttons else []


def _buttons(state: IncidentState) -> Iterator[ButtonElement]:
    value = SteeredIncident(incident_id=state.id, run_id=state.run_id).model_dump_json()
    if state.status is not Status.CLOSED:
        yield ButtonElement(text=_plain("Take over"), action_id=TAKE_OVER_ACTION, value=value, confirm=_TAKE_OVER)
        yield ButtonElement(text=_plain("Snooze 1 h"), action_id=SNOOZE_ACTION, value=value, confirm=_SNOOZE)
        yield ButtonElement(text=_plain("Stop"), action_id=STOP_ACTION, value=value, confirm=_STOP)
    if state.diagnosis:
        yield ButtonElement(text=_plain("Diagnosis is wrong"), action_id=WRONG_ACTION, value=value, confirm=_WRONG)


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)


def _confirm(title: str, text: str, confirm: str, style: str | None = None) -> ConfirmObject:
    return ConfirmObject(title=_plain(title), text=_plain(text), confirm=_plain(confirm), deny=_plain("Cancel"), style=style)


_TAKE_OVER: Final = _confirm(
    "Take this incident over?",
    "opsmend stands back: it asks, reminds and changes nothing more. A change that it made stays. This cannot be taken back.",
    "Take over",
)
_SNOOZE: Final = _confirm(
    "Snooze this incident?",
    "For one hour nobody is reminded of the question, and it is not escalated. The question stands.",
    "Snooze",
)
_STOP: Final = _confirm(
    "Stop this incident?",
    "The incident ends. A change that was made is undone first. This cannot be taken back.",
    "Stop",
    "danger",
)
_WRONG: Final = _confirm(
    "Is the diagnosis wrong?",
    "Memory will not recall this diagnosis. The incident itself goes on as it is. This cannot be taken back.",
    "It is wrong",
)
