"""A revision is blamed for crashes only if an earlier one ran and nothing else crashes."""

from typing import Any

import pytest
from tests.builders import (
    a_container,
    a_crashing_container,
    a_failed_rollout,
    a_pod,
    a_snapshot,
    a_template,
    a_termination,
    a_workload,
    ago,
    an_event,
    some_revisions,
    with_container,
)

from opsmend.agents.sre.detectors.crash_after_rollout import detect
from opsmend.domain.diagnosis import Remedy

OLD, NEW = a_template("shop/api:7"), a_template("shop/api:8")


@pytest.mark.parametrize(
    "container",
    [
        pytest.param(a_crashing_container("Segmentation fault"), id="crash-loop"),
        pytest.param(
            a_container(ready=False, running=False, terminated=a_termination(exit_code=2), restarts=1), id="just-terminated"
        ),
        pytest.param(
            a_crashing_container(last_terminated=a_termination("Completed", exit_code=0)), id="ends-with-zero-again-and-again"
        ),
        pytest.param(
            a_container(restarts=3, last_terminated=a_termination(finished_at=ago(seconds=5))), id="up-for-five-seconds-again"
        ),
    ],
)
def test_newest_revision_that_crashes_is_rolled_back_to_the_one_that_runs(container: Any) -> None:
    (finding,) = detect(a_failed_rollout(OLD, NEW, containers=[container]))
    (hint,) = finding.hints
    assert (hint.remedy, hint.revision) == (Remedy.ROLL_BACK, 1)
    assert "shop/api:7 → shop/api:8" in hint.reason
    assert finding.confidence > 0.8


def test_values_of_variables_are_told_nowhere() -> None:
    """Not in the summary, as evidence, or in the reason of a proposal: `env/DB_PASS/value: one → two` was a headline."""
    old = with_container(OLD, env=[{"name": "MODE", "value": "zebra"}, {"name": "GONE", "value": "yak"}])
    new = with_container(OLD, env=[{"name": "MODE", "value": "walrus"}, {"name": "HERE", "value": "vole"}])
    (finding,) = detect(a_failed_rollout(old, new, containers=[a_crashing_container()]))
    told = finding.model_dump_json()
    assert "env/MODE/value changed" in told
    assert not [value for value in ("zebra", "yak", "walrus", "vole") if value in told]


def test_revision_that_replaced_all_pods_is_blamed_with_less_confidence() -> None:
    pods = tuple(a_pod(f"web-6d4cf-{i}", template=NEW, containers=[a_crashing_container()]) for i in "ab")
    snapshot = a_snapshot(workload=a_workload(template=NEW), pods=pods, revisions=some_revisions(OLD, NEW))
    (finding,) = detect(snapshot)
    assert finding.hints[0].revision == 1
    assert finding.confidence < 0.8


def test_return_goes_past_a_revision_that_never_worked() -> None:
    broken = a_template("shop/api:7.9")
    revisions = some_revisions(OLD, broken, NEW)
    short_lived = revisions[1].model_copy(update={"created_at": ago(minutes=12)})
    pods = (a_pod(template=NEW, containers=[a_crashing_container()]),)
    snapshot = a_snapshot(workload=a_workload(template=NEW), pods=pods, revisions=(revisions[0], short_lived, revisions[2]))
    (finding,) = detect(snapshot)
    assert finding.hints[0].revision == 1


def test_restart_in_between_is_not_taken_for_the_cause() -> None:
    restarted = a_template("shop/api:8", annotations={"kubectl.kubernetes.io/restartedAt": "2026-03-14T14:50:00Z"})
    pods = (a_pod(template=restarted, containers=[a_crashing_container()]),)
    snapshot = a_snapshot(workload=a_workload(template=restarted), pods=pods, revisions=some_revisions(OLD, NEW, restarted))
    (finding,) = detect(snapshot)
    assert finding.hints[0].revision == 1


def test_probe_kill_of_an_earlier_hour_does_not_excuse_a_crash() -> None:
    event = an_event("Killing", "Container web failed liveness probe, will be restarted", last_seen=ago(minutes=50))
    assert len(detect(a_failed_rollout(OLD, NEW, containers=[a_crashing_container("boom")], events=(event,)))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"revisions": some_revisions(NEW)}, id="no-earlier-revision"),
        pytest.param(
            {"pods": (a_pod(phase="Failed", reason="Evicted", template=NEW, containers=[a_crashing_container()]),)},
            id="evicted",
        ),
        pytest.param(
            {"containers": [a_container(restarts=1, last_terminated=a_termination(finished_at=ago(hours=3)))]}, id="recovered"
        ),
        pytest.param(
            {"events": (an_event("Killing", "Container web failed liveness probe, will be restarted"),)},
            id="killed-by-its-probe",
        ),
        pytest.param(
            {"pods": (a_pod(template=NEW, created_at=ago(days=20), containers=[a_crashing_container(restarts=4)]),)},
            id="ran-for-twenty-days-before",
        ),
        pytest.param(
            {
                "pods": (
                    a_pod(template=NEW, containers=[a_crashing_container()]),
                    a_pod("web-5c8b9-a", revision_hash="5c8b9", template=OLD, containers=[a_crashing_container()]),
                )
            },
            id="older-pods-crash-too",
        ),
        pytest.param(
            {"pods": (a_pod("web-5c8b9-a", revision_hash="5c8b9", template=OLD, containers=[a_crashing_container()]), a_pod())},
            id="only-older-pods-crash",
        ),
    ],
)
def test_abstains_when_the_revision_is_not_to_blame(changes: dict[str, Any]) -> None:
    assert detect(a_failed_rollout(OLD, NEW, **changes)) == []
