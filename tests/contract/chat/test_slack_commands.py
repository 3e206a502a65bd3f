"""`/opsmend pause`, `resume` and `changes` do what the CLI does, for whom policy lets. The channel hears of both."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import pytest
from tests.change_control_in_memory import ChangeControlInMemory
from tests.contract.chat.conftest import Team
from tests.contract.chat.until import until
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.interactions import signed, slash_command
from tests.slack_standin.rendering import links, mentions
from tests.slack_standin.standin import SlackStandin
from tests.slack_standin.workspace import User

from opsmend.adapters.slack import telling
from opsmend.adapters.slack.commands import HELP
from opsmend.domain.approval import Person
from opsmend.domain.change_control import HeldTarget, Pause

pytestmark = pytest.mark.usefixtures("app")


async def test_a_pause_holds_and_the_channel_is_told_by_a_message_of_its_own(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    acknowledged = await slack.command(team.mia, team.channel.id, "pause the database moves tonight")
    assert acknowledged.body == {}
    answer = await _answer(slack, team.mia)
    assert control.kept.pause
    by = control.kept.pause.by
    assert (by.via, by.id, by.name, by.groups) == ("slack", team.mia.id, "mia", ("sre",))
    assert control.kept.pause.reason == "the database moves tonight"
    assert "by mia (slack): the database moves tonight. `/opsmend resume` allows them again." in answer
    assert await _channel_says(slack, team, 1) == [
        "⏸️ Changes are paused by @mia: the database moves tonight. `/opsmend resume` allows them again."
    ]


async def test_a_resume_allows_changes_and_the_channel_is_told(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    control.kept = control.kept.model_copy(update={"pause": _a_pause("ben")})
    await slack.command(team.mia, team.channel.id, "resume")
    assert "Changes are allowed." in await _answer(slack, team.mia)
    assert control.kept.pause is None
    assert await _channel_says(slack, team, 1) == ["▶️ Changes are allowed: @mia resumed them."]


async def test_two_pauses_and_two_resumes_are_told_as_four(slack: SlackStandin, team: Team) -> None:
    for number, text in enumerate(["pause", "resume", "PAUSE  again", "resume"]):
        await slack.command(team.mia, team.channel.id, text)
        await _channel_says(slack, team, number + 1)
    assert [said[0] for said in await _channel_says(slack, team, 4)] == ["⏸", "▶", "⏸", "▶"]


async def test_pausing_again_is_told_once_and_shows_the_pause_that_stands(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    await slack.command(team.mia, team.channel.id, "pause first")
    await _channel_says(slack, team, 1)
    await slack.command(team.mia, team.channel.id, "pause second")
    await until(lambda: len(slack.workspace.ephemerals) == 2)
    await until(lambda: slack.server.calls.count("conversations.history") == 2)
    assert "by mia (slack): first" in slack.workspace.ephemerals[1].text
    assert len(slack.workspace.messages(team.channel.id)) == 1


async def test_the_pause_of_somebody_else_is_not_told_as_ones_own(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    control.kept = control.kept.model_copy(update={"pause": _a_pause("ben")})
    await slack.command(team.mia, team.channel.id, "pause mine")
    assert "by ben (http): disk is being moved" in await _answer(slack, team.mia)
    assert slack.workspace.messages(team.channel.id) == []


async def test_changes_shows_what_is_paused_and_what_is_held_for_people(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    held = tuple(
        HeldTarget(target=f"deployment shop/web{n}", since=datetime.now(UTC), why=f"web{n} <!channel> was changed often")
        for n in range(12)
    )
    control.kept = control.kept.model_copy(update={"pause": _a_pause("ben"), "held": held})
    await slack.command(team.ben, team.channel.id, "changes")
    answer = await _answer(slack, team.ben)
    assert "by ben (http): disk is being moved" in answer
    assert "Held for people: web0 &lt;!channel&gt; was changed often" in answer
    assert "_and 2 more_" in answer
    assert "0 changes within 24 hours." in answer
    assert slack.workspace.messages(team.channel.id) == []


@pytest.mark.parametrize("text", ["", "help", "pauses", "resume now", "changes all", "<!channel>", "\x00", "🙈", "pause" * 9])
async def test_anything_else_is_answered_with_a_short_help(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, text: str
) -> None:
    await slack.command(team.mia, team.channel.id, text)
    assert await _answer(slack, team.mia) == HELP
    assert control.kept.pause is None


async def test_a_reason_of_20_000_characters_is_refused_in_a_sentence(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    await slack.command(team.mia, team.channel.id, "pause " + "x" * 20_000)
    answer = await _answer(slack, team.mia)
    assert answer == "Nothing was paused: a reason has at most 500 characters, and yours has 20000. Shorten it."
    assert control.kept.pause is None


@pytest.mark.safety
async def test_a_secret_in_a_reason_is_kept_and_shown_nowhere(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    await slack.command(team.mia, team.channel.id, "pause the login becomes password=hunter2hunter2")
    assert "hunter2" not in await _answer(slack, team.mia)
    assert control.kept.pause
    assert control.kept.pause.reason == "the login becomes password=[redacted:password]"


async def test_a_reason_mentions_nobody_and_links_nowhere(slack: SlackStandin, team: Team) -> None:
    reason = "<!channel> <@U0000000001> <https://evil.example|log in> @here *bold* `/opsmend resume` \u202eevil"
    await slack.command(team.mia, team.channel.id, f"pause {reason}")
    await _channel_says(slack, team, 1)
    (message,) = slack.workspace.messages(team.channel.id)
    assert mentions(message) == []
    assert links(message) == []
    assert "*bold*" not in message["text"]
    assert "\u202e" not in message["text"]
    assert "<!channel>" not in await _answer(slack, team.mia)


async def test_a_name_mentions_nobody(slack: SlackStandin, team: Team) -> None:
    team.mia.name = "<!channel>"
    await slack.command(team.mia, team.channel.id, "pause")
    await _channel_says(slack, team, 1)
    assert mentions(slack.workspace.messages(team.channel.id)[0]) == []


@pytest.mark.parametrize("text", ["pause", "resume"])
async def test_whom_policy_does_not_let_is_told_why_and_the_channel_nothing(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, text: str
) -> None:
    control.kept = before = control.kept.model_copy(update={"pause": _a_pause("mia")})
    await slack.command(team.ben, team.channel.id, text)
    assert await _answer(slack, team.ben) == "You may not do this: ben (slack) is not in sre"
    assert control.kept == before
    assert slack.workspace.messages(team.channel.id) == []


@pytest.mark.parametrize("text", ["pause", "resume", "changes"])
async def test_somebody_of_another_workspace_gets_nothing_even_when_in_the_group(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, text: str
) -> None:
    control.kept = before = control.kept.model_copy(update={"pause": _a_pause("mia")})
    stranger = slack.workspace.add_user("stranger", team_id="T0ELSEWHERE")
    slack.workspace.add_usergroup("sre", stranger)
    await slack.command(stranger, team.channel.id, text)
    assert "people of this workspace" in await _answer(slack, stranger)
    assert control.kept == before


@pytest.mark.parametrize("method", ["auth.test", "usergroups.list"])
async def test_while_slack_does_not_say_who_it_is_nothing_is_paused(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, method: str
) -> None:
    slack.faults.active.append(Fault(Mode.UNAVAILABLE, frozenset({method})))
    await slack.command(team.mia, team.channel.id, "pause")
    assert await _answer(slack, team.mia) == "Slack did not answer when I looked you up. Nothing was done: try again."
    assert control.kept.pause is None


async def test_answer_and_announcement_wait_for_slack_and_are_said_once(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "FIRST_PAUSE", telling.FIRST_PAUSE / 100)
    slack.faults.active += [
        Fault(Mode.UNAVAILABLE, frozenset({"response_url"}), times=2),
        Fault(Mode.ANSWER_LOST, frozenset({"chat.postMessage"}), times=1),
    ]
    await slack.command(team.mia, team.channel.id, "pause")
    assert "Changes are paused" in await _answer(slack, team.mia)
    await until(lambda: slack.server.calls.count("conversations.history") == 2)
    assert len(await _channel_says(slack, team, 1)) == 1


async def test_a_pause_that_nobody_confirms_may_be_repeated(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    control.down = True
    await slack.command(team.mia, team.channel.id, "pause")
    assert "repeating is safe" in await _answer(slack, team.mia)
    assert slack.workspace.messages(team.channel.id) == []
    control.down = False
    await slack.command(team.mia, team.channel.id, "pause")
    await _channel_says(slack, team, 1)


async def test_it_is_answered_where_opsmend_is_not_in_the_channel(slack: SlackStandin, team: Team) -> None:
    elsewhere = slack.workspace.add_channel("elsewhere", with_bot=False)
    await slack.command(team.mia, elsewhere.id, "changes")
    assert "Changes are allowed." in await _answer(slack, team.mia)


@pytest.mark.parametrize(
    ("secret", "age"),
    [
        pytest.param("forged", 0, id="wrong secret"),
        pytest.param("", 0, id="empty secret"),
        pytest.param(None, 301, id="replayed after five minutes"),
    ],
)
async def test_a_command_that_slack_did_not_sign_now_is_401(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, secret: str | None, age: int
) -> None:
    body = urlencode(_fields(slack, team, "pause"))
    key = slack.workspace.signing_secret if secret is None else secret
    answer = await _posted(slack, body, signed(key, slack.workspace.clock() - age, body))
    assert answer.status_code == 401
    assert control.kept.pause is None


async def test_a_command_that_was_changed_on_its_way_is_401(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    fields = _fields(slack, team, "pause")
    headers = signed(slack.workspace.signing_secret, slack.workspace.clock(), urlencode(fields | {"user_id": team.ben.id}))
    assert (await _posted(slack, urlencode(fields), headers)).status_code == 401
    assert control.kept.pause is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, None) for field in ("user_id", "team_id", "response_url", "trigger_id")),
        *((field, "") for field in ("user_id", "team_id", "response_url", "trigger_id", "command")),
        ("command", "/other"),
        ("response_url", "file:///etc/passwd"),
    ],
)
async def test_a_command_that_is_not_built_as_slacks_are_is_422(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, field: str, value: str | None
) -> None:
    fields = _fields(slack, team, "pause")
    del fields[field]
    body = urlencode(fields if value is None else fields | {field: value})
    answer = await _posted(slack, body, signed(slack.workspace.signing_secret, slack.workspace.clock(), body))
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "bad_payload")
    assert control.kept.pause is None


async def test_a_slow_answer_does_not_keep_slack_waiting(
    slack: SlackStandin, team: Team, control: ChangeControlInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, state = asyncio.Event(), asyncio.Event(), control.state

    async def slowly() -> object:
        asked.set()
        await go_on.wait()
        return await state()

    monkeypatch.setattr(control, "state", slowly)
    await slack.command(team.mia, team.channel.id, "changes")
    await asked.wait()
    assert slack.workspace.ephemerals == []
    go_on.set()
    await _answer(slack, team.mia)


async def test_the_stand_in_gives_no_command_to_an_app_without_the_scope(slack: SlackStandin, team: Team) -> None:
    slack.workspace.scopes -= {"commands"}
    with pytest.raises(LookupError):
        await slack.command(team.mia, team.channel.id, "changes")


def _a_pause(name: str) -> Pause:
    return Pause(by=Person(via="http", id="operator", name=name), at=datetime.now(UTC), reason="disk is being moved")


def _fields(slack: SlackStandin, team: Team, text: str) -> dict[str, str]:
    return slash_command(slack.workspace, team.mia, team.channel, text, "http://127.0.0.1:9/response")


async def _posted(slack: SlackStandin, body: str, headers: dict[str, str]) -> httpx.Response:
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(slack.request_url, content=body, headers=headers)


async def _answer(slack: SlackStandin, user: User) -> str:
    """The first thing that `user` alone reads."""
    await until(lambda: bool(slack.workspace.ephemerals))
    first = slack.workspace.ephemerals[0]
    assert first.user == user.id
    return first.text


async def _channel_says(slack: SlackStandin, team: Team, number: int) -> list[str]:
    """The messages of the channel of incidents, once there are so many."""
    await until(lambda: len(slack.workspace.messages(team.channel.id)) >= number)
    return [message["text"] for message in slack.workspace.messages(team.channel.id)]
