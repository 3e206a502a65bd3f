"""Declared maintenance goes before any cause, as long as it can be believed and concerns what is broken."""

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import (
    NOW,
    a_container,
    a_crashing_container,
    a_failed_rollout,
    a_node,
    a_pending_pod,
    a_pod,
    a_ref,
    a_snapshot,
    a_target,
    a_template,
    a_window,
)

from opsmend.agents.architect.remedies import propose
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.detectors.maintenance import detect
from opsmend.agents.sre.diagnose import diagnose
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.maintenance import LONGEST, Maintenance
from opsmend.domain.snapshot import Snapshot

BROKEN = a_failed_rollout(a_template("a:1"), a_template("a:2"), containers=[a_crashing_container("boom")])
UNREADY = a_pod(containers=[a_container(ready=False)])


def diagnosed(**changes: Any) -> Diagnosis:
    snapshot = BROKEN.model_copy(update=changes)
    return diagnose(snapshot, find_causes(snapshot))


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(a_window(), id="on-the-workload"),
        pytest.param(a_window(on=a_ref("Namespace", "shop")), id="on-the-namespace"),
        pytest.param(a_window("2026-03-14T17:00:00+01:00"), id="with-another-offset"),
        pytest.param(a_window("2026-03-15T15:00:00Z"), id="exactly-as-long-as-is-believed"),
    ],
)
def test_nothing_is_proposed_while_maintenance_is_planned(window: Maintenance) -> None:
    found = diagnosed(maintenance=(window,))
    assert (found.category, found.resource, found.confidence) == ("maintenance", window.declared_on, 1)
    assert found.until == window.until
    assert any("crash_after_rollout" in ruled_out.what for ruled_out in found.ruled_out)
    assert propose(found, BROKEN) == []


def test_the_reason_that_was_given_is_told() -> None:
    found = diagnosed(maintenance=(a_window(reason="moving the database"),))
    assert found.summary == "Deployment shop/web is under planned maintenance until 2026-03-14 16:00 UTC (moving the database)"


@pytest.mark.parametrize(
    ("window", "why"),
    [
        pytest.param(a_window("2026-03-14T14:59:59Z"), "it ended at 2026-03-14 14:59 UTC", id="over"),
        pytest.param(a_window("2026-03-15T15:00:01Z"), "more than 24 h from now", id="longer-than-is-believed"),
        pytest.param(a_window("9999-12-31T23:59:59Z"), "more than 24 h from now", id="for-ever"),
        pytest.param(
            Maintenance(declared_on=a_ref(), until_text="tomorrow", until=None), "'tomorrow' is no time", id="unreadable"
        ),
    ],
)
def test_what_is_not_believed_is_said_and_stops_nothing(window: Maintenance, why: str) -> None:
    found = diagnosed(maintenance=(window,))
    assert found.category == "crash_after_rollout"
    (doubted,) = [ruled_out for ruled_out in found.ruled_out if ruled_out.what.startswith("maintenance as declared")]
    assert why in doubted.why


def test_of_several_windows_the_last_one_counts() -> None:
    until = NOW + timedelta(hours=3)
    both = (a_window(), a_window(until.isoformat(), on=a_ref("Namespace", "shop")), a_window("2026-03-01T00:00:00Z"))
    assert diagnosed(maintenance=both).until == until
    assert until - NOW < LONGEST


UNDER_REPAIR = a_node("node-1", maintenance=a_window(on=a_ref("Node", "node-1")))


@pytest.mark.parametrize(
    ("snapshot", "concerns"),
    [
        pytest.param(a_snapshot(pods=(UNREADY,), nodes=(UNDER_REPAIR,)), True, id="a-pod-that-is-not-well-is-on-it"),
        pytest.param(a_snapshot(target=a_target("Node", "node-1"), nodes=(UNDER_REPAIR,)), True, id="the-alert-is-about-it"),
        pytest.param(
            a_snapshot(pods=(a_pending_pod(),), nodes=(UNDER_REPAIR.model_copy(update={"unschedulable": True}),)),
            True,
            id="it-was-closed-and-a-pod-waits-for-a-place",
        ),
        pytest.param(a_snapshot(nodes=(UNDER_REPAIR,)), False, id="only-pods-that-are-well-are-on-it"),
        pytest.param(
            a_snapshot(pods=(UNREADY.model_copy(update={"node": "node-2"}), a_pod("b")), nodes=(UNDER_REPAIR,)),
            False,
            id="what-is-broken-is-on-another",
        ),
        pytest.param(a_snapshot(pods=(a_pending_pod(),), nodes=(UNDER_REPAIR,)), False, id="it-still-takes-pods"),
    ],
)
def test_a_node_under_maintenance_explains_only_what_it_can(snapshot: Snapshot, concerns: bool) -> None:
    assert bool(detect(snapshot)) is concerns
