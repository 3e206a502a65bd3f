"""Whether opsmend may change anything now, for a terminal."""

from rich.console import Group, RenderableType

from opsmend.api.changes_view import ChangesView
from opsmend.console.layout import say


def changes_report(view: ChangesView) -> RenderableType:
    """One line on the pause, then one for each object that is held for people."""
    lines = [_pause(view), *(say(f"held for people: {held.why}", "yellow") for held in view.held)]
    return Group(*lines, say(f"{view.changes_within_24_hours} changes within 24 hours", "dim"))


def _pause(view: ChangesView) -> RenderableType:
    if view.paused is None:
        return say("Changes are allowed.", "green")
    reason = f": {view.paused.reason}" if view.paused.reason else ""
    return say(f"Changes are paused since {view.paused.at:%Y-%m-%d %H:%M} UTC by {view.paused.by}{reason}", "bold yellow")
