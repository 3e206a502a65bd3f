"""One message an incident, in place, whatever died in between."""

from datetime import UTC, datetime

import pytest
from tests.builders import a_plan, a_step, an_approval, an_incident
from tests.contract.chat.conftest import Team
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.rendering import code_blocks, links, outside_code
from tests.slack_standin.standin import SlackStandin

from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.steering_buttons import STEERING_BLOCK
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.ports.chat import Notice
from opsmend.errors import ChatUnavailableError


async def test_it_is_updated_in_place(chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState) -> None:
    ref = await chat.publish(Notice(state=incident))
    executing = incident.model_copy(update={"status": "executing", "approval": an_approval(incident.plan)})
    assert await chat.publish(Notice(state=executing, message=ref)) == ref
    (message,) = slack.workspace.messages(team.channel.id)
    assert "Approved by Mia (terminal)" in outside_code(message).replace("*", "")


async def test_a_message_posted_by_a_worker_that_died_is_reused(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    slack.faults.active.append(Fault(Mode.ANSWER_LOST, frozenset({"chat.postMessage"}), times=1))
    with pytest.raises(ChatUnavailableError):
        await chat.publish(Notice(state=incident))
    ref = await chat.publish(Notice(state=incident))
    (message,) = slack.workspace.messages(team.channel.id)
    assert ref
    assert message["ts"] == ref.ts


async def test_an_earlier_message_is_found_behind_hundreds_of_others(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    ref = await chat.publish(Notice(state=incident))
    for number in range(250):
        await chat._client.chat_postMessage(channel=team.channel.id, text=f"chatter {number}")
    assert await chat.publish(Notice(state=incident)) == ref


async def test_the_next_run_of_an_incident_gets_its_own_message(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    first = await chat.publish(Notice(state=incident))
    assert await chat.publish(Notice(state=incident.model_copy(update={"run_id": "run-2"}))) != first
    assert len(slack.workspace.messages(team.channel.id)) == 2


async def test_a_copy_of_our_metadata_by_another_app_is_not_taken_for_ours(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    ref = await chat.publish(Notice(state=incident))
    assert ref
    team.channel.messages[ref.ts]["bot_id"] = "B0ANOTHER"
    assert await chat.publish(Notice(state=incident)) != ref


async def test_a_deleted_one_is_posted_anew(chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState) -> None:
    ref = await chat.publish(Notice(state=incident))
    assert ref
    del team.channel.messages[ref.ts]
    again = await chat.publish(Notice(state=incident, message=ref))
    assert again != ref
    assert await chat.publish(Notice(state=incident, message=ref)) == again
    assert len(slack.workspace.messages(team.channel.id)) == 1


async def test_the_message_shows_what_an_approver_needs(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    ui = "http://127.0.0.1:8233/namespaces/default/workflows/incident%3Ademo/run-1/history"
    await chat.publish(Notice(state=incident, temporal_ui=ui))
    (message,) = slack.workspace.messages(team.channel.id)
    assert incident.plan
    read = outside_code(message)
    for needed in (
        "Deployment shop/web is not well",
        "revision 2 of Deployment shop/web crashes, revision 1 ran",
        incident.plan.short_hash,
        "Roll Deployment shop/web back to revision 1",
        "2 pods of Deployment shop/web",
        "Roll Deployment shop/web back to revision 2",
        "*Security* passed",
        "`ask-for-everything`",
    ):
        assert needed in read
    assert code_blocks(message) == ["exit code 1", incident.plan.steps[0].diff.rstrip("\n")]
    assert links(message) == [ui]
    assert message["text"]


STEERING = ["Take over", "Snooze 1 h", "Stop", "Diagnosis is wrong"]


async def test_approve_and_reject_stand_only_while_a_decision_is_awaited(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    ref = await chat.publish(Notice(state=incident.model_copy(update={"status": "investigating"})))
    assert _buttons(slack, team) == STEERING
    await chat.publish(Notice(state=incident, message=ref))
    assert _buttons(slack, team) == ["Approve", "Reject…", *STEERING]
    await chat.publish(Notice(state=incident.model_copy(update={"approval": an_approval()}), message=ref))
    assert _buttons(slack, team) == STEERING


async def test_of_a_closed_incident_only_the_diagnosis_can_be_called_wrong(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    closed = incident.model_copy(update={"status": Status.CLOSED, "outcome": Outcome.ESCALATED})
    ref = await chat.publish(Notice(state=closed))
    assert _buttons(slack, team) == ["Diagnosis is wrong"]
    await chat.publish(Notice(state=closed.model_copy(update={"diagnosis": None}), message=ref))
    assert _buttons(slack, team) == []


async def test_an_incident_without_a_diagnosis_has_none_that_could_be_wrong(
    chat: SlackChat, slack: SlackStandin, team: Team
) -> None:
    await chat.publish(Notice(state=an_incident(opened_at=datetime.now(UTC))))
    assert _buttons(slack, team) == ["Take over", "Snooze 1 h", "Stop"]


async def test_every_steering_button_asks_once_more_and_says_what_cannot_be_taken_back(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    await chat.publish(Notice(state=incident))
    (message,) = slack.workspace.messages(team.channel.id)
    (steering,) = (block for block in message["blocks"] if block["block_id"] == STEERING_BLOCK)
    asked = {button["text"]["text"]: button["confirm"]["text"]["text"] for button in steering["elements"]}
    assert list(asked) == STEERING
    final = [label for label, text in asked.items() if "cannot be taken back" in text]
    assert final == ["Take over", "Stop", "Diagnosis is wrong"]


async def test_buttons_fit_an_incident_whose_id_is_as_long_as_ids_get(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    await chat.publish(Notice(state=incident.model_copy(update={"id": "incident:" + "x" * 991})))
    assert _buttons(slack, team) == ["Approve", "Reject…", *STEERING]


@pytest.mark.parametrize(
    "diff",
    [
        pytest.param("".join(f"+ line {n}: <&>\n" for n in range(4000)), id="thousands of lines"),
        pytest.param("+ " + "x" * 60_000, id="one endless line"),
    ],
)
async def test_a_diff_that_does_not_fit_is_cut_and_says_so(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, diff: str
) -> None:
    plan = a_plan(*(a_step(id=str(n), diff=diff, reason="why " * 500) for n in range(1, 9)), summary="long " * 500)
    await chat.publish(Notice(state=incident.model_copy(update={"plan": plan})))
    (message,) = slack.workspace.messages(team.channel.id)
    assert "Not all of the plan fits here" in outside_code(message)
    assert "3 steps and" in outside_code(message)
    assert code_blocks(message)[1][:6] == diff[:6]


async def test_a_diff_of_many_lines_is_shown_whole_while_it_fits(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    diff = "".join(f"+  key{n}: <value&{n}>\n" for n in range(150))
    await chat.publish(Notice(state=incident.model_copy(update={"plan": a_plan(a_step(diff=diff))})))
    (message,) = slack.workspace.messages(team.channel.id)
    assert "\n".join(code_blocks(message)[1:]) == diff.rstrip("\n")
    assert "Not all of the plan" not in outside_code(message)


def _buttons(slack: SlackStandin, team: Team) -> list[str]:
    (message,) = slack.workspace.messages(team.channel.id)
    return [button["text"]["text"] for block in message["blocks"] if block["type"] == "actions" for button in block["elements"]]
