"""A failing probe is blamed for a running container only, and corrected to what is known to work."""

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
)

from opsmend.agents.sre.detectors.failing_probe import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Snapshot

UNREADY = a_container(ready=False)


def probing(port: int | str = 8080, path: str = "/healthz", kind: str = "readiness", **changes: Any) -> JsonObject:
    probe: dict[str, Any] = {f"{kind}Probe": {"httpGet": {"path": path, "port": port}}}
    return a_template(**(probe | changes))


def unhealthy(message: str, **changes: Any) -> Any:
    return an_event("Unhealthy", message, count=30, **changes)


REFUSED = unhealthy(
    'Readiness probe failed: Get "http://10.0.0.9:9999/healthz": dial tcp 10.0.0.9:9999: connect: connection refused'
)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "error status"),
        ("Readiness probe failed: dial tcp 10.0.0.9:8080: connect: connection refused", "refused"),
        ("Readiness probe failed: context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "in time"),
        ('Readiness probe failed: service unhealthy (responded with "NOT_SERVING")', "does not serve"),
        ("Readiness probe errored: rpc error: code = Unknown", "fails"),
    ],
)
def test_way_of_failing_is_told(message: str, told: str) -> None:
    snapshot = a_failed_rollout(probing(), probing(path="/nope"), containers=[UNREADY], events=(unhealthy(message),))
    (finding,) = detect(snapshot)
    assert told in finding.summary
    assert finding.hints[0].remedy is Remedy.ROLL_BACK


def test_probe_port_that_the_revision_changed_goes_back() -> None:
    snapshot = a_failed_rollout(probing(8080), probing(9999), containers=[UNREADY], events=(REFUSED,))
    (finding,) = detect(snapshot)
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.CORRECT_PROBE]
    assert (finding.hints[1].probe, finding.hints[1].port) == ("readiness", 8080)
    assert finding.confidence >= 0.9
    assert any("declares 8080" in evidence.excerpt for evidence in finding.evidence)


def test_wrong_port_of_the_first_revision_is_corrected_to_the_only_declared_one() -> None:
    template = probing(9999)
    pods = (a_pod(template=template, containers=[UNREADY]),)
    (finding,) = detect(a_snapshot(workload=a_workload(template=template), pods=pods, events=(REFUSED,)))
    assert [(hint.remedy, hint.port) for hint in finding.hints] == [(Remedy.CORRECT_PROBE, 8080)]


def test_liveness_that_kills_is_told_from_a_crash() -> None:
    killed = a_container(
        ready=False, running=False, restarts=6, waiting_reason="CrashLoopBackOff", last_terminated=a_termination("Error", 137)
    )
    events = (
        unhealthy("Liveness probe failed: HTTP probe failed with statuscode: 500"),
        an_event("Killing", "Container web failed liveness probe, will be restarted"),
    )
    new = probing(path="/wrong", kind="liveness")
    (finding,) = detect(a_failed_rollout(probing(kind="liveness"), new, containers=[killed], events=events))
    assert "liveness" in finding.summary
    assert finding.hints[0].remedy is Remedy.ROLL_BACK


def test_one_hanging_pod_of_a_settled_revision_is_restarted() -> None:
    hanging = a_pod("web-6d4cf-h", containers=[UNREADY], created_at=ago(days=2))
    event = unhealthy("Readiness probe failed: context deadline exceeded", about="Pod web-6d4cf-h")
    (finding,) = detect(a_snapshot(pods=(a_pod(), hanging), events=(event,)))
    assert [hint.remedy for hint in finding.hints] == [Remedy.RESTART]


def test_all_pods_of_a_settled_revision_need_a_person() -> None:
    pods = tuple(a_pod(f"web-6d4cf-{i}", containers=[UNREADY], created_at=ago(days=2)) for i in "ab")
    event = unhealthy("Readiness probe failed: HTTP probe failed with statuscode: 503", about="Pod web-6d4cf-a")
    (finding,) = detect(a_snapshot(pods=pods, events=(event,)))
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def asked_too_early(failures: int, **probe: Any) -> Snapshot:
    """A pod of a settled revision that was started seconds ago, beside one that is ready."""
    template = probing()
    template["spec"]["containers"][0]["readinessProbe"] |= probe
    young = a_pod("web-6d4cf-new", template=template, containers=[UNREADY], created_at=ago(seconds=5))
    event = unhealthy(
        "Readiness probe failed: connect: connection refused", about="Pod web-6d4cf-new", last_seen=ago(seconds=2)
    )
    return a_snapshot(
        workload=a_workload(template=template), pods=(a_pod(), young), events=(event.model_copy(update={"count": failures}),)
    )


def test_a_young_pod_that_failed_as_often_as_its_threshold_says_counts() -> None:
    assert detect(asked_too_early(failures=3)) != []


def crashing_with(event: Any) -> Snapshot:
    return a_failed_rollout(probing(), probing(9999), containers=[a_crashing_container("boom")], events=(event,))


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(crashing_with(REFUSED), id="the-process-ends-by-itself"),
        pytest.param(asked_too_early(failures=2), id="asked-before-it-listens"),
        pytest.param(asked_too_early(failures=4, failureThreshold=5), id="fewer-failures-than-its-threshold"),
        pytest.param(a_snapshot(events=(REFUSED,)), id="ready-again"),
        pytest.param(
            a_failed_rollout(
                probing(), probing(9999), containers=[a_container(ready=False)], pods=(a_pod(created_at=ago(seconds=20)),)
            ),
            id="all-pods-ready",
        ),
        pytest.param(
            a_snapshot(
                pods=(a_pod(containers=[UNREADY], template=a_template(readinessProbe=None)),),
                revisions=some_revisions(a_template()),
            ),
            id="no-event-and-a-null-probe",
        ),
    ],
)
def test_abstains_when_no_running_container_fails_a_probe(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []
