"""Every remedy that a diagnosis hints at becomes typed actions, best first; what would not help is kept with its reason."""

from typing import Any

import pytest
from tests.builders import (
    a_config,
    a_crashing_container,
    a_diagnosis,
    a_failed_rollout,
    a_hint,
    a_recollection,
    a_ref,
    a_snapshot,
    a_template,
    a_workload,
    an_event,
    some_revisions,
)

from opsmend.agents.architect.remedies import Candidate, propose
from opsmend.agents.sre.detectors import FAILURES
from opsmend.agents.sre.diagnose import diagnose
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import CONFIG_VALUE_KEPT, Snapshot

TWO = a_snapshot(
    workload=a_workload(template=a_template("shop/api:8")),
    revisions=some_revisions(a_template("shop/api:7"), a_template("shop/api:8")),
)


def proposals(*hints: Any, category: str = "crash_after_rollout", snapshot: Snapshot = TWO, **changes: Any) -> list[Candidate]:
    return propose(a_diagnosis(category=category, hints=hints, **changes), snapshot)


def feasible(candidates: list[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.rejected_because is None]


@pytest.mark.parametrize(
    ("hint", "action"),
    [
        (
            a_hint("roll_back", revision=7, template_digest="d" * 64),
            RollbackWorkload(target=a_ref(), revision=7, template_digest="d" * 64),
        ),
        (a_hint("set_image", container="web", image="a/b:1"), SetImage(target=a_ref(), container="web", image="a/b:1")),
        (
            a_hint("raise_memory", container="web", memory_limit="256Mi", memory_request="256Mi"),
            SetResources(target=a_ref(), container="web", memory_limit="256Mi", memory_request="256Mi"),
        ),
        (
            a_hint("lower_requests", container="web", cpu_request="100m"),
            SetResources(target=a_ref(), container="web", cpu_request="100m"),
        ),
        (a_hint("scale_up", replicas=6), ScaleWorkload(target=a_ref(), replicas=6)),
        (
            a_hint("scale_back", object=a_ref(name="batch"), replicas=1),
            ScaleWorkload(target=a_ref(name="batch"), replicas=1),
        ),
        (
            a_hint("raise_autoscaler", object=a_ref("HorizontalPodAutoscaler"), max_replicas=8),
            PatchAutoscaler(target=a_ref("HorizontalPodAutoscaler"), max_replicas=8),
        ),
        (a_hint("restart"), RestartWorkload(target=a_ref(), restarted_at="2026-03-14T15:00:00Z")),
        (
            a_hint("correct_placement", node_selector={"disk": "ssd"}),
            PatchWorkload(target=a_ref(), node_selector={"disk": "ssd"}),
        ),
        (
            a_hint("correct_service", object=a_ref("Service"), selector={"app": "web"}),
            PatchService(target=a_ref("Service"), selector={"app": "web"}),
        ),
        (
            a_hint("correct_service", object=a_ref("Service"), port_name="http", port=8080),
            PatchService(target=a_ref("Service"), port="http", target_port=8080),
        ),
    ],
    ids=lambda value: getattr(value, "remedy", ""),
)
def test_hint_becomes_its_action(hint: Any, action: Any) -> None:
    (candidate,) = feasible(proposals(hint))
    assert candidate.actions == (action,)


def test_every_remedy_but_none_can_be_put_into_actions() -> None:
    full = {
        "container": "web",
        "image": "a:1",
        "config_key": "k",
        "replicas": 2,
        "max_replicas": 8,
        "memory_limit": "1Gi",
        "cpu_request": "1",
        "probe": "liveness",
        "port": 80,
        "port_name": "http",
        "node_selector": {"a": "b"},
        "revision": 1,
        "template_digest": "d",
    }
    objects = {
        "restore_config": "ConfigMap",
        "correct_service": "Service",
        "cordon": "Node",
        "uncordon": "Node",
        "raise_autoscaler": "HorizontalPodAutoscaler",
    }
    snapshot = TWO.model_copy(update={"config": (a_config("web", {}, last_applied={"k": "v"}),)})
    for remedy in set(Remedy) - {Remedy.NONE}:
        hint = a_hint(remedy, object=a_ref(objects.get(remedy, "Deployment")), **full)
        (candidate,) = feasible(proposals(hint, snapshot=snapshot))
        assert candidate.actions
        assert all(action.target.kind in action.kinds for action in candidate.actions)


def test_restored_configuration_is_followed_by_a_restart_of_its_readers() -> None:
    snapshot = TWO.model_copy(update={"config": (a_config("conf", {"k": "bad"}, last_applied={"k": "good"}),)})
    hint = a_hint("restore_config", object=a_ref("ConfigMap", "conf"), config_key="k")
    (candidate,) = feasible(proposals(hint, category="broken_configuration", snapshot=snapshot))
    restore, restart = candidate.actions
    assert isinstance(restore, PatchConfig)
    assert restore.value == "good"
    assert isinstance(restart, RestartWorkload)
    assert restart.target == a_ref()


@pytest.mark.parametrize("declared", ["password: [redacted:password]", "k" * CONFIG_VALUE_KEPT], ids=["masked", "cut"])
def test_masked_or_cut_value_is_never_written_back(declared: str) -> None:
    snapshot = TWO.model_copy(update={"config": (a_config("conf", {"k": "bad"}, last_applied={"k": declared}),)})
    hint = a_hint("restore_config", object=a_ref("ConfigMap", "conf"), config_key="k")
    candidates = proposals(hint, category="broken_configuration", snapshot=snapshot)
    assert feasible(candidates) == []
    assert any("masked or cut" in (candidate.rejected_because or "") for candidate in candidates)


def test_alternatives_that_would_not_help_say_why() -> None:
    useless: dict[str, Any] = {
        "restart_is_useless": "new pods would crash again",
        "scaling_is_useless": "more replicas of a broken revision",
    }
    candidates = proposals(a_hint("roll_back", revision=1, template_digest="d"), **useless)
    why = {candidate.actions[0].type: candidate.rejected_because for candidate in candidates if candidate.rejected_because}
    assert why == {
        "restart_workload": "new pods would crash again",
        "scale_workload": "more replicas of a broken revision",
    }
    assert candidates[0].rejected_because is None


def test_rollback_is_refused_where_the_configuration_was_edited_in_place() -> None:
    snapshot = TWO.model_copy(update={"config": (a_config("conf", {"k": "bad"}, last_applied={"k": "good"}),)})
    hint = a_hint("restore_config", object=a_ref("ConfigMap", "conf"), config_key="k")
    candidates = proposals(hint, category="broken_configuration", snapshot=snapshot)
    (rollback,) = [c for c in candidates if c.actions and c.actions[0].type == "rollback_workload"]
    assert "same broken object" in (rollback.rejected_because or "")


def test_what_opsmend_may_not_do_is_left_to_a_person_with_the_reason() -> None:
    candidates = proposals(a_hint("none", reason="the Secret db has to be made"), category="missing_reference")
    assert feasible(candidates) == []
    assert candidates[0].rejected_because == "opsmend may not do it: the Secret db has to be made"


@pytest.mark.parametrize("category", ["healthy", "unknown", "maintenance"])
def test_nothing_is_proposed_without_a_known_fault(category: str) -> None:
    assert proposals(a_hint("restart"), category=category) == []


def test_unsure_diagnosis_changes_nothing() -> None:
    candidates = proposals(a_hint("roll_back", revision=1, template_digest="d"), confidence=0.4)
    assert feasible(candidates) == []
    assert "0.40 sure" in (candidates[0].rejected_because or "")


@pytest.mark.parametrize(
    "hint",
    [
        pytest.param(a_hint("set_image", container="web", image="a; rm -rf /"), id="an-image-with-a-command"),
        pytest.param(a_hint("set_image", container="web"), id="no-value"),
        pytest.param(a_hint("raise_memory", container="web", memory_limit="lots"), id="no-quantity"),
        pytest.param(a_hint("scale_up", replicas=-1), id="negative-replicas"),
        pytest.param(a_hint("correct_probe", container="web", probe="startling", port=1), id="no-such-probe"),
        pytest.param(a_hint("scale_up", object=a_ref("DaemonSet"), replicas=2), id="daemon-sets-do-not-scale"),
        pytest.param(a_hint("raise_autoscaler", max_replicas=8), id="a-workload-is-no-autoscaler"),
        pytest.param(
            a_hint("raise_autoscaler", object=a_ref("HorizontalPodAutoscaler"), max_replicas=0), id="an-autoscaler-that-stops"
        ),
        pytest.param(a_hint("restore_config", object=a_ref("ConfigMap", "gone"), config_key="k"), id="nothing-was-applied"),
    ],
)
def test_what_no_typed_action_takes_is_rejected_with_the_reason(hint: Any) -> None:
    candidates = proposals(hint)
    assert feasible(candidates) == []
    assert candidates[0].rejected_because


def test_remedy_that_worked_before_is_cited() -> None:
    recalled = (
        a_recollection(),
        a_recollection(outcome="rolled_back", run_id="r9"),
        a_recollection(category="bad_image", run_id="r8"),
    )
    (candidate,) = feasible(proposals(a_hint("roll_back", revision=1, template_digest="d"), recalled=recalled))
    assert candidate.cites == ("incident:demo:shop:deployment:cart/run-0",)
    assert "was remediated: rolled Deployment shop/cart back" in candidate.reason


def test_reason_names_the_evidence_and_the_numbers() -> None:
    event = an_event("ScalingReplicaSet", "Scaled down replica set web-6d4cf to 0 from 6", about="Deployment web")
    snapshot = a_snapshot(workload=a_workload(desired_replicas=0), pods=(), events=(event,))
    diagnosis = diagnose(snapshot, [finding for failure in FAILURES for finding in failure.detect(snapshot)])
    (candidate,) = feasible(propose(diagnosis, snapshot))
    assert candidate.actions == (ScaleWorkload(target=a_ref(), replicas=6),)
    assert "6 ran before" in candidate.reason
    assert "e1" in candidate.reason


def test_from_snapshot_to_rollback_in_one_go() -> None:
    snapshot = a_failed_rollout(a_template("shop/api:7"), a_template("shop/api:8"), containers=[a_crashing_container("boom")])
    diagnosis = diagnose(snapshot, [finding for failure in FAILURES for finding in failure.detect(snapshot)])
    best = propose(diagnosis, snapshot)[0]
    assert best.actions == (
        RollbackWorkload(target=a_ref(), revision=1, template_digest=snapshot.revisions[1].template_digest),
    )
