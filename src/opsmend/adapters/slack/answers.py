"""What a person reads when a click or a command changed nothing: one sentence each, and what to do next."""

from typing import Final

from opsmend.adapters.slack.mrkdwn import prose
from opsmend.errors import (
    AlreadyDecidedError,
    BadPayloadError,
    ChangeControlUnavailableError,
    ChatRejectedError,
    ChatUnavailableError,
    DecisionUnconfirmedError,
    IncidentClosedError,
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

_STEERING_SENTENCES: Final[dict[type[OpsmendError], str]] = {
    IncidentNotFoundError: _SENTENCES[IncidentNotFoundError],
    BadPayloadError: _SENTENCES[BadPayloadError],
    PolicyRefusedError: "You may not do this",
    IncidentClosedError: "Nothing was done",
    TemporalUnavailableError: "Nobody answered in time, so it is not known whether this was done. Look again in a minute and "
    "repeat it if it was not; repeating is safe.",
    ChangeControlUnavailableError: "Nobody answered in time. Ask `/opsmend changes` in a minute. If you paused or resumed "
    "changes and it does not say so, repeat it; repeating is safe.",
    ChatUnavailableError: "Slack did not answer when I looked you up. Nothing was done: try again.",
    ChatRejectedError: "Slack refused my look-up. Nothing was done; an administrator finds the reason in the log.",
}

_QUOTED: Final = (PolicyRefusedError, IncidentClosedError)
"""Their own reason follows the sentence."""


def sentence_for(refusal: OpsmendError) -> str:
    """For the person who answered a question; a policy's own reason is quoted."""
    return _sentence(refusal, _SENTENCES)


def steering_sentence_for(refusal: OpsmendError) -> str:
    """For the person who steered an incident, or paused or resumed changes; a policy's own reason is quoted."""
    return _sentence(refusal, _STEERING_SENTENCES)


def _sentence(refusal: OpsmendError, sentences: dict[type[OpsmendError], str]) -> str:
    sentence = sentences.get(type(refusal), "That did not work")
    if isinstance(refusal, _QUOTED) or type(refusal) not in sentences:
        return f"{sentence}: {prose(str(refusal), 500)}"
    return sentence
