"""Every detector is listed once, stands alone and copes with next to nothing."""

import importlib
import pkgutil

import pytest
from tests.builders import NOW, a_container, a_pod, a_ref, a_snapshot, a_target, a_waiting_container, a_workload

from opsmend.agents.sre import detectors
from opsmend.agents.sre.detectors import FAILURES
from opsmend.agents.sre.failure_class import FailureClass
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.shared_cause import CauseKind
from opsmend.domain.snapshot import Snapshot

MODULES = [module.name for module in pkgutil.iter_modules(detectors.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_listed_under_its_name_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"{detectors.__name__}.{name}")
    assert module.FAILURE in FAILURES
    assert module.FAILURE.name == name
    assert module.__doc__


def test_nothing_is_listed_twice() -> None:
    assert len({failure.name for failure in FAILURES}) == len(FAILURES) == len(MODULES)


def test_each_kind_of_shared_cause_is_seen_by_one_class() -> None:
    assert sorted(failure.shared for failure in FAILURES if failure.shared) == sorted(CauseKind)


BARE = [
    pytest.param(Snapshot(taken_at=NOW, target=a_target()), id="nothing-seen"),
    pytest.param(Snapshot(taken_at=NOW, target=a_target("Node", "n"), exists=False), id="target-gone"),
    pytest.param(a_snapshot(workload=a_workload(template={}), revisions=(), pods=(a_pod(spec={}),)), id="no-template"),
    pytest.param(
        a_snapshot(
            workload=a_workload(template={"metadata": None, "spec": {"containers": None, "volumes": None}}),
            pods=(a_pod(spec={"containers": [{"name": "web", "resources": None, "env": None, "ports": None}]}),),
        ),
        id="nulls-everywhere",
    ),
]


@pytest.mark.parametrize("snapshot", BARE)
@pytest.mark.parametrize("failure", [pytest.param(failure, id=failure.name) for failure in FAILURES])
def test_next_to_nothing_lets_it_abstain(failure: FailureClass, snapshot: Snapshot) -> None:
    assert failure.detect(snapshot) == []


def test_a_lone_pod_shows_what_it_waits_for() -> None:
    waiting = a_pod("p", containers=[a_waiting_container("ErrImagePull"), a_container(name="b", ready=False)], spec={})
    snapshot = a_snapshot(workload=None, revisions=(), target=a_target("Pod", "p"), pods=(waiting,))
    (finding,) = [finding for failure in FAILURES for finding in failure.detect(snapshot)]
    assert (finding.category, finding.detector) == ("bad_image", "bad_image")
    assert finding.evidence
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_healthy_neighbourhood_yields_health_and_nothing_else() -> None:
    findings = [finding for failure in FAILURES for finding in failure.detect(a_snapshot())]
    assert [(finding.category, finding.resource) for finding in findings] == [("healthy", a_ref())]
