"""Block Kit as Slack validates it: types, limits, no unknown fields. https://docs.slack.dev/reference/block-kit"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from tests.slack_standin.faults import SlackError

MESSAGE_BLOCKS: Final = 50
MESSAGE_CHARACTERS: Final = 13_200
BLOCK_CONTAINER_COST: Final = 125
"""Slack counts all blocks of a message together and documents no number; measured in github.com/slackapi/bolt-js/issues/2509:
13,297 characters pass, and one more block costs 125 of them."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PlainText(_Strict):
    type: Literal["plain_text"]
    text: str = Field(min_length=1, max_length=3000)
    emoji: bool = True


class Markdown(_Strict):
    type: Literal["mrkdwn"]
    text: str = Field(min_length=1, max_length=3000)
    verbatim: bool = False


Text = Annotated[PlainText | Markdown, Field(discriminator="type")]


def _at_most(limit: int) -> AfterValidator:
    def check(text: PlainText) -> PlainText:
        if len(text.text) > limit:
            raise ValueError(f"must be no more than {limit} characters")
        return text

    return AfterValidator(check)


Plain24 = Annotated[PlainText, _at_most(24)]
Plain300 = Annotated[PlainText, _at_most(300)]
Plain30 = Annotated[PlainText, _at_most(30)]
Plain75 = Annotated[PlainText, _at_most(75)]
Plain100 = Annotated[PlainText, _at_most(100)]
Plain150 = Annotated[PlainText, _at_most(150)]
Plain2000 = Annotated[PlainText, _at_most(2000)]


class Confirm(_Strict):
    title: Plain100
    text: Plain300
    confirm: Plain30
    deny: Plain30
    style: Literal["primary", "danger"] | None = None


class Button(_Strict):
    type: Literal["button"]
    text: Plain75
    action_id: str = Field(min_length=1, max_length=255)
    url: str | None = Field(default=None, max_length=3000)
    value: str | None = Field(default=None, max_length=2000)
    style: Literal["primary", "danger"] | None = None
    confirm: Confirm | None = None
    accessibility_label: str | None = Field(default=None, max_length=75)


class PlainTextInput(_Strict):
    type: Literal["plain_text_input"]
    action_id: str = Field(min_length=1, max_length=255)
    initial_value: str | None = None
    multiline: bool = False
    min_length: int = Field(default=0, ge=0, le=3000)
    max_length: int = Field(default=3000, ge=1, le=3000)
    placeholder: Plain150 | None = None
    focus_on_load: bool = False


class _Block(_Strict):
    block_id: str | None = Field(default=None, min_length=1, max_length=255)


class Header(_Block):
    type: Literal["header"]
    text: Plain150


class Section(_Block):
    type: Literal["section"]
    text: Text | None = None
    fields: list[Text] | None = Field(default=None, min_length=1, max_length=10)
    accessory: Button | None = None
    expand: bool = False

    @model_validator(mode="after")
    def has_content(self) -> Self:
        if self.text is None and self.fields is None:
            raise ValueError("a section needs text or fields")
        if any(len(field.text) > 2000 for field in self.fields or ()):
            raise ValueError("a field takes at most 2000 characters")
        return self


class Divider(_Block):
    type: Literal["divider"]


class Context(_Block):
    type: Literal["context"]
    elements: list[Text] = Field(min_length=1, max_length=10)


class Actions(_Block):
    type: Literal["actions"]
    elements: list[Button] = Field(min_length=1, max_length=25)

    @model_validator(mode="after")
    def action_ids_differ(self) -> Self:
        if len({button.action_id for button in self.elements}) < len(self.elements):
            raise ValueError("two elements share an action_id")
        return self


class Input(_Block):
    type: Literal["input"]
    label: Plain2000
    element: PlainTextInput
    optional: bool = False
    hint: Plain2000 | None = None
    dispatch_action: bool = False


MessageBlock = Annotated[Header | Section | Divider | Context | Actions, Field(discriminator="type")]
ViewBlock = Annotated[Header | Section | Divider | Context | Actions | Input, Field(discriminator="type")]


class Modal(_Strict):
    type: Literal["modal"]
    title: Plain24
    submit: Plain24 | None = None
    close: Plain24 | None = None
    callback_id: str | None = Field(default=None, max_length=255)
    private_metadata: str = Field(default="", max_length=3000)
    external_id: str | None = Field(default=None, max_length=255)
    clear_on_close: bool = False
    notify_on_close: bool = False
    blocks: list[ViewBlock] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def inputs_can_be_sent(self) -> Self:
        if self.submit is None and any(isinstance(block, Input) for block in self.blocks):
            raise ValueError("a modal with inputs needs a submit button")
        return self


_MESSAGE: Final = TypeAdapter(Annotated[list[MessageBlock], Field(max_length=MESSAGE_BLOCKS)])
_VIEW: Final = TypeAdapter(Modal)


def valid_message_blocks(blocks: Any) -> list[dict[str, Any]]:
    """The blocks as Slack keeps them: every block with an id. Raises SlackError."""
    try:
        parsed = _MESSAGE.validate_python(blocks)
    except ValidationError as e:
        raise SlackError("invalid_blocks", errors=_problems(e)) from e
    if _characters(blocks) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    return _with_ids(parsed)


def valid_modal(view: Any) -> dict[str, Any]:
    """Raises SlackError."""
    try:
        modal = _VIEW.validate_python(view)
    except ValidationError as e:
        raise SlackError("invalid_arguments", response_metadata={"messages": _problems(e)}) from e
    return modal.model_dump(exclude_none=True, exclude={"blocks"}) | {"blocks": _with_ids(modal.blocks)}


def _with_ids(blocks: Sequence[_Block]) -> list[dict[str, Any]]:
    kept = [block.model_dump(exclude_none=True) for block in blocks]
    for number, block in enumerate(kept):
        block.setdefault("block_id", f"b{number}")
    if len({block["block_id"] for block in kept}) < len(kept):
        raise SlackError("invalid_blocks", errors=["two blocks share a block_id"])
    return kept


def _characters(blocks: list[dict[str, Any]]) -> int:
    return sum(BLOCK_CONTAINER_COST + sum(len(text) for text in texts(block)) for block in blocks)


def texts(value: Any) -> list[str]:
    """Every `text` string below `value`."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for item in value.values() for text in texts(item)]
    return [text for item in value for text in texts(item)] if isinstance(value, list) else []


def _problems(error: ValidationError) -> list[str]:
    return [f"{problem['msg']} [json-pointer:/{'/'.join(str(at) for at in problem['loc'])}]" for problem in error.errors()]
