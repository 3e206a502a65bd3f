"""A workspace with two channels, an on-call engineer and a bystander, and opsmend's Slack side against it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from tests.builders import an_incident_awaiting_approval
from tests.change_control_in_memory import ChangeControlInMemory
from tests.contract.chat.memory_desk import MemoryDesk
from tests.slack_standin.server import Listener, listening
from tests.slack_standin.standin import SlackStandin, running_slack
from tests.slack_standin.workspace import Channel, User
from tests.steering_in_memory import SteeringInMemory

from opsmend.adapters.slack.chat import SlackChat, slack_chat
from opsmend.adapters.slack.inbound import EVENTS_PATH, SlackRequests, build_slack_app
from opsmend.api.failures import handle_failures
from opsmend.api.signed_route import signed_router
from opsmend.domain.incident import IncidentState
from opsmend.settings import SlackSettings
from opsmend.telemetry import ApiMetrics


@dataclass
class Team:
    """Who and what is in the workspace."""

    channel: Channel
    escalations: Channel
    mia: User
    """In the user group sre."""
    ben: User
    """In no group."""


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandin]:
    async with running_slack() as standin:
        yield standin


@pytest.fixture
def team(slack: SlackStandin) -> Team:
    workspace = slack.workspace
    mia, ben = workspace.add_user("mia"), workspace.add_user("ben")
    workspace.add_usergroup("sre", mia)
    return Team(workspace.add_channel("incidents"), workspace.add_channel("escalations"), mia, ben)


@pytest.fixture
def settings(slack: SlackStandin, team: Team, monkeypatch: pytest.MonkeyPatch) -> SlackSettings:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return SlackSettings(
        bot_token=SecretStr(slack.workspace.bot_token),
        signing_secret=SecretStr(slack.workspace.signing_secret),
        channel=team.channel.id,
        escalation_channel=team.escalations.id,
        api_url=slack.api_url,
    )


@pytest.fixture
def chat(settings: SlackSettings) -> SlackChat:
    return slack_chat(settings)


@pytest.fixture
def incident() -> IncidentState:
    """Awaiting approval, opened now: Slack's clock is the real one."""
    return an_incident_awaiting_approval(opened_at=datetime.now(UTC))


@pytest.fixture
def desk(incident: IncidentState) -> MemoryDesk:
    return MemoryDesk(incident)


@pytest.fixture
def steering() -> SteeringInMemory:
    return SteeringInMemory(operators="sre")


@pytest.fixture
def control() -> ChangeControlInMemory:
    return ChangeControlInMemory(operators="sre")


@pytest.fixture
def slack_app(
    settings: SlackSettings, desk: MemoryDesk, steering: SteeringInMemory, control: ChangeControlInMemory
) -> AsyncApp:
    """For HTTP mode."""
    return build_slack_app(settings, desk, steering, control)


def slack_side(settings: SlackSettings, slack_app: AsyncApp) -> FastAPI:
    """Where Slack posts, with the failures of the whole API."""
    api = FastAPI()
    api.include_router(signed_router(EVENTS_PATH, SlackRequests(settings, slack_app)))
    handle_failures(api, ApiMetrics())
    return api


@pytest.fixture
async def app(slack: SlackStandin, settings: SlackSettings, slack_app: AsyncApp) -> AsyncIterator[Listener]:
    """opsmend's end of HTTP mode; the workspace sends interactions there."""
    api = slack_side(settings, slack_app)
    async with listening(Listener(api)) as served:
        slack.request_url = f"{served.url}{EVENTS_PATH}"
        yield served
