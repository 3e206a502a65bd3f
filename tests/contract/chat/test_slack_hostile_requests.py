"""Whatever comes to Slack's route is answered with a clear 4xx, and a genuine click with 200 whether or not Slack is there."""

import hashlib
import hmac
import json
import logging
from typing import Any, Final
from urllib.parse import quote_from_bytes

import httpx
import pytest
from tests.contract.chat.conftest import Team
from tests.contract.chat.memory_desk import MemoryDesk
from tests.contract.chat.until import until
from tests.slack_standin.interactions import block_actions, form, signed
from tests.slack_standin.server import Listener
from tests.slack_standin.standin import SlackStandin
from tests.slack_standin.workspace import Message

from opsmend.adapters.slack import telling
from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.message import APPROVE_ACTION
from opsmend.adapters.slack.modal import REASON_CALLBACK
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice
from opsmend.domain.record import JsonObject
from opsmend.errors import DecisionUnconfirmedError

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@pytest.fixture
async def question(chat: SlackChat, app: Listener, slack: SlackStandin, team: Team, incident: IncidentState) -> Message:
    await chat.publish(Notice(state=incident))
    return slack.workspace.messages(team.channel.id)[0]


def a_click(slack: SlackStandin, team: Team, question: Message) -> JsonObject:
    return block_actions(slack.workspace, team.mia, team.channel, question, APPROVE_ACTION, "")


def a_submission(**view: Any) -> JsonObject:
    ours: JsonObject = {
        "callback_id": REASON_CALLBACK,
        "private_metadata": '{"question": {"incident_id": "incident:x", "plan_hash": "h"}, "channel": "C1"}',
        "state": {"values": {"opsmend_reason": {"reason": {"type": "plain_text_input", "value": "no"}}}},
    }
    return {"type": "view_submission", "user": {"id": "U1"}, "team": {"id": "T1"}, "view": ours | view}


async def posted(slack: SlackStandin, body: str | bytes, media: str = FORM, **headers: str) -> httpx.Response:
    """Signed right, whatever it is."""
    content = body.encode() if isinstance(body, str) else body
    genuine = (
        _signed(slack, content) | {"Content-Type": media} | {key.replace("_", "-"): value for key, value in headers.items()}
    )
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(slack.request_url, content=content, headers=genuine)


def _signed(slack: SlackStandin, content: bytes) -> dict[str, str]:
    """As interactions.signed, for bytes that need not be text."""
    moment = str(int(slack.workspace.clock()))
    key = slack.workspace.signing_secret.encode()
    signature = hmac.new(key, f"v0:{moment}:".encode() + content, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={signature}"}


@pytest.mark.parametrize("timestamp", ["abc", "nan", "inf", "-1", "1e9", "", "9" * 400, "１２３４５６７８９０", "0"])
async def test_a_timestamp_that_is_none_is_401(app: Listener, slack: SlackStandin, timestamp: str) -> None:
    body = form({"type": "block_actions"})
    headers = signed(slack.workspace.signing_secret, slack.workspace.clock(), body)
    raw = [(name.encode(), value.encode()) for name, value in (headers | {"X-Slack-Request-Timestamp": timestamp}).items()]
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(slack.request_url, content=body, headers=raw)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "unauthorized"


@pytest.mark.parametrize("signature", ["", "v0=", "v0=" + "0" * 63, "v1=" + "0" * 64, "v0=" + "é" * 64, "v0=" + "0" * 64])
async def test_a_signature_that_is_none_is_401(app: Listener, slack: SlackStandin, signature: str) -> None:
    body = form({"type": "block_actions"})
    headers = signed(slack.workspace.signing_secret, slack.workspace.clock(), body)
    raw = [(name.encode(), value.encode()) for name, value in (headers | {"X-Slack-Signature": signature}).items()]
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(slack.request_url, content=body, headers=raw)).status_code == 401


@pytest.mark.parametrize(
    ("body", "media"),
    [
        pytest.param("payload=notjson", FORM, id="no JSON in the form"),
        pytest.param("payload=", FORM, id="nothing in the form"),
        pytest.param("", FORM, id="no body"),
        pytest.param("text=hello", FORM, id="another form"),
        pytest.param("payload=" + "%5B" * 20_000, FORM, id="20,000 brackets in the form"),
        pytest.param("[" * 20_000, JSON, id="20,000 brackets"),
        pytest.param("{" * 20_000, FORM, id="20,000 braces in no form"),
        pytest.param(b"payload=\xff\xfe", FORM, id="no UTF-8"),
        pytest.param(b"\xff\xfe", JSON, id="no UTF-8 for JSON"),
        pytest.param("payload=" + quote_from_bytes(b"\xff\xfe"), FORM, id="no UTF-8 behind the percent signs"),
        pytest.param("&".join(f"f{n}=x" for n in range(2_000)), FORM, id="2,000 fields"),
        pytest.param("payload=null", FORM, id="null"),
        pytest.param("payload=[]", FORM, id="a list"),
        pytest.param('payload="text"', FORM, id="a text"),
        pytest.param("payload=1e999", FORM, id="a number beyond all"),
        pytest.param("payload={}", FORM, id="an empty object"),
        pytest.param(form({"type": "shortcut"}), FORM, id="another kind"),
        pytest.param(form({"type": ["block_actions"]}), FORM, id="a kind that is a list"),
        pytest.param('{"type": "url_verification"}', JSON, id="no challenge"),
        pytest.param('{"type": "url_verification", "challenge": {}}', JSON, id="a challenge that is an object"),
        pytest.param('{"type": "event_callback", "event": "x", "authorizations": "x"}', JSON, id="an event"),
        pytest.param(form(a_submission(private_metadata="no")), FORM, id="a form about nothing"),
        pytest.param(form(a_submission(private_metadata=None)), FORM, id="a form without its question"),
        pytest.param(form(a_submission(state={})), FORM, id="a form without its fields"),
        pytest.param(form(a_submission(state={"values": {}})), FORM, id="a form without its reason"),
        pytest.param(
            form(a_submission(state={"values": {"opsmend_reason": {"reason": {}}}})), FORM, id="a reason without text"
        ),
        pytest.param(
            form(a_submission(state={"values": {"opsmend_reason": {"reason": {"value": "x" * 2_001}}}})),
            FORM,
            id="a long reason",
        ),
    ],
)
async def test_what_is_signed_and_still_no_interaction_is_422(
    app: Listener, slack: SlackStandin, desk: MemoryDesk, body: str | bytes, media: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await posted(slack, body, media)
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "bad_payload"
    assert answer.json()["error"]["message"]
    assert not desk.decisions
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


@pytest.mark.parametrize("media", ["text/plain", "multipart/form-data; boundary=x", "", "application/xml"])
async def test_another_media_type_is_415(app: Listener, slack: SlackStandin, media: str) -> None:
    assert (await posted(slack, "payload={}", media)).status_code == 415


async def test_a_compressed_body_is_415(app: Listener, slack: SlackStandin) -> None:
    assert (await posted(slack, "payload={}", FORM, Content_Encoding="gzip")).status_code == 415


NEEDED = ["type", "user", "user.id", "container", "container.channel_id", "actions", "actions.0.action_id", "trigger_id"]
"""What is read of a click. None of it may be any of NO_SUCH_THING."""
NO_SUCH_THING: Final[list[object]] = [None, 7, [], {}]
NOT_READ = ["team", "enterprise", "channel", "is_enterprise_install", "authorizations", "message", "state", "response_url"]


@pytest.mark.parametrize("value", NO_SUCH_THING, ids=["null", "number", "list", "object"])
@pytest.mark.parametrize("path", NEEDED)
async def test_a_click_with_something_else_for_a_field_is_422(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, path: str, value: object
) -> None:
    answer = await posted(slack, form(_with(a_click(slack, team, question), path, value)))
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "bad_payload")
    assert not desk.decisions


@pytest.mark.parametrize("value", [*NO_SUCH_THING, "x"], ids=["null", "number", "list", "object", "text"])
@pytest.mark.parametrize("path", NOT_READ)
async def test_what_is_not_read_of_a_click_may_be_anything(
    question: Message, slack: SlackStandin, team: Team, path: str, value: object
) -> None:
    answer = await posted(slack, form(_with(a_click(slack, team, question), path, value)))
    assert answer.status_code in (200, 422)


async def test_a_button_that_is_not_ours_is_422(question: Message, slack: SlackStandin, team: Team) -> None:
    answer = await posted(slack, form(_with(a_click(slack, team, question), "actions.0.action_id", "other")))
    assert answer.status_code == 422


@pytest.mark.parametrize("path", NEEDED)
async def test_a_click_without_a_field_is_422(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, path: str
) -> None:
    click = a_click(slack, team, question)
    *parents, last = path.split(".")
    part: Any = click
    for step in parents:
        part = part[int(step) if step.isdecimal() else step]
    del part[last]
    answer = await posted(slack, form(click))
    assert answer.status_code == 422
    assert not desk.decisions


async def test_a_click_is_acknowledged_while_slack_is_away_and_answered_when_it_is_back(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "FIRST_PAUSE", telling.FIRST_PAUSE / 100)
    body = form(a_click(slack, team, question))
    await slack.go_down()
    answer = await posted(slack, body)
    assert (answer.status_code, answer.text) == (200, "")
    await slack.come_back()
    await until(lambda: bool(slack.workspace.ephemerals))
    (told,) = slack.workspace.ephemerals
    assert told.user == team.mia.id
    assert "Nothing was decided" in told.text
    assert not desk.decisions


async def test_a_decision_that_no_worker_took_is_told_as_one_that_may_be_repeated(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk
) -> None:
    desk.broken = DecisionUnconfirmedError("nobody there")
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    await until(lambda: bool(slack.workspace.ephemerals))
    assert "repeating is safe" in slack.workspace.ephemerals[0].text


def _with(click: JsonObject, path: str, value: object) -> JsonObject:
    """`click` with the part at `path` replaced."""
    changed: JsonObject = json.loads(json.dumps(click))
    *parents, last = path.split(".")
    part: Any = changed
    for step in parents:
        part = part[int(step) if step.isdecimal() else step]
    part[last] = value
    return changed
