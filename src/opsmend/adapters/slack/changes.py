"""What Slack says about pauses and limits of change. Pure."""

from typing import Final

from opsmend.adapters.slack.message import Message
from opsmend.adapters.slack.mrkdwn import prose
from opsmend.domain.approval import Person
from opsmend.domain.change_control import ChangeControlState, Pause

CHANGES_EVENT: Final = "opsmend_changes"
SHOWN_HELD: Final = 10

_HOW_TO_RESUME: Final = "`/opsmend resume` allows them again."


def changes_report(state: ChangeControlState) -> str:
    """For the person who asks: the pause, what is held for people, and how much was changed."""
    made = len(state.changes)
    lines = [
        _pause(state.pause) if state.pause else "Changes are allowed.",
        *(f"• Held for people: {prose(held.why, 300)}." for held in state.held[:SHOWN_HELD]),
        f"_and {len(state.held) - SHOWN_HELD} more_" if len(state.held) > SHOWN_HELD else "",
        "`opsmend release KIND/NAME -n NAMESPACE` lets opsmend change such an object again." if state.held else "",
        f"{made} {'change' if made == 1 else 'changes'} within 24 hours.",
    ]
    return "\n".join(filter(None, lines))


def paused(pause: Pause) -> Message:
    """For everybody."""
    text = f"⏸️ Changes are paused by {_at(pause.by)}{_reason(pause)}. {_HOW_TO_RESUME}"
    return _announcement(text, f"paused {pause.at.isoformat()}")


def resumed(by: Person, command: str) -> Message:
    """For everybody. `command` is an id of the command that did it."""
    return _announcement(f"▶️ Changes are allowed: {_at(by)} resumed them.", f"resumed {command}")


def _announcement(text: str, key: str) -> Message:
    return Message(text, [], {"event_type": CHANGES_EVENT, "event_payload": {"key": key}})


def _pause(pause: Pause) -> str:
    since = f"{pause.at:%Y-%m-%d %H:%M} UTC"
    return f"⏸️ Changes are paused since {since} by {prose(str(pause.by), 100)}{_reason(pause)}. {_HOW_TO_RESUME}"


def _reason(pause: Pause) -> str:
    return f": {prose(pause.reason, 1000).rstrip('.')}" if pause.reason.strip() else ""


def _at(person: Person) -> str:
    """A name to read. It mentions nobody: mentions come from the settings alone."""
    return f"@{prose(person.name or person.id, 100)}"
