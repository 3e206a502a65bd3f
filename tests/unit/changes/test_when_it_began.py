"""The beginning is what the first alert says, unless its clock cannot be right: then what the cluster shows."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.builders import (
    NOW,
    a_condition,
    a_crashing_container,
    a_node,
    a_pod,
    a_snapshot,
    a_termination,
    a_workload,
    ago,
    an_alert,
)

from opsmend.agents.sre.reading.beginning import beginning
from opsmend.domain.snapshot import Snapshot

FAILING = a_snapshot(
    workload=a_workload(conditions=(a_condition("Available", "False", since=ago(minutes=7)),)),
    pods=(a_pod(containers=[a_crashing_container()]),),
)


def an_alert_of(at: datetime, **changes: Any) -> Any:
    return an_alert(starts_at=at, **changes)


def test_it_began_with_the_first_alert() -> None:
    began = beginning(FAILING, (an_alert_of(ago(minutes=3)), an_alert_of(ago(minutes=5), fingerprint="b")))
    assert began == (ago(minutes=5), "")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(ago(minutes=40), id="a little before the first failure"),
        pytest.param(NOW, id="now"),
    ],
)
def test_an_alert_that_may_be_right_is_believed(told: datetime) -> None:
    assert beginning(FAILING, (an_alert_of(told),)) == (told, "")


def test_a_clock_a_little_ahead_is_no_news() -> None:
    assert beginning(FAILING, (an_alert_of(NOW + timedelta(seconds=90)),)) == (NOW, "")


OFF = [
    pytest.param(NOW + timedelta(hours=3), "still to come", id="in the future"),
    pytest.param(ago(days=2), "long before", id="days before the first failure"),
]


@pytest.mark.parametrize(("told", "why"), OFF)
def test_a_clock_that_cannot_be_right_gives_way_to_the_cluster_and_is_told(told: datetime, why: str) -> None:
    began = beginning(FAILING, (an_alert_of(told),))
    assert began.at == ago(minutes=7)
    assert why in began.note
    assert "clock looks off" in began.note
    assert f"{told:%Y-%m-%d %H:%M:%S}" in began.note


def test_an_alert_that_tells_no_start_is_said_to_tell_none() -> None:
    began = beginning(FAILING, (an_alert(starts_at=None),))
    assert began.at == ago(minutes=7)
    assert began.note.startswith("The alert does not say when it began.")
    assert "1970" not in began.note
    assert "clock" not in began.note


def test_one_alert_that_tells_its_start_is_enough() -> None:
    silent, telling = an_alert(starts_at=None, fingerprint="a"), an_alert_of(ago(minutes=5), fingerprint="b")
    assert beginning(FAILING, (silent, telling)) == (ago(minutes=5), "")


def test_a_future_alert_about_something_that_shows_no_failure_counts_from_the_look() -> None:
    began = beginning(a_snapshot(), (an_alert_of(NOW + timedelta(days=1)),))
    assert began.at == NOW
    assert "look at the cluster" in began.note


@pytest.mark.parametrize(
    ("workload", "told"),
    [
        pytest.param(a_workload(created_at=ago(hours=1)), ago(days=3), id="older than its workload"),
        pytest.param(None, datetime.fromisoformat("0001-01-01T00:00:00Z"), id="no time at all"),
    ],
)
def test_an_alert_that_nothing_confirms_and_that_cannot_be_so_old_counts_from_the_look(workload: Any, told: datetime) -> None:
    began = beginning(a_snapshot(workload=workload), (an_alert_of(told),))
    assert began.at == NOW
    assert "long ago" in began.note


def test_an_old_alert_about_something_that_shows_no_failure_may_be_right() -> None:
    assert beginning(a_snapshot(), (an_alert_of(ago(days=3)),)) == (ago(days=3), "")


SIGNS = [
    pytest.param({"pods": (a_pod(containers=[a_crashing_container()], conditions=(
        a_condition("Ready", "False", since=ago(minutes=9)),)),)}, ago(minutes=9), id="unready pod"),
    pytest.param({"pods": (a_pod(containers=[a_crashing_container(
        last_terminated=a_termination(finished_at=ago(minutes=4)))], conditions=()),)}, ago(minutes=4), id="ended container"),
    pytest.param({"nodes": (a_node(conditions=(a_condition("Ready", "Unknown", since=ago(minutes=2)),)),)},
                 ago(minutes=2), id="lost node"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "at"), SIGNS)
def test_without_a_usable_alert_the_first_failure_of_the_cluster_is_the_beginning(parts: Any, at: datetime) -> None:
    snapshot: Snapshot = a_snapshot(**parts)
    assert beginning(snapshot, ()).at == at


def test_what_ended_well_or_is_being_deleted_shows_no_failure() -> None:
    conditions = (a_condition("Ready", "False", since=ago(days=1)),)
    pods = (a_pod("a", phase="Succeeded", conditions=conditions), a_pod("b", deleting=True, conditions=conditions))
    assert beginning(a_snapshot(pods=pods), ()).at == NOW
