"""Any question of an incident is answered at a terminal; so is what a person on call may have it do."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.builders import a_plan, an_incident, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.steering_in_memory import SteeringInMemory
from tests.unit.api.api_client import an_app
from tests.unit.cli.run_cli import run_against, run_cli
from typer.testing import Result

from opsmend.domain.approval import Answer
from opsmend.domain.steering import Snooze, Stop, TakeOver, WrongDiagnosis
from opsmend.errors import IncidentClosedError

WEB = "incident:demo:shop:deployment:web"
PLAN = a_plan()


@pytest.fixture
def desk() -> DeskInMemory:
    return DeskInMemory(an_incident_awaiting_approval(plan=PLAN))


@pytest.fixture
def steering() -> SteeringInMemory:
    return SteeringInMemory()


def run(steering: SteeringInMemory, *arguments: str) -> Result:
    app = an_app(DeskInMemory(), steering=steering)
    return run_against(httpx.ASGITransport(app, raise_app_exceptions=False), *arguments)


def test_the_question_is_shown_with_its_answers(desk: DeskInMemory) -> None:
    shown = run_cli(desk, "questions", WEB).stdout
    assert PLAN.hash[:12] in shown
    assert "approve, reject (with --reason)" in shown


def test_an_answer_is_sent_for_the_whole_id_of_the_question(desk: DeskInMemory) -> None:
    done = run_cli(desk, "answer", WEB, "approve", "--question", PLAN.hash[:12])
    assert done.exit_code == 0
    ((_, request),) = desk.decisions
    assert (request.plan_hash, request.decision) == (PLAN.hash, Answer.APPROVE)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("maybe",), "Answer approve, reject"),
        (("reject",), "--reason"),
        (("approve", "--question", "fff"), "--question"),
    ],
    ids=["another-word", "without-reason", "another-question"],
)
def test_what_answers_nothing_is_told_with_what_would(desk: DeskInMemory, arguments: tuple[str, ...], told: str) -> None:
    done = run_cli(desk, "answer", WEB, *arguments)
    assert done.exit_code == 1
    assert told in done.stderr
    assert desk.decisions == []


def test_an_incident_that_asks_nothing_says_so() -> None:
    assert "It asks nothing." in run_cli(DeskInMemory(an_incident()), "questions", WEB).stdout


def test_taking_over_and_stopping_carry_the_reason(steering: SteeringInMemory) -> None:
    assert run(steering, "take-over", WEB, "--reason", "mine").exit_code == 0
    assert run(steering, "stop", WEB, "--reason", "wrong service").exit_code == 0
    (_, taken), (_, stopped) = steering.asked
    assert isinstance(taken, TakeOver)
    assert isinstance(stopped, Stop)
    assert (taken.reason, stopped.reason) == ("mine", "wrong service")


@pytest.mark.parametrize(
    ("typed", "length"), [("30m", timedelta(minutes=30)), ("2h", timedelta(hours=2)), ("1d", timedelta(days=1))]
)
def test_a_snooze_is_given_as_a_length(steering: SteeringInMemory, typed: str, length: timedelta) -> None:
    before = datetime.now(UTC)
    assert run(steering, "snooze", WEB, typed).exit_code == 0
    ((_, snooze),) = steering.asked
    assert isinstance(snooze, Snooze)
    assert before + length <= snooze.until <= datetime.now(UTC) + length


@pytest.mark.parametrize("typed", ["", "2", "h", "-2h", "2h30m", "2 h", "99999999d"])
def test_what_is_no_length_is_told_with_an_example(steering: SteeringInMemory, typed: str) -> None:
    done = run(steering, "snooze", WEB, "--", typed)
    assert done.exit_code == 1
    assert "30m, 2h or 1d" in done.stderr
    assert steering.asked == []


def test_a_diagnosis_is_marked_as_wrong_with_a_note(steering: SteeringInMemory) -> None:
    assert run(steering, "wrong", WEB, "--note", "it was the database").exit_code == 0
    ((_, wrong),) = steering.asked
    assert isinstance(wrong, WrongDiagnosis)
    assert wrong.note == "it was the database"


def test_an_investigation_names_the_command_that_shows_it(steering: SteeringInMemory) -> None:
    done = run(steering, "investigate", "deployment/web", "-n", "shop")
    assert done.exit_code == 0
    assert "opsmend incident investigation:" in done.stdout
    ((target, _),) = steering.investigated
    assert (target.namespace, target.name) == ("shop", "web")


def test_what_is_closed_is_told_in_a_sentence(steering: SteeringInMemory) -> None:
    steering.failing = IncidentClosedError(f"{WEB} is closed")
    done = run(steering, "stop", WEB)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is closed" in done.stderr
