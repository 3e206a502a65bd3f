"""How many replicas to return to has a source: what ran last, within the autoscaler's bounds, else what is declared."""

from typing import Any

import pytest
from tests.builders import a_pod, a_ref, a_snapshot, a_workload, ago, an_autoscaler, an_event

from opsmend.agents.sre.detectors.scaled_to_zero import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import Event, Snapshot


def down(text: str, minutes: int = 3, about: str = "Deployment web") -> Event:
    return an_event("ScalingReplicaSet", text, about=about, type="Normal", last_seen=ago(minutes=minutes))


def at_zero(manifest: int | None = None, **changes: Any) -> Snapshot:
    workload = a_workload(desired_replicas=0, applied_replicas=manifest)
    return a_snapshot(**({"workload": workload, "pods": ()} | changes))


SIX = down("Scaled down replica set web-6d4cf to 0 from 6")
ROLLOUT = down("Scaled down replica set web-5c8b9 to 0 from 1", minutes=60)


@pytest.mark.parametrize(
    ("snapshot", "replicas", "why"),
    [
        pytest.param(at_zero(events=(SIX, ROLLOUT)), 6, "6 ran before", id="what-ran-last"),
        pytest.param(at_zero(5, events=(SIX,)), 6, "its manifest says 5", id="what-ran-last-beats-what-is-declared"),
        pytest.param(
            at_zero(events=(down("Scaled up replica set web-6d4cf to 4"),)), 4, "4 ran before", id="what-it-was-scaled-up-to"
        ),
        pytest.param(
            at_zero(pods=(a_pod(deleting=True), a_pod("b", deleting=True))), 2, "2 ran before", id="pods-being-stopped"
        ),
        pytest.param(at_zero(5), 5, "its manifest says 5", id="declared"),
        pytest.param(
            at_zero(events=(SIX,), autoscalers=(an_autoscaler(max_replicas=4),)), 4, "allows 2 to 4", id="autoscalers-most"
        ),
        pytest.param(at_zero(autoscalers=(an_autoscaler(min_replicas=3),)), 3, "allows 3 to 10", id="autoscalers-least"),
        pytest.param(at_zero(), 1, "one is the least", id="only-a-service-expects-it"),
        pytest.param(
            at_zero(
                events=(down("New size: 0; reason: replicas: 4 to 0", about="HorizontalPodAutoscaler web"),),
                autoscalers=(an_autoscaler(),),
            ),
            4,
            "4 ran before",
            id="scaled-by-an-autoscaler",
        ),
    ],
)
def test_number_of_replicas_has_a_source(snapshot: Snapshot, replicas: int, why: str) -> None:
    (finding,) = detect(snapshot)
    (hint,) = finding.hints
    assert (hint.remedy, hint.replicas) == (Remedy.SCALE_UP, replicas)
    assert why in hint.reason


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(at_zero(0), id="declared-so"),
        pytest.param(at_zero(services=()), id="nobody-expects-it-and-no-number-is-known"),
    ],
)
def test_zero_on_purpose_is_told_and_left(snapshot: Snapshot) -> None:
    (finding,) = detect(snapshot)
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]
    assert finding.confidence <= 0.5


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(events=(SIX,)), id="an-old-event"),
        pytest.param(a_snapshot(workload=None), id="no-workload"),
        pytest.param(at_zero(workload=a_workload(ref=a_ref("DaemonSet"), desired_replicas=0)), id="daemon-set-without-nodes"),
    ],
)
def test_abstains_unless_zero_pods_are_asked_for(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []
