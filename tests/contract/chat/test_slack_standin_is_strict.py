"""The stand-in refuses what Slack refuses, so that a green test means something."""

import asyncio
import json
import sys
from typing import Any

import httpx
import pytest
import yaml
from tests.contract.chat.conftest import Team
from tests.slack_standin.interactions import form
from tests.slack_standin.server import Listener, listening
from tests.slack_standin.standin import NotAcknowledgedError, SlackStandin
from tests.slack_standin.workspace import BOT_SCOPES, Workspace

from opsmend.adapters.slack.commands import COMMAND
from opsmend.adapters.slack.inbound import EVENTS_PATH

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}


def _button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", "value": "1"} | changes


def _actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


def _section(**text: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "hello"} | text}


ASKED = {key: {"type": "plain_text", "text": "Go?"} for key in ("title", "confirm", "deny")}
REFUSED_BLOCKS: dict[str, list[dict[str, Any]]] = {
    "unknown type": [{"type": "carousel"}],
    "unknown field": [SECTION | {"colour": "red"}],
    "51 blocks": [SECTION] * 51,
    "section of 3001": [_section(text="x" * 3001)],
    "empty section": [_section(text="")],
    "section without text": [{"type": "section"}],
    "verbatim plain text": [_section(type="plain_text", verbatim=True)],
    "header of 151": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
    "header in mrkdwn": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "button text of 76": [_actions(_button(text={"type": "plain_text", "text": "x" * 76}))],
    "button value of 2001": [_actions(_button(value="x" * 2001))],
    "action_id of 256": [_actions(_button(action_id="x" * 256))],
    "same action_id twice": [_actions(_button(), _button())],
    "unknown style": [_actions(_button(style="warning"))],
    "confirmation of 301": [_actions(_button(confirm=ASKED | {"text": {"type": "plain_text", "text": "x" * 301}}))],
    "input in a message": [{"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {}}],
    "11 context elements": [{"type": "context", "elements": [SECTION["text"]] * 11}],
    "same block_id twice": [SECTION | {"block_id": "a"}, SECTION | {"block_id": "a"}],
}


@pytest.fixture
def call(slack: SlackStandin, team: Team) -> Any:
    """Call a method with JSON, as the bot unless another token is given."""

    async def called(method: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
        token = slack.workspace.bot_token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            answer = await client.post(slack.api_url + method, json=arguments)
        return dict(answer.json())

    return called


@pytest.mark.parametrize("blocks", REFUSED_BLOCKS.values(), ids=REFUSED_BLOCKS)
async def test_malformed_blocks_are_invalid(call: Any, team: Team, blocks: list[dict[str, Any]]) -> None:
    answer = await call("chat.postMessage", channel=team.channel.id, text="t", blocks=blocks)
    assert (answer["ok"], answer["error"]) == (False, "invalid_blocks")
    assert not team.channel.messages


async def test_blocks_that_are_too_long_together_are_refused(call: Any, team: Team) -> None:
    answer = await call("chat.postMessage", channel=team.channel.id, text="t", blocks=[_section(text="x" * 2900)] * 5)
    assert answer["error"] == "msg_blocks_too_long"


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"text": ""}, "no_text"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "t"}, "channel_not_found"),
        ("chat.postMessage", {"text": "t", "thread_ts": "1.000001"}, "thread_not_found"),
        ("chat.postMessage", {"text": "t", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ("chat.postMessage", {"text": "t", "colour": "red"}, "invalid_arguments"),
        ("chat.update", {"ts": "1.000001", "text": "t"}, "message_not_found"),
        ("chat.update", {"text": "t"}, "invalid_arguments"),
        ("conversations.history", {"channel": "#incidents"}, "channel_not_found"),
        ("conversations.history", {"limit": 1000}, "invalid_limit"),
        ("chat.postEphemeral", {"user": "U0NOBODY", "text": "t"}, "user_not_in_channel"),
        ("users.info", {"user": "U0"}, "missing_scope"),
        ("chat.meow", {}, "unknown_method"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(
    call: Any, team: Team, method: str, arguments: dict[str, Any], error: str
) -> None:
    assert (await call(method, **({"channel": team.channel.id} if method != "users.info" else {}) | arguments))[
        "error"
    ] == error


async def test_only_a_reply_that_is_shared_stands_in_the_channel_and_nobody_answers_a_reply(call: Any, team: Team) -> None:
    root = (await call("chat.postMessage", channel=team.channel.id, text="root"))["ts"]
    reply = await call("chat.postMessage", channel=team.channel.id, text="quiet", thread_ts=root)
    shared = await call("chat.postMessage", channel=team.channel.id, text="loud", thread_ts=root, reply_broadcast=True)
    alone = await call("chat.postMessage", channel=team.channel.id, text="no thread", reply_broadcast=True)
    shown = (await call("conversations.history", channel=team.channel.id))["messages"]
    assert [m["text"] for m in shown] == ["no thread", "loud", "root"]
    assert (shared["message"]["subtype"], shared["message"]["root"]["ts"]) == ("thread_broadcast", root)
    assert "subtype" not in reply["message"]
    assert "subtype" not in alone["message"]
    thread = (await call("conversations.replies", channel=team.channel.id, ts=root))["messages"]
    assert [m["text"] for m in thread] == ["root", "quiet", "loud"]
    refused = await call("chat.postMessage", channel=team.channel.id, text="t", thread_ts=reply["ts"])
    assert refused["error"] == "cannot_reply_to_message"


async def test_what_is_shared_with_the_channel_has_no_buttons(call: Any, team: Team) -> None:
    root = (await call("chat.postMessage", channel=team.channel.id, text="root"))["ts"]
    buttons = {"text": "t", "blocks": [_actions(_button())], "thread_ts": root, "reply_broadcast": True}
    assert (await call("chat.postMessage", channel=team.channel.id, **buttons))["error"] == "invalid_blocks"
    assert len(team.channel.messages) == 1


@pytest.mark.parametrize(
    ("text", "notified"),
    [
        ("no mention", []),
        ("<@MIA> look", ["mia"]),
        ("<@MIA|mia> look", ["mia"]),
        ("<!subteam^SRE> look", ["mia"]),
        ("<!subteam^SRE|@sre> <@BEN>", ["mia", "ben"]),
        ("<!subteam^S0NOBODY>", []),
        ("<!here>", ["mia"]),
        ("<!channel>", ["mia", "ben"]),
        ("@channel @here @mia", []),
        ("&lt;!channel&gt;", []),
        ("<@AWAY> who is not in the channel", []),
    ],
)
async def test_a_message_notifies_whom_it_mentions(
    call: Any, slack: SlackStandin, team: Team, text: str, notified: list[str]
) -> None:
    away = slack.workspace.add_user("away")
    team.channel.members.discard(away.id)
    team.ben.active = False
    (sre,) = slack.workspace.usergroups
    for name, person in (("MIA", team.mia.id), ("BEN", team.ben.id), ("SRE", sre), ("AWAY", away.id)):
        text = text.replace(name, person)
    await call("chat.postMessage", channel=team.channel.id, text=text)
    names = [slack.workspace.users[notification.user].name for notification in slack.workspace.notifications]
    assert names == notified


async def test_an_edit_notifies_nobody(call: Any, slack: SlackStandin, team: Team) -> None:
    posted = await call("chat.postMessage", channel=team.channel.id, text="t")
    await call("chat.update", channel=team.channel.id, ts=posted["ts"], text=f"<!channel> <@{team.mia.id}>")
    assert slack.workspace.notifications == []


async def test_who_follows_a_thread_hears_of_each_reply_and_nobody_else_does(
    call: Any, slack: SlackStandin, team: Team
) -> None:
    root = (await call("chat.postMessage", channel=team.channel.id, text="root"))["ts"]
    for text in ("<!channel> in a thread", f"<@{team.mia.id}>", "one more"):
        await call("chat.postMessage", channel=team.channel.id, text=text, thread_ts=root, reply_broadcast=True)
    assert len(slack.workspace.notified(team.mia)) == 2
    assert slack.workspace.notified(team.ben) == []


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_wrong_token_is_refused(call: Any, token: str, error: str) -> None:
    assert (await call("auth.test", token=token))["error"] == error


async def test_tokens_are_not_interchangeable(call: Any, slack: SlackStandin) -> None:
    assert (await call("auth.test", token=slack.workspace.app_token))["error"] == "not_allowed_token_type"
    assert (await call("apps.connections.open"))["error"] == "not_allowed_token_type"


async def test_another_app_s_message_cannot_be_updated(call: Any, team: Team) -> None:
    posted = await call("chat.postMessage", channel=team.channel.id, text="t")
    team.channel.messages[posted["ts"]]["bot_id"] = "B0ANOTHER"
    assert (await call("chat.update", channel=team.channel.id, ts=posted["ts"], text="u"))["error"] == "cant_update_message"


async def test_metadata_is_returned_only_when_asked_for(call: Any, team: Team) -> None:
    metadata = {"event_type": "x", "event_payload": {"a": 1}}
    await call("chat.postMessage", channel=team.channel.id, text="t", metadata=metadata)
    plain = await call("conversations.history", channel=team.channel.id)
    full = await call("conversations.history", channel=team.channel.id, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


def _modal() -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [SECTION]}


async def test_a_trigger_opens_one_form(call: Any, slack: SlackStandin, team: Team) -> None:
    trigger = slack.workspace.new_trigger(team.mia.id)
    assert (await call("views.open", trigger_id=trigger, view=_modal()))["ok"]
    assert (await call("views.open", trigger_id=trigger, view=_modal()))["error"] == "exchanged_trigger_id"
    assert (await call("views.open", trigger_id="1.x", view=_modal()))["error"] == "invalid_trigger_id"


async def test_a_trigger_lasts_three_seconds(call: Any, slack: SlackStandin, team: Team) -> None:
    trigger = slack.workspace.new_trigger(team.mia.id)
    now = slack.workspace.clock()
    slack.workspace.clock = lambda: now + 3.5
    assert (await call("views.open", trigger_id=trigger, view=_modal()))["error"] == "expired_trigger_id"


async def test_a_form_with_a_long_title_is_refused(call: Any, slack: SlackStandin, team: Team) -> None:
    view = _modal() | {"title": {"type": "plain_text", "text": "x" * 25}}
    answer = await call("views.open", trigger_id=slack.workspace.new_trigger(team.mia.id), view=view)
    assert answer["error"] == "invalid_arguments"


async def test_a_response_url_works_five_times(slack: SlackStandin, team: Team) -> None:
    key = slack.workspace.new_response_url(team.channel.id, team.mia.id, "1.000001")
    async with httpx.AsyncClient(trust_env=False) as client:
        answers = [await client.post(f"{slack.server.listener.url}/response/{key}", json={"text": "t"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]


def test_timestamps_rise_while_the_clock_stands_still() -> None:
    workspace = Workspace(clock=lambda: 1_700_000_000.0)
    assert [workspace.next_ts() for _ in range(2)] == ["1700000000.000000", "1700000000.000001"]


async def test_an_app_that_does_not_answer_200_has_not_acknowledged(slack: SlackStandin, team: Team, call: Any) -> None:
    await call("chat.postMessage", channel=team.channel.id, text="t", blocks=[_actions(_button())])

    async def teapot(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with listening(Listener(teapot)) as served:
        slack.request_url = served.url
        with pytest.raises(NotAcknowledgedError, match="418"):
            await slack.click(team.mia, team.channel.id, slack.workspace.messages(team.channel.id)[0], "go")


def test_the_manifest_asks_for_what_the_stand_in_grants() -> None:
    with open("deploy/slack/manifest.yaml", encoding="utf-8") as file:
        manifest = yaml.safe_load(file)
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == BOT_SCOPES
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    for address in (manifest["settings"]["interactivity"]["request_url"], command["url"]):
        assert address.endswith(EVENTS_PATH)


async def test_it_runs_as_a_process_that_a_drill_can_steer() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.slack_standin", stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        settings = json.loads(await process.stdout.readline())
        headers = {"Authorization": f"Bearer {settings['bot_token']}"}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            message = {"channel": settings["channel"], "text": "t", "blocks": [_actions(_button())]}
            posted = (await client.post(f"{settings['api_url']}chat.postMessage", json=message)).json()
            control = settings["control_url"]
            seen = (await client.get(f"{control}/messages", params={"channel": settings["channel"]})).json()
            assert [m["ts"] for m in seen] == [posted["ts"]]
            click = {"user": settings["users"]["mia"], "channel": settings["channel"], "ts": posted["ts"], "action_id": "go"}
            assert (await client.post(f"{control}/click", json=click)).status_code == 504
            assert (await client.post(f"{control}/click", json=click | {"action_id": "stop"})).status_code == 409
            await client.post(f"{control}/down")
            with pytest.raises(httpx.ConnectError):
                await client.post(f"{settings['api_url']}auth.test")
            await client.post(f"{control}/up")
            await client.post(f"{control}/faults", json=[{"mode": "rate_limited", "seconds": 9}])
            assert (await client.post(f"{settings['api_url']}auth.test")).headers["Retry-After"] == "9"
    finally:
        process.terminate()
        await process.wait()


def test_a_payload_travels_as_one_form_field() -> None:
    assert form({"a": "<&>"}) == "payload=%7B%22a%22%3A+%22%3C%26%3E%22%7D"
