"""What a call says in Slack: whom it mentions, what is needed, and where to read on. Pure."""

from collections.abc import Sequence
from typing import Final

from opsmend.adapters.slack.message import Message, headline
from opsmend.adapters.slack.mrkdwn import link, prose
from opsmend.domain.call import Call
from opsmend.domain.incident import IncidentState
from opsmend.domain.mentions import CHANNEL, HERE

CALL_EVENT: Final = "opsmend_call"

_MARKS: Final = {"U": "<@{}>", "W": "<@{}>", "S": "<!subteam^{}>"}
"""https://docs.slack.dev/messaging/formatting-message-text#mentioning"""


def render_call(state: IncidentState, call: Call, who: Sequence[str], permalink: str) -> Message:
    """`who` comes from the settings; nothing else of the message can mention anybody. `permalink` is of the incident's message,
    empty where there is none."""
    lines = [
        " ".join((*map(_mention, who), headline(state))),
        f"{prose(call.text, 1000)} {prose(call.needed, 300)}",
        link(permalink, "open the incident") if permalink else "",
    ]
    payload = {"incident_id": state.id, "run_id": state.run_id, "call": call.key}
    return Message("\n".join(filter(None, lines)), [], {"event_type": CALL_EVENT, "event_payload": payload})


def is_for_the_whole_channel(who: Sequence[str]) -> bool:
    """Whether `here` or `channel` is mentioned: nobody promises that these two notify from inside a thread."""
    return HERE in who or CHANNEL in who


def _mention(who: str) -> str:
    return f"<!{who}>" if who in (HERE, CHANNEL) else _MARKS[who[0]].format(who)
