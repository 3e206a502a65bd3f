"""The form that asks why a plan is rejected."""

from typing import Final

from pydantic import ValidationError
from slack_sdk.models.blocks import InputBlock, MarkdownTextObject, PlainTextInputElement, PlainTextObject, SectionBlock
from slack_sdk.models.views import View

from opsmend.adapters.slack.message import Question
from opsmend.adapters.slack.mrkdwn import code
from opsmend.domain.record import JsonObject, StrictRecord
from opsmend.errors import BadPayloadError
from opsmend.policy.reasons import kept_reason

REASON_CALLBACK: Final = "opsmend_reject_reason"
_BLOCK: Final = "opsmend_reason"
_ACTION: Final = "reason"
_REASON_LIMIT: Final = 2000
"""DecisionRequest.reason takes no more."""


class Rejection(StrictRecord):
    """What the form is about and where its answer is to be told."""

    question: Question
    channel: str


def reason_modal(rejection: Rejection) -> View:
    question = rejection.question
    about = f"The plan {code(question.plan_hash[:12], 20)} of {code(question.incident_id, 500)} will not be carried out."
    return View(
        type="modal",
        callback_id=REASON_CALLBACK,
        private_metadata=rejection.model_dump_json(),
        title=_plain("Reject the plan"),
        submit=_plain("Reject"),
        close=_plain("Back"),
        blocks=[
            SectionBlock(text=MarkdownTextObject(text=about, verbatim=True)),
            InputBlock(
                block_id=_BLOCK,
                label=_plain("Why? It goes into the post-mortem."),
                element=PlainTextInputElement(action_id=_ACTION, multiline=True, max_length=_REASON_LIMIT),
            ),
        ],
    )


def rejection_in(view: JsonObject) -> tuple[Rejection, str]:
    """What the form that was sent is about, and the reason that was typed into it, redacted.

    Raises:
        BadPayloadError: it is not a form of ours.
    """
    try:
        rejection = Rejection.model_validate_json(view["private_metadata"])
        reason = str(view["state"]["values"][_BLOCK][_ACTION]["value"] or "")
    except (KeyError, TypeError, ValidationError) as foreign:
        raise BadPayloadError("the form is not one of ours") from foreign
    if len(reason) > _REASON_LIMIT:
        raise BadPayloadError(f"the reason is longer than {_REASON_LIMIT} characters")
    return rejection, kept_reason(reason, _REASON_LIMIT)


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)
