"""What a person reads when a click changed nothing: one sentence each, and what to do next."""

from typing import Final

from opsmend.adapters.slack.mrkdwn import prose
from opsmend.errors import (
    AlreadyDecidedError,
    BadPayloadError,
    ChatRejectedError,
    ChatUnavailableError,
    DecisionUnconfirmedError,
    IncidentNotFoundError,
    NothingToDecideError,
    OpsmendError,
    PlanHashStaleError,
    PolicyRefusedError,
    TemporalUnavailableError,
)

_SENTENCES: Final[dict[type[OpsmendError], str]] = {
    PlanHashStaleError: "This button is stale: the plan has changed since. Look at the message as it stands now.",
    AlreadyDecidedError: "This was already decided; the message says by whom.",
    NothingToDecideError: "Nothing is waiting for a decision here any more.",
    IncidentNotFoundError: "This incident is not known any more.",
    BadPayloadError: "This button is not one of mine.",
    PolicyRefusedError: "You may not decide this",
    TemporalUnavailableError: "Temporal did not answer. Look again in a minute; repeat your decision if it is not there.",
    DecisionUnconfirmedError: "No worker answers, so the incident has not taken your decision. It may still take it. Look "
    "again in a minute and repeat it if it is not there; repeating is safe.",
    ChatUnavailableError: "Slack did not answer when I looked you up. Nothing was decided: try again.",
    ChatRejectedError: "Slack refused my look-up. Nothing was decided; an administrator finds the reason in the log.",
}


def sentence_for(refusal: OpsmendError) -> str:
    """For the person who clicked; a policy's own reason is quoted."""
    if isinstance(refusal, PolicyRefusedError):
        return f"{_SENTENCES[PolicyRefusedError]}: {prose(str(refusal), 500)}"
    return _SENTENCES.get(type(refusal), f"That did not work: {prose(str(refusal), 500)}")
