"""The examples do what their comments say once they are copied into force."""

import shutil
from pathlib import Path

import pytest
from tests.builders import a_person
from tests.unit.policy.plans import a_restart_plan

from opsmend.domain.verdict import Autonomy
from opsmend.policy.engine import CedarJudge
from opsmend.policy.policy_files import shipped_policies


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped policies, to which a test adds examples."""
    for file in shipped_policies().glob("*.cedar"):
        shutil.copy(file, tmp_path)
    return tmp_path


def with_example(folder: Path, name: str) -> CedarJudge:
    shutil.copy(shipped_policies() / "examples" / name, folder)
    return CedarJudge(folder)


@pytest.mark.parametrize(
    ("namespace", "hour", "pods", "autonomy"),
    [
        pytest.param("dev-a", 3, 2, Autonomy.AUTO, id="small, at night, in dev"),
        pytest.param("dev-a", 12, 2, Autonomy.APPROVE, id="by day"),
        pytest.param("dev-a", 3, 4, Autonomy.APPROVE, id="too many pods"),
        pytest.param("shop", 3, 2, Autonomy.APPROVE, id="not in dev"),
    ],
)
def test_small_restarts_at_night_in_dev_run_by_themselves(
    folder: Path, namespace: str, hour: int, pods: int, autonomy: Autonomy
) -> None:
    judge = with_example(folder, "night-restarts.cedar")
    plan = a_restart_plan(namespace=namespace, pods=pods)
    decision = judge.judge_plan(plan, cluster="demo", severity="warning", hour_utc=hour)
    assert decision.autonomy is autonomy
    assert ("restart-dev-at-night" in decision.policies) is (autonomy is Autonomy.AUTO)


def test_a_frozen_namespace_gets_suggestions_only_even_at_night(folder: Path) -> None:
    judge = with_example(folder, "frozen-namespace.cedar")
    decision = judge.judge_plan(a_restart_plan(namespace="payments"), cluster="demo", severity="critical", hour_utc=3)
    assert decision.autonomy is Autonomy.SUGGEST
    assert decision.policies == ("ask-for-everything", "frozen-for-the-season")
    assert "not approve (forbidden by frozen-for-the-season)" in decision.reason


@pytest.mark.parametrize(
    ("namespace", "groups", "allowed"),
    [
        pytest.param("payments", ("opsmend-approvers",), False, id="approver of others"),
        pytest.param("payments", ("opsmend-approvers", "payments-oncall"), True, id="approver of payments"),
        pytest.param("shop", ("opsmend-approvers",), True, id="another namespace"),
    ],
)
def test_a_team_answers_for_its_own_namespace(folder: Path, namespace: str, groups: tuple[str, ...], allowed: bool) -> None:
    judge = with_example(folder, "own-approvers.cedar")
    person = a_person(via="slack", id="U1", groups=groups)
    decision = judge.may_decide(person, a_restart_plan(namespace=namespace), cluster="demo")
    assert decision.autonomy is (Autonomy.APPROVE if allowed else Autonomy.OBSERVE)


def test_answers_by_signal_can_be_let_in(folder: Path) -> None:
    judge = with_example(folder, "answers-by-signal.cedar")
    decision = judge.may_decide(a_person(via="temporal"), a_restart_plan(), cluster="demo")
    assert decision.autonomy is Autonomy.APPROVE
    assert decision.policies == ("temporal-operators-may-decide",)


def test_all_examples_can_be_in_force_together(folder: Path) -> None:
    for file in (shipped_policies() / "examples").glob("*.cedar"):
        shutil.copy(file, folder)
    assert len(CedarJudge(folder).policy_ids) == 10


def test_a_frozen_namespace_may_be_watched_for_what_is_suggested_there(folder: Path) -> None:
    judge = with_example(folder, "frozen-namespace.cedar")
    assert judge.may_change_config("payments", cluster="demo").autonomy is Autonomy.SUGGEST


def test_the_hour_of_the_look_does_not_decide_whether_a_namespace_is_watched(folder: Path) -> None:
    by_day = 'forbid (principal, action in Action::"change", resource) when { context.hour_utc >= 6 && context.hour_utc < 20 };'
    (folder / "nights-only.cedar").write_text(f'@id("nights-only")\n{by_day}\n')
    assert CedarJudge(folder).may_change_config("shop", cluster="demo").autonomy is Autonomy.APPROVE


@pytest.mark.parametrize("hour", [0, 23])
def test_a_namespace_that_may_be_changed_in_one_hour_of_the_day_may_be_watched(tmp_path: Path, hour: int) -> None:
    (tmp_path / "a.cedar").write_text(
        f'@id("an-hour")\npermit (principal, action in Action::"change", resource) when {{ context.hour_utc == {hour} }};'
    )
    assert CedarJudge(tmp_path).may_change_config("shop", cluster="demo").autonomy is Autonomy.AUTO
