"""What Slack posts when somebody clicks, as far as opsmend reads it. Slack adds fields as it likes.

https://docs.slack.dev/reference/interaction-payloads
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


_INTERACTION: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[Click | Submission | UrlVerification, Field(discriminator="type")]
)


def interaction_in(media: str, body: bytes) -> JsonObject:
    """The payload that a body carries, whole, once it is known to have what is read of it.

    Raises:
        BadPayloadError: it is no form and no JSON, or not one of those above.
    """
    payload = _json(body) if media == JSON else _json_in_form(body)
    try:
        _INTERACTION.validate_python(payload)
    except ValidationError as foreign:
        first = foreign.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"][1:])) or "payload"
        raise BadPayloadError(f"Not an interaction that opsmend knows: {where}: {first['msg']}") from foreign
    found: JsonObject = payload
    return found


def _json_in_form(body: bytes) -> Any:
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError as foreign:
        raise BadPayloadError("The body is no form in UTF-8.") from foreign
    if "payload" not in fields:
        raise BadPayloadError("The form has no field `payload`.")
    return _json(fields["payload"].encode())


def _json(text: bytes) -> Any:
    try:
        return from_json(text)
    except ValueError as foreign:
        raise BadPayloadError("The payload is no JSON.") from foreign
