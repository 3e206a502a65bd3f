"""A click decides, if the desk lets it; whatever it does not let, the person who clicked is told why."""

import asyncio
import copy

import httpx
import pytest
from pydantic import SecretStr
from tests.builders import a_plan, an_approval
from tests.change_control_in_memory import ChangeControlInMemory
from tests.contract.chat.conftest import Team
from tests.contract.chat.memory_desk import MemoryDesk
from tests.contract.chat.until import until
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.interactions import block_actions, form, signed
from tests.slack_standin.server import Listener
from tests.slack_standin.standin import SlackStandin
from tests.slack_standin.workspace import Message, User
from tests.steering_in_memory import SteeringInMemory

from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.inbound import build_slack_app
from opsmend.adapters.slack.message import APPROVE_ACTION, DECISION_BLOCK, REJECT_ACTION
from opsmend.domain.approval import Answer, DecisionRecorded, DecisionRequest
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice
from opsmend.errors import OpsmendError, SettingsError, TemporalUnavailableError
from opsmend.settings import SlackSettings


@pytest.fixture
async def question(chat: SlackChat, app: Listener, slack: SlackStandin, team: Team, incident: IncidentState) -> Message:
    """The message that asks, as everybody sees it."""
    await chat.publish(Notice(state=incident))
    return slack.workspace.messages(team.channel.id)[0]


async def test_a_member_of_the_group_approves(question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk) -> None:
    acknowledged = await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    await until(lambda: bool(desk.decisions))
    (decision,) = desk.decisions
    assert decision.decision is Answer.APPROVE
    assert (decision.by.via, decision.by.id, decision.by.name, decision.by.groups) == ("slack", team.mia.id, "mia", ("sre",))
    assert slack.workspace.ephemerals == []
    assert acknowledged.body == {}


async def test_a_rejection_asks_for_the_reason_in_a_form(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk
) -> None:
    await slack.click(team.mia, team.channel.id, question, REJECT_ACTION)
    await until(lambda: bool(slack.workspace.views))
    (form_,) = slack.workspace.views.values()
    assert form_.user == team.mia.id
    assert not desk.decisions
    await slack.submit(form_, {"opsmend_reason": {"reason": "rolled forward at 9, password=hunter2hunter2"}})
    await until(lambda: bool(desk.decisions))
    (decision,) = desk.decisions
    assert (decision.decision, decision.reason) == (Answer.REJECT, "rolled forward at 9, password=[redacted:password]")
    assert decision.by.id == team.mia.id
    assert not form_.open


async def test_a_rejection_without_a_reason_is_not_sent(question: Message, slack: SlackStandin, team: Team) -> None:
    await slack.click(team.mia, team.channel.id, question, REJECT_ACTION)
    await until(lambda: bool(slack.workspace.views))
    with pytest.raises(ValueError, match="required"):
        await slack.submit(next(iter(slack.workspace.views.values())), {})


@pytest.mark.safety
async def test_a_stale_button_says_so_and_changes_nothing(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, incident: IncidentState
) -> None:
    newer = incident.model_copy(update={"plan": a_plan(attempt=2)})
    desk.incidents[incident.id] = newer
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    assert "stale" in await _told(slack, team.mia)
    assert desk.incidents[incident.id] == newer


@pytest.mark.safety
async def test_somebody_outside_the_group_is_refused_with_the_reason(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, incident: IncidentState
) -> None:
    await slack.click(team.ben, team.channel.id, question, APPROVE_ACTION)
    assert await _told(slack, team.ben) == "You may not decide this: only members of sre decide here."
    assert desk.incidents[incident.id] == incident


@pytest.mark.safety
async def test_a_member_of_a_disabled_group_is_not_in_it(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk
) -> None:
    next(iter(slack.workspace.usergroups.values())).date_delete = 1_700_000_000
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    assert "You may not decide this" in await _told(slack, team.mia)
    assert not desk.decisions


@pytest.mark.safety
async def test_somebody_of_another_workspace_is_refused_even_when_in_the_group(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk
) -> None:
    stranger = slack.workspace.add_user("stranger", team_id="T0ELSEWHERE")
    slack.workspace.add_usergroup("sre", stranger)
    await slack.click(stranger, team.channel.id, question, APPROVE_ACTION)
    assert "people of this workspace" in await _told(slack, stranger)
    assert not desk.decisions


@pytest.mark.parametrize("broken", [Mode.UNAVAILABLE, Mode.REFUSED])
@pytest.mark.safety
async def test_nobody_decides_while_the_groups_cannot_be_read(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, broken: Mode
) -> None:
    slack.faults.active.append(Fault(broken, frozenset({"usergroups.list"}), code="missing_scope"))
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    assert "Nothing was decided" in await _told(slack, team.mia)
    assert not desk.decisions


