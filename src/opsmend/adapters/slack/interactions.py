"""What Slack posts when somebody clicks or types a command, as far as opsmend reads it. Slack adds fields as it likes.

https://docs.slack.dev/reference/interaction-payloads
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json

from opsmend.domain.record import JsonObject
from opsmend.errors import BadPayloadError

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

_MOST_FIELDS: Final = 50
"""Of a form. An interaction is one, `payload`; a slash command some fifteen."""

_KINDS: Final = ("block_actions", "view_submission", "url_verification")
"""Names of these in the place of an error: they are no fields."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _User(_Part):
    id: str
    username: str = ""
    name: str = ""
    team_id: str | None = None


class _OnMessage(_Part):
    channel_id: str


class _OnForm(_Part):
    type: Literal["view"]


class _Pressed(_Part):
    action_id: str
    block_id: str
    value: str = ""


class _Values(_Part):
    values: dict[str, dict[str, dict[str, JsonValue]]]


class _View(_Part):
    callback_id: str
    private_metadata: str
    state: _Values


class _Team(_Part):
    id: str


class Click(_Part):
    """Of a button on a message, or of something that a form asks back about."""

    type: Literal["block_actions"]
    user: _User
    team: _Team | None = None
    container: _OnMessage | _OnForm
    trigger_id: str
    actions: list[_Pressed] = Field(min_length=1)


class Submission(_Part):
    """Of a form."""

    type: Literal["view_submission"]
    user: _User
    team: _Team | None = None
    view: _View


class UrlVerification(_Part):
    """Slack looks whether the address that somebody typed in is ours."""

    type: Literal["url_verification"]
    challenge: str


class SlashCommand(_Part):
    """Of `/opsmend`. The fields of a form, or of an object over the WebSocket."""

    command: str
    text: str = ""
    user_id: str = Field(min_length=1)
    user_name: str = ""
    team_id: str = Field(min_length=1)
    """The workspace in which it was typed. Without it nobody would know who is a stranger."""
    trigger_id: str = Field(min_length=1)
    """Slack makes a new one for each command."""
    response_url: str = Field(pattern=r"^https?://")

    @property
    def user(self) -> JsonObject:
        """As in a click."""
        return {"id": self.user_id, "name": self.user_name, "team_id": self.team_id}


_COMMAND: Final[TypeAdapter[Any]] = TypeAdapter(SlashCommand)
_INTERACTION: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[Click | Submission | UrlVerification, Field(discriminator="type")]
)


def interaction_in(media: str, body: bytes) -> JsonObject:
    """The payload that a body carries, whole, once it is known to have what is read of it.

    Raises:
        BadPayloadError: it is no form and no JSON, or not one of those above.
    """
    payload = _json(body) if media == JSON else _in_form(body)
    _validated(_COMMAND if _is_command(payload) else _INTERACTION, payload)
    found: JsonObject = payload
    return found


def command_in(body: JsonObject) -> SlashCommand:
    """Raises BadPayloadError."""
    command: SlashCommand = _validated(_COMMAND, body)
    return command


def value_of(click: JsonObject) -> str:
    """What the button that was clicked carries."""
    return str(click["actions"][0].get("value", ""))


def channel_of(click: JsonObject) -> str:
    """Where the message stands that was clicked on."""
    return str(click["container"]["channel_id"])


def _is_command(payload: Any) -> bool:
    return isinstance(payload, dict) and "command" in payload and "type" not in payload


def _validated(known: TypeAdapter[Any], payload: Any) -> Any:
    try:
        return known.validate_python(payload)
    except ValidationError as foreign:
        first = foreign.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(at) for at in first["loc"] if at not in _KINDS) or "payload"
        raise BadPayloadError(f"Not an interaction that opsmend knows: {where}: {first['msg']}") from foreign


def _in_form(body: bytes) -> Any:
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError as foreign:
        raise BadPayloadError("The body is no form in UTF-8.") from foreign
    if "payload" in fields:
        return _json(fields["payload"].encode())
    if "command" in fields:
        return fields
    raise BadPayloadError("The form has no field `payload` and no field `command`.")


def _json(text: bytes) -> Any:
    try:
        return from_json(text)
    except ValueError as foreign:
        raise BadPayloadError("The payload is no JSON.") from foreign
