"""A pause, the rates of an hour and the remedies of a day: each refuses in time and says until when."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders import a_person

from opsmend.domain.change_control import (
    ChangeControlState,
    ChangeLeave,
    ChangeLimits,
    ChangeReservation,
    Pause,
    reserve,
)

pytestmark = pytest.mark.safety

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
MIA = a_person(name="mia")


class Control:
    """A state that steps are asked of, one after the other."""

    def __init__(self, limits: ChangeLimits, state: ChangeControlState | None = None) -> None:
        self.limits = limits
        self.state = state or ChangeControlState()

    def ask(
        self, plan: str, *, step: str = "1", target: str = "Deployment shop/web", after: timedelta = timedelta()
    ) -> ChangeLeave:
        namespace = target.split()[1].partition("/")[0] if "/" in target else ""
        asked = ChangeReservation(step=f"{plan}#{step}", plan_hash=plan, namespace=namespace, target=target, limits=self.limits)
        self.state, leave = reserve(self.state, asked, NOON + after)
        return leave


def paused() -> ChangeControlState:
    return ChangeControlState(pause=Pause(by=MIA, at=NOON, reason="release freeze"))


def test_a_pause_refuses_every_new_step_and_says_who_paused_and_why() -> None:
    leave = Control(ChangeLimits(), paused()).ask("a")
    assert not leave.granted
    assert "mia" in leave.reason
    assert "release freeze" in leave.reason


def test_a_step_that_had_leave_before_the_pause_is_finished() -> None:
    control = Control(ChangeLimits())
    assert control.ask("a").granted
    control.state = control.state.model_copy(update={"pause": paused().pause})
    assert control.ask("a").granted
    assert not control.ask("a", step="2").granted


def test_the_same_step_is_counted_once_however_often_it_is_tried() -> None:
    control = Control(ChangeLimits(per_namespace=1))
    assert [control.ask("a").granted for _ in range(5)] == [True] * 5
    assert len(control.state.changes) == 1


def test_a_namespace_gets_so_many_changes_an_hour_and_its_neighbour_its_own() -> None:
    control = Control(ChangeLimits(per_namespace=2))
    assert control.ask("a", target="Deployment shop/a").granted
    assert control.ask("b", target="Deployment shop/b", after=timedelta(minutes=10)).granted
    third = control.ask("c", target="Deployment shop/c", after=timedelta(minutes=20))
    assert not third.granted
    assert "2 changes an hour in namespace shop" in third.reason
    assert "13:00 UTC" in third.reason
    assert control.ask("d", target="Deployment pay/d", after=timedelta(minutes=20)).granted


def test_the_hour_passes() -> None:
    control = Control(ChangeLimits(per_namespace=1))
    assert control.ask("a", target="Deployment shop/a").granted
    assert not control.ask("b", target="Deployment shop/b", after=timedelta(minutes=59)).granted
    assert control.ask("b", target="Deployment shop/b", after=timedelta(minutes=61)).granted


def test_the_cluster_has_a_limit_over_all_namespaces_nodes_among_them() -> None:
    control = Control(ChangeLimits(per_cluster=2))
    assert control.ask("a", target="Deployment shop/a").granted
    assert control.ask("b", target="Node worker-1").granted
    third = control.ask("c", target="Deployment pay/c")
    assert not third.granted
    assert "in this cluster" in third.reason


def test_a_fourth_remedy_within_a_day_is_refused_and_the_target_stays_with_people_after_the_day() -> None:
    control = Control(ChangeLimits(remedies_per_target=3))
    for hour, plan in enumerate("abc"):
        assert control.ask(plan, after=timedelta(hours=6 * hour)).granted
    fourth = control.ask("d", after=timedelta(hours=18))
    assert not fourth.granted
    assert "Deployment shop/web was changed by 3 plans" in fourth.reason
    assert not control.ask("e", after=timedelta(days=9)).granted
    assert control.ask("f", target="Deployment shop/other", after=timedelta(days=9)).granted


def test_remedies_of_more_than_a_day_ago_do_not_count() -> None:
    control = Control(ChangeLimits(remedies_per_target=1))
    assert control.ask("a").granted
    assert control.ask("b", after=timedelta(hours=25)).granted


def test_all_steps_of_one_plan_are_one_remedy() -> None:
    control = Control(ChangeLimits(remedies_per_target=1))
    assert all(control.ask("a", step=str(number)).granted for number in range(4))


def test_what_is_older_than_a_day_is_forgotten() -> None:
    control = Control(ChangeLimits(per_cluster=10_000, per_namespace=10_000, remedies_per_target=10_000))
    for number in range(100):
        control.ask(str(number))
    control.ask("late", after=timedelta(hours=24, seconds=1))
    assert [change.plan_hash for change in control.state.changes] == ["late"]
