"""The buttons below an incident do what the CLI does, for whom policy lets; whoever clicks is told what came of it."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.chat.conftest import Team
from tests.contract.chat.memory_desk import MemoryDesk
from tests.contract.chat.until import until
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.server import Listener
from tests.slack_standin.standin import SlackStandin
from tests.slack_standin.workspace import Message, User
from tests.steering_in_memory import Asked, SteeringInMemory

from opsmend.adapters.slack import telling
from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.steering_buttons import (
    SNOOZE_ACTION,
    STEERING_BLOCK,
    STOP_ACTION,
    TAKE_OVER_ACTION,
    WRONG_ACTION,
)
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice
from opsmend.domain.steering import Snooze, Stop, TakeOver, WrongDiagnosis
from opsmend.errors import IncidentClosedError, OpsmendError, TemporalUnavailableError

ACTIONS = [TAKE_OVER_ACTION, SNOOZE_ACTION, STOP_ACTION, WRONG_ACTION]
ENDING = [TAKE_OVER_ACTION, SNOOZE_ACTION, STOP_ACTION]


@pytest.fixture
async def message(chat: SlackChat, app: Listener, slack: SlackStandin, team: Team, incident: IncidentState) -> Message:
    """The incident's message, as everybody sees it."""
    await chat.publish(Notice(state=incident))
    return slack.workspace.messages(team.channel.id)[0]


@pytest.mark.parametrize(
    ("action", "kind"),
    [(TAKE_OVER_ACTION, TakeOver), (SNOOZE_ACTION, Snooze), (STOP_ACTION, Stop), (WRONG_ACTION, WrongDiagnosis)],
)
async def test_a_click_steers_in_the_name_of_who_clicked(
    message: Message,
    slack: SlackStandin,
    team: Team,
    steering: SteeringInMemory,
    incident: IncidentState,
    action: str,
    kind: type[Asked],
) -> None:
    await slack.click(team.mia, team.channel.id, message, action)
    assert await _told(slack, team.mia) == "Done: taken."
    ((incident_id, asked),) = steering.asked
    assert (incident_id, type(asked)) == (incident.id, kind)
    assert (asked.by.via, asked.by.id, asked.by.name, asked.by.groups) == ("slack", team.mia.id, "mia", ("sre",))


async def test_a_snooze_is_for_an_hour_from_the_click(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory
) -> None:
    before = datetime.now(UTC)
    await slack.click(team.mia, team.channel.id, message, SNOOZE_ACTION)
    await _told(slack, team.mia)
    ((_, asked),) = steering.asked
    assert isinstance(asked, Snooze)
    assert before <= asked.until - timedelta(hours=1) <= datetime.now(UTC)


async def test_the_diagnosis_of_the_run_that_the_message_is_about_is_wrong(
    message: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, steering: SteeringInMemory, incident: IncidentState
) -> None:
    desk.incidents[incident.id] = incident.model_copy(update={"run_id": "a-later-outbreak"})
    await slack.click(team.mia, team.channel.id, message, WRONG_ACTION)
    await _told(slack, team.mia)
    assert steering.wrong == {incident.run_id}


@pytest.mark.parametrize("action", ENDING)
async def test_the_message_of_an_earlier_outbreak_leaves_the_later_one_alone(
    message: Message,
    slack: SlackStandin,
    team: Team,
    desk: MemoryDesk,
    steering: SteeringInMemory,
    incident: IncidentState,
    action: str,
) -> None:
    desk.incidents[incident.id] = incident.model_copy(update={"run_id": "a-later-outbreak"})
    await slack.click(team.mia, team.channel.id, message, action)
    assert "Nothing was done: this message is about an earlier outbreak" in await _told(slack, team.mia)
    assert steering.asked == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_whom_policy_does_not_let_is_told_why(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory, action: str
) -> None:
    await slack.click(team.ben, team.channel.id, message, action)
    assert await _told(slack, team.ben) == "You may not do this: ben (slack) is not in sre"
    assert steering.asked == []
    assert steering.wrong == set()


@pytest.mark.parametrize("action", ACTIONS)
async def test_somebody_of_another_workspace_steers_nothing_even_when_in_the_group(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory, action: str
) -> None:
    stranger = slack.workspace.add_user("stranger", team_id="T0ELSEWHERE")
    slack.workspace.add_usergroup("sre", stranger)
    await slack.click(stranger, team.channel.id, message, action)
    assert "people of this workspace" in await _told(slack, stranger)
    assert steering.asked == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_while_slack_does_not_say_who_it_is_nothing_is_done(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory, action: str
) -> None:
    slack.faults.active.append(Fault(Mode.UNAVAILABLE, frozenset({"usergroups.list"})))
    await slack.click(team.mia, team.channel.id, message, action)
    assert await _told(slack, team.mia) == "Slack did not answer when I looked you up. Nothing was done: try again."
    assert steering.asked == []


async def test_the_answer_waits_for_slack_and_nothing_is_done_twice(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "FIRST_PAUSE", telling.FIRST_PAUSE / 100)
    slack.faults.active.append(Fault(Mode.UNAVAILABLE, frozenset({"chat.postEphemeral"}), times=3))
    await slack.click(team.mia, team.channel.id, message, STOP_ACTION)
    assert await _told(slack, team.mia) == "Done: taken."
    assert len(steering.asked) == 1


@pytest.mark.parametrize(
    ("failing", "sentence"),
    [
        pytest.param(IncidentClosedError("x is closed: escalated"), "Nothing was done: x is closed", id="closed"),
        pytest.param(TemporalUnavailableError("no worker"), "repeating is safe", id="nobody there"),
        pytest.param(OpsmendError("<!channel> boom"), "That did not work: &lt;!channel&gt; boom", id="anything else"),
    ],
)
async def test_what_does_not_work_is_admitted_in_a_sentence(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory, failing: OpsmendError, sentence: str
) -> None:
    steering.failing = failing
    await slack.click(team.mia, team.channel.id, message, STOP_ACTION)
    assert sentence in await _told(slack, team.mia)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda _: "", id="nothing"),
        pytest.param(lambda _: "incident:x", id="no JSON"),
        pytest.param(lambda _: '{"incident_id": "x"}', id="no run"),
        pytest.param(lambda value: value[:-1] + ',"by":{"via":"http","id":"operator"}}', id="a person"),
    ],
)
async def test_a_forged_button_value_is_worth_nothing(
    message: Message, slack: SlackStandin, team: Team, steering: SteeringInMemory, action: str, forge: Callable[[str], str]
) -> None:
    forged = copy.deepcopy(message)
    (buttons,) = (block["elements"] for block in forged["blocks"] if block["block_id"] == STEERING_BLOCK)
    for button in buttons:
        button["value"] = forge(button["value"])
    await slack.click(team.mia, team.channel.id, forged, action)
    assert "not one of mine" in await _told(slack, team.mia)
    assert steering.asked == []


async def _told(slack: SlackStandin, user: User) -> str:
    """The one sentence that `user` alone gets."""
    await until(lambda: bool(slack.workspace.ephemerals))
    (ephemeral,) = slack.workspace.ephemerals
    assert ephemeral.user == user.id
    return ephemeral.text
