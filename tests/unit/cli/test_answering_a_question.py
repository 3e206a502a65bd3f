"""What happens when a person answers at a terminal."""

import pytest
from tests.builders import a_plan, an_incident, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.unit.cli.run_cli import run_cli

from opsmend.domain.approval import Answer
from opsmend.errors import PolicyRefusedError

WEB = "incident:demo:shop:deployment:web"
PLAN = a_plan()


@pytest.fixture
def desk() -> DeskInMemory:
    return DeskInMemory(an_incident_awaiting_approval(plan=PLAN))


def test_plan_is_shown_in_full_before_the_question(desk: DeskInMemory) -> None:
    shown = run_cli(desk, "approve", WEB, typed="n\n").stdout
    assert (
        shown.index("+  image: registry.example/web:1.4.2") < shown.index(PLAN.hash) < shown.index("Approve exactly this plan?")
    )


def test_yes_sends_the_hash_of_what_was_shown(desk: DeskInMemory) -> None:
    done = run_cli(desk, "approve", WEB, typed="y\n")
    assert done.exit_code == 0
    ((incident_id, request),) = desk.decisions
    assert (incident_id, request.plan_hash, request.decision) == (WEB, PLAN.hash, Answer.APPROVE)
    assert "was recorded" in done.stdout


@pytest.mark.parametrize(
    "typed", [pytest.param("n\n", id="no"), pytest.param("\n", id="just return"), pytest.param("", id="no terminal")]
)
def test_anything_but_yes_sends_nothing(desk: DeskInMemory, typed: str) -> None:
    assert run_cli(desk, "approve", WEB, typed=typed).exit_code == 1
    assert desk.decisions == []


def test_yes_on_the_command_line_does_not_ask_and_still_shows(desk: DeskInMemory) -> None:
    done = run_cli(desk, "approve", WEB, "--yes")
    assert (done.exit_code, len(desk.decisions)) == (0, 1)
    assert PLAN.hash in done.stdout


@pytest.mark.parametrize("given", [pytest.param(PLAN.hash, id="whole"), pytest.param(PLAN.short_hash, id="as reports show it")])
def test_expected_hash_that_still_stands_is_taken(desk: DeskInMemory, given: str) -> None:
    assert run_cli(desk, "approve", WEB, "--plan-hash", given, "--yes").exit_code == 0
    assert desk.decisions[0][1].plan_hash == PLAN.hash


@pytest.mark.parametrize(
    "given",
    [pytest.param("0" * 64, id="older plan"), pytest.param(PLAN.hash[:6], id="too short"), pytest.param("", id="empty")],
)
@pytest.mark.parametrize("command", [("approve", "--yes"), ("reject", "--reason", "no")], ids=["approve", "reject"])
def test_expected_hash_that_does_not_stand_sends_nothing(desk: DeskInMemory, command: tuple[str, ...], given: str) -> None:
    refused = run_cli(desk, command[0], WEB, "--plan-hash", given, *command[1:])
    assert refused.exit_code == 1
    assert PLAN.short_hash in refused.stderr
    assert desk.decisions == []


def test_rejection_carries_its_reason(desk: DeskInMemory) -> None:
    assert run_cli(desk, "reject", WEB, "--reason", "we fix it by hand").exit_code == 0
    ((_, request),) = desk.decisions
    assert (request.decision, request.reason, request.plan_hash) == (Answer.REJECT, "we fix it by hand", PLAN.hash)


def test_rejection_needs_a_reason(desk: DeskInMemory) -> None:
    assert run_cli(desk, "reject", WEB).exit_code == 2


@pytest.mark.parametrize("command", [("approve", "--yes"), ("reject", "--reason", "no")], ids=["approve", "reject"])
def test_incident_that_asks_nothing_says_so(command: tuple[str, ...]) -> None:
    refused = run_cli(DeskInMemory(an_incident()), command[0], WEB, *command[1:])
    assert refused.exit_code == 1
    assert "asks nothing: it is investigating" in refused.stderr


def test_refusal_by_policy_is_shown_as_it_was_said(desk: DeskInMemory) -> None:
    desk.refuses_to_decide = PolicyRefusedError("Policy oncall-only does not let operator decide.")
    refused = run_cli(desk, "approve", WEB, "--yes")
    assert refused.exit_code == 1
    assert "Policy oncall-only does not let operator decide." in refused.stderr
