"""Why a claim is not answered is told from the claim, the classes and the volumes of the cluster, and is for a person."""

from typing import Any

import pytest
from tests.builders import (
    a_claim,
    a_failed_rollout,
    a_pending_pod,
    a_ref,
    a_snapshot,
    a_target,
    a_template,
    an_event,
    some_storage,
)

from opsmend.agents.architect.remedies import propose
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.detectors.volume_pending import detect
from opsmend.agents.sre.diagnose import diagnose
from opsmend.domain.diagnosis import Finding, Remedy
from opsmend.domain.snapshot import Event, Snapshot
from opsmend.domain.storage import Claim, Storage, StorageClass, Volume

CLAIM = a_ref("PersistentVolumeClaim", "data")
WAITS = a_pending_pod("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
LATE = StorageClass(name="late", provisioner="csi.example.com", binding_mode="WaitForFirstConsumer")
BY_HAND = StorageClass(name="by-hand", provisioner="kubernetes.io/no-provisioner")


def waiting(storage: Storage, *events: Event, **changes: Any) -> Snapshot:
    """The alert names the claim; a pod waits for it."""
    defaults = {"target": a_target("PersistentVolumeClaim", "data"), "workload": None, "revisions": (), "services": ()}
    return a_snapshot(**(defaults | {"pods": (WAITS,), "storage": storage, "events": events} | changes))


def said(reason: str, message: str) -> Event:
    return an_event(reason, message, about="PersistentVolumeClaim data")


def found(snapshot: Snapshot) -> Finding:
    (finding,) = detect(snapshot)
    return finding


def a_volume(**changes: Any) -> Volume:
    defaults = {"name": "v1", "capacity": "50Gi", "access_modes": ("ReadWriteOnce",), "storage_class": "by-hand"}
    return Volume(**(defaults | {"phase": "Available"} | changes))


def by_hand(claim: Claim, *volumes: Volume) -> Storage:
    return some_storage(claim, classes=(BY_HAND,), volumes=volumes)


HAND = a_claim(storage_class="by-hand")


@pytest.mark.parametrize(
    ("storage", "why"),
    [
        pytest.param(some_storage(), "StorageClass fast does not exist (there are standard (default))", id="no-such-class"),
        pytest.param(some_storage(a_claim(storage_class="standart")), "standard may be meant", id="a-misspelt-class"),
        pytest.param(
            some_storage(a_claim(storage_class=None), classes=(LATE,)), "none is the default one", id="no-default-class"
        ),
        pytest.param(by_hand(HAND), "no PersistentVolume of class by-hand is available", id="nobody-made-a-volume"),
        pytest.param(by_hand(HAND, a_volume(phase="Released")), "is available", id="only-a-used-one"),
        pytest.param(by_hand(HAND, a_volume(capacity="5Gi")), "asks for 10Gi, the largest available volume has 5Gi", id="size"),
        pytest.param(
            by_hand(a_claim(storage_class="by-hand", access_modes=("ReadWriteMany",)), a_volume()),
            "no available volume offers ReadWriteMany, only ReadWriteOnce",
            id="access-mode",
        ),
        pytest.param(
            by_hand(a_claim(storage_class="by-hand", volume="v9"), a_volume()), "no volume v9 is available", id="a-named-volume"
        ),
        pytest.param(
            some_storage(a_claim(storage_class=""), classes=(), volumes=(a_volume(),)),
            "no PersistentVolume without a class is available",
            id="no-class-wanted",
        ),
        pytest.param(some_storage(a_claim(exists=False, phase="")), "it does not exist", id="no-claim"),
        pytest.param(some_storage(a_claim(phase="Lost", volume="v1")), "its volume v1 is gone", id="lost"),
    ],
)
def test_the_cluster_shows_why(storage: Storage, why: str) -> None:
    finding = found(waiting(storage))
    assert finding.resource == CLAIM
    assert why in finding.summary
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]
    assert "a person has to" in finding.hints[0].reason


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(
            said("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'), id="class-not-found-by-the-controller"
        ),
        pytest.param(
            said("ProvisioningFailed", "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes"),
            id="access-mode-by-the-provisioner",
        ),
        pytest.param(
            said("FailedBinding", "no persistent volumes available for this claim and no storage class is set"), id="no-class"
        ),
    ],
)
def test_what_the_controllers_say_counts_where_the_classes_were_not_seen(event: Event) -> None:
    finding = found(waiting(some_storage(classes=None), event))
    assert event.message in finding.summary
    assert any(event.message in evidence.excerpt for evidence in finding.evidence)


def test_the_words_of_a_provisioner_are_told() -> None:
    slow = said("ProvisioningFailed", "rpc error: code = ResourceExhausted desc = the pool has no space left")
    assert "no space left" in found(waiting(some_storage(a_claim(storage_class="standard")), slow)).summary


def test_the_pods_that_wait_are_told_and_the_scheduler_is_explained() -> None:
    diagnosis = diagnose(waiting(some_storage()), find_causes(waiting(some_storage())))
    assert diagnosis.category == "volume_pending"
    assert "1 pods wait for PersistentVolumeClaim shop/data" in diagnosis.summary
    assert any(ruled_out.what.startswith("unschedulable") for ruled_out in diagnosis.ruled_out)
    assert all(candidate.rejected_because for candidate in propose(diagnosis, waiting(some_storage())))


WAITS_FOR_POD = some_storage(a_claim(storage_class="late"), classes=(LATE,))


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(waiting(some_storage(a_claim(phase="Bound"))), id="it-is-bound"),
        pytest.param(waiting(WAITS_FOR_POD), id="it-waits-for-its-pod-which-finds-no-node"),
        pytest.param(waiting(WAITS_FOR_POD, target=a_target()), id="the-same-of-a-workload"),
        pytest.param(a_snapshot(), id="nothing-waits-for-a-volume"),
    ],
)
def test_abstains_where_the_claim_is_not_what_waits(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []


def test_a_claim_that_nobody_mounts_yet_waits_as_its_class_says() -> None:
    idle = some_storage(a_claim(storage_class="late", waiting_pods=()), classes=(LATE,))
    assert "waits for the first pod that mounts it" in found(waiting(idle, pods=())).summary


def test_a_revision_that_brought_the_claim_is_rolled_back() -> None:
    mounts = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}
    snapshot = a_failed_rollout(a_template(), a_template(spec=mounts), storage=some_storage(a_claim(exists=False, phase="")))
    finding = found(snapshot)
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.NONE]