async def test_the_second_answer_is_told_that_it_came_late(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, incident: IncidentState
) -> None:
    desk.incidents[incident.id] = incident.model_copy(update={"approval": an_approval(incident.plan)})
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    assert "already decided" in await _told(slack, team.mia)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"status": "closed"}, "Nothing is waiting", id="closed since"),
        pytest.param(None, "not known any more", id="forgotten"),
    ],
)
async def test_a_question_that_is_over_is_answered_with_a_sentence(
    question: Message,
    slack: SlackStandin,
    team: Team,
    desk: MemoryDesk,
    incident: IncidentState,
    changes: dict[str, str] | None,
    sentence: str,
) -> None:
    desk.incidents = {} if changes is None else {incident.id: incident.model_copy(update=changes)}
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    assert sentence in await _told(slack, team.mia)


@pytest.mark.parametrize("broken", [TemporalUnavailableError("no answer"), OpsmendError("<!channel> boom")])
async def test_a_desk_that_fails_is_admitted(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, broken: OpsmendError
) -> None:
    desk.broken = broken
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    said = await _told(slack, team.mia)
    assert "did not" in said
    assert "<!channel>" not in said


@pytest.mark.parametrize("value", ["", "approve", '{"incident_id": "x"}', '{"incident_id":"x","plan_hash":"y","by":"root"}'])
@pytest.mark.safety
async def test_a_forged_button_value_is_worth_nothing(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, value: str
) -> None:
    forged = copy.deepcopy(question)
    _button(forged)["value"] = value
    await slack.click(team.mia, team.channel.id, forged, APPROVE_ACTION)
    assert "not one of mine" in await _told(slack, team.mia)
    assert not desk.decisions


async def test_a_slow_desk_does_not_keep_slack_waiting(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, decide = asyncio.Event(), asyncio.Event(), desk.decide

    async def slowly(incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        asked.set()
        await go_on.wait()
        return await decide(incident_id, request)

    monkeypatch.setattr(desk, "decide", slowly)
    await slack.click(team.mia, team.channel.id, question, APPROVE_ACTION)
    await asked.wait()
    assert not desk.decisions
    go_on.set()
    await until(lambda: bool(desk.decisions))


@pytest.mark.parametrize(
    ("secret", "age"),
    [
        pytest.param("forged", 0, id="wrong secret"),
        pytest.param("", 0, id="empty secret"),
        pytest.param(None, 301, id="replayed after five minutes"),
        pytest.param(None, -310, id="from the future"),
    ],
)
@pytest.mark.safety
async def test_a_request_that_slack_did_not_sign_now_is_401_and_decides_nothing(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk, secret: str | None, age: int
) -> None:
    workspace = slack.workspace
    body = form(block_actions(workspace, team.mia, team.channel, question, APPROVE_ACTION, ""))
    headers = signed(workspace.signing_secret if secret is None else secret, workspace.clock() - age, body)
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        answers = [await client.post(slack.request_url, content=body, headers=h) for h in (headers, {})]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert not desk.decisions


@pytest.mark.safety
async def test_a_genuine_request_whose_body_was_changed_is_401(
    question: Message, slack: SlackStandin, team: Team, desk: MemoryDesk
) -> None:
    body = form(block_actions(slack.workspace, team.ben, team.channel, question, APPROVE_ACTION, ""))
    headers = signed(slack.workspace.signing_secret, slack.workspace.clock(), body)
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(slack.request_url, content=body.replace(team.ben.id, team.mia.id), headers=headers)
    assert answer.status_code == 401
    assert not desk.decisions


async def test_the_address_check_of_slack_is_answered(app: Listener, slack: SlackStandin) -> None:
    body = '{"type":"url_verification","challenge":"c4ll3ng3"}'
    headers = signed(slack.workspace.signing_secret, slack.workspace.clock(), body) | {"Content-Type": "application/json"}
    assert slack.request_url
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(slack.request_url, content=body, headers=headers)
    assert answer.json() == {"challenge": "c4ll3ng3"}


async def test_groups_are_read_once_for_many_clicks(question: Message, slack: SlackStandin, team: Team) -> None:
    await asyncio.gather(*(slack.click(team.ben, team.channel.id, question, APPROVE_ACTION) for _ in range(3)))
    await until(lambda: len(slack.workspace.ephemerals) == 3)
    assert slack.server.calls.count("usergroups.list") == 1


@pytest.mark.parametrize(
    "missing", [{"bot_token": None}, {"signing_secret": None, "app_token": None}], ids=["token", "secret and app token"]
)
def test_an_app_that_could_not_work_does_not_start(
    missing: dict[str, SecretStr | None],
    settings: SlackSettings,
    desk: MemoryDesk,
    steering: SteeringInMemory,
    control: ChangeControlInMemory,
) -> None:
    with pytest.raises(SettingsError, match="OPSMEND_SLACK__"):
        build_slack_app(settings.model_copy(update=missing), desk, steering, control)


async def _told(slack: SlackStandin, user: User) -> str:
    """The one sentence that `user` alone gets."""
    await until(lambda: bool(slack.workspace.ephemerals))
    (ephemeral,) = slack.workspace.ephemerals
    assert ephemeral.user == user.id
    return ephemeral.text


def _button(message: Message) -> dict[str, str]:
    (actions,) = (block for block in message["blocks"] if block["block_id"] == DECISION_BLOCK)
    button: dict[str, str] = actions["elements"][0]
    return button
