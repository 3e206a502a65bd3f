"""Clicks arrive over a WebSocket where nothing can reach us by HTTP."""

import httpx
import pytest
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from tests.change_control_in_memory import ChangeControlInMemory
from tests.contract.chat.conftest import Team, slack_side
from tests.contract.chat.memory_desk import MemoryDesk
from tests.contract.chat.until import until
from tests.slack_standin.interactions import form, signed
from tests.slack_standin.server import Listener, listening
from tests.slack_standin.standin import NotAcknowledgedError, SlackStandin
from tests.steering_in_memory import SteeringInMemory

from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.inbound import EVENTS_PATH, build_slack_app, socket_mode
from opsmend.adapters.slack.message import APPROVE_ACTION
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice
from opsmend.settings import SlackSettings


@pytest.fixture
def socket_settings(settings: SlackSettings, slack: SlackStandin) -> SlackSettings:
    return settings.model_copy(update={"signing_secret": None, "app_token": SecretStr(slack.workspace.app_token)})


@pytest.fixture
def socket_app(
    socket_settings: SlackSettings, desk: MemoryDesk, steering: SteeringInMemory, control: ChangeControlInMemory
) -> AsyncApp:
    return build_slack_app(socket_settings, desk, steering, control)


async def test_an_approval_comes_over_the_socket_without_a_signing_secret(
    socket_settings: SlackSettings,
    socket_app: AsyncApp,
    chat: SlackChat,
    slack: SlackStandin,
    team: Team,
    desk: MemoryDesk,
    incident: IncidentState,
) -> None:
    await chat.publish(Notice(state=incident))
    (question,) = slack.workspace.messages(team.channel.id)
    assert socket_settings.app_token
    async with socket_mode(socket_app, socket_settings.app_token):
        await until(lambda: slack.server.sockets.connected)
        await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
        await until(lambda: bool(desk.decisions))
    await until(lambda: not slack.server.sockets.connected)
    with pytest.raises(NotAcknowledgedError):
        await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)


async def test_in_socket_mode_nothing_that_comes_over_http_is_genuine(
    socket_settings: SlackSettings, socket_app: AsyncApp, slack: SlackStandin
) -> None:
    api = slack_side(socket_settings, socket_app)
    body = form({"type": "block_actions"})
    async with listening(Listener(api)) as served, httpx.AsyncClient(trust_env=False) as client:
        headers = signed("", slack.workspace.clock(), body)
        answer = await client.post(f"{served.url}{EVENTS_PATH}", content=body, headers=headers)
    assert answer.status_code == 401


async def test_opsmend_starts_and_stops_while_slack_is_away(
    socket_settings: SlackSettings, socket_app: AsyncApp, slack: SlackStandin
) -> None:
    await slack.go_down()
    assert socket_settings.app_token
    async with socket_mode(socket_app, socket_settings.app_token) as handler:
        assert not await handler.client.is_connected()


async def test_a_command_comes_over_the_socket(
    socket_settings: SlackSettings, socket_app: AsyncApp, slack: SlackStandin, team: Team, control: ChangeControlInMemory
) -> None:
    assert socket_settings.app_token
    async with socket_mode(socket_app, socket_settings.app_token):
        await until(lambda: slack.server.sockets.connected)
        await slack.command(team.mia, team.channel.id, "pause maintenance")
        await until(lambda: len(slack.workspace.ephemerals) == 1 and bool(slack.workspace.messages(team.channel.id)))
        await slack.command(team.mia, team.channel.id, "nonsense")
    assert control.kept.pause
    assert control.kept.pause.reason == "maintenance"
    assert "/opsmend resume" in slack.workspace.ephemerals[1].text
