"""Every detector is listed once, stands alone and copes with next to nothing."""

import importlib
import pkgutil

import pytest
from tests.builders import NOW, a_container, a_pod, a_ref, a_snapshot, a_target, a_waiting_container, a_workload

from opsmend.agents.sre import detectors
from opsmend.agents.sre.detectors import DETECTORS, Detector
from opsmend.domain.diagnosis import Category, Remedy
from opsmend.domain.snapshot import Snapshot

MODULES = [module.name for module in pkgutil.iter_modules(detectors.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_listed_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"{detectors.__name__}.{name}")
    assert module.detect in DETECTORS
    assert module.__doc__


def test_nothing_is_listed_twice() -> None:
    assert len(set(DETECTORS)) == len(DETECTORS) == len(MODULES)


def test_every_category_has_a_detector_of_its_name() -> None:
    assert {*MODULES} == {category.value for category in Category} - {"unknown"}


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
@pytest.mark.parametrize("detect", [pytest.param(d, id=d.__module__.rpartition(".")[2]) for d in DETECTORS])
def test_next_to_nothing_lets_it_abstain(detect: Detector, snapshot: Snapshot) -> None:
    assert detect(snapshot) == []


def test_a_lone_pod_shows_what_it_waits_for() -> None:
    waiting = a_pod("p", containers=[a_waiting_container("ErrImagePull"), a_container(name="b", ready=False)], spec={})
    snapshot = a_snapshot(workload=None, revisions=(), target=a_target("Pod", "p"), pods=(waiting,))
    (finding,) = [finding for detect in DETECTORS for finding in detect(snapshot)]
    assert (finding.category, finding.detector) == (Category.BAD_IMAGE, "bad_image")
    assert finding.evidence
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_healthy_neighbourhood_yields_health_and_nothing_else() -> None:
    findings = [finding for detect in DETECTORS for finding in detect(a_snapshot())]
    assert [(finding.category, finding.resource) for finding in findings] == [(Category.HEALTHY, a_ref())]
