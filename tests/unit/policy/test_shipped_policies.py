"""What opsmend may do as shipped: it asks for everything, never touches protected namespaces, does nothing on its own."""

import re
from pathlib import Path

import cedarpy
import pytest
from tests.builders import a_live_rollout, a_person, a_plan, a_ref, a_step
from tests.unit.policy.plans import a_restart_plan

import opsmend
from opsmend.domain.actions import ACTIONS
from opsmend.domain.verdict import Autonomy, PolicyDecision
from opsmend.policy import policy_files
from opsmend.policy.engine import CedarJudge
from opsmend.policy.policy_files import SCHEMA_FILE, shipped_policies


@pytest.fixture(scope="module")
def judge() -> CedarJudge:
    return CedarJudge()


def judged(judge: CedarJudge, namespace: str, name: str = "web") -> PolicyDecision:
    return judge.judge_plan(a_restart_plan(namespace=namespace, name=name), cluster="demo", severity="critical", hour_utc=3)


def test_everything_asks(judge: CedarJudge) -> None:
    decision = judged(judge, namespace="shop")
    assert decision.autonomy is Autonomy.APPROVE
    assert decision.policies == ("ask-for-everything",)
    assert "not auto (no policy permits it)" in decision.reason


PROTECTED = ["kube-system", "kube-public", "kube-node-lease", "cert-manager", "istio-system", "gatekeeper-system", "opsmend"]


@pytest.mark.parametrize("namespace", PROTECTED)
def test_protected_namespaces_are_never_touched(judge: CedarJudge, namespace: str) -> None:
    decision = judged(judge, namespace=namespace)
    assert decision.autonomy is Autonomy.OBSERVE
    assert decision.policies == ("never-touch-protected-namespaces",)
    assert namespace in decision.reason


@pytest.mark.parametrize(
    ("namespace", "autonomy"),
    [("shop", Autonomy.APPROVE), ("kube-system", Autonomy.OBSERVE), ("opsmend", Autonomy.OBSERVE)],
)
def test_a_configuration_of_a_protected_namespace_is_never_changed(
    judge: CedarJudge, namespace: str, autonomy: Autonomy
) -> None:
    assert judge.may_change_config(namespace, cluster="demo").autonomy is autonomy


def test_the_list_of_protected_namespaces_stands_in_one_place() -> None:
    """Two lists were kept, and they differed."""
    root = Path(opsmend.__file__).parent
    named = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if re.search(r"[\"']kube-(system|public|node-lease)[\"']", file.read_text(encoding="utf-8"))
    }
    assert named == set()


def test_a_plan_goes_only_as_far_as_its_most_restricted_step(judge: CedarJudge) -> None:
    allowed, protected = a_restart_plan(namespace="shop").steps[0], a_restart_plan(namespace="kube-system").steps[0]
    plan = a_plan(allowed, protected.model_copy(update={"id": "2"}))
    decision = judge.judge_plan(plan, cluster="demo", severity="warning", hour_utc=12)
    assert decision.autonomy is Autonomy.OBSERVE
    assert decision.policies == ("never-touch-protected-namespaces",)


def test_an_object_that_a_step_only_touches_is_protected_too(judge: CedarJudge) -> None:
    step = a_restart_plan(namespace="shop").steps[0]
    blast = step.blast_radius.model_copy(update={"objects": (step.action.target, a_ref(namespace="kube-system"))})
    plan = a_plan(step.model_copy(update={"blast_radius": blast}))
    assert judge.judge_plan(plan, cluster="demo", severity="info", hour_utc=0).autonomy is Autonomy.OBSERVE


@pytest.mark.parametrize("name", ['x"; permit(principal,action,resource);//', "line\nbreak", "web'", "\\", "ünï"])
def test_hostile_names_change_no_decision(judge: CedarJudge, name: str) -> None:
    assert judged(judge, namespace="shop", name=name).autonomy is Autonomy.APPROVE
    assert judged(judge, namespace="kube-system", name=name).autonomy is Autonomy.OBSERVE


@pytest.mark.parametrize("action", [a.model_fields["type"].default for a in ACTIONS])
def test_policies_can_speak_of_every_action(action: str) -> None:
    schema = cedarpy.Schema.from_str((shipped_policies() / SCHEMA_FILE).read_text())
    policy = f'@id("x") permit (principal, action == Action::"{action}", resource) when {{ context.pods < 3 }};'
    assert cedarpy.validate_policies(policy, schema).errors == []


PEOPLE = {
    "operator over HTTP": ({"via": "http", "id": "operator"}, "operators-may-decide"),
    "terminal": ({"via": "terminal", "id": "mia"}, "operators-may-decide"),
    "command line": ({"via": "cli", "id": "mia"}, "operators-may-decide"),
    "Slack approver": ({"via": "slack", "id": "U1", "groups": ("opsmend-approvers",)}, "slack-approvers-may-decide"),
}
STRANGERS = {
    "Slack user outside the group": ({"via": "slack", "id": "U1", "groups": ("everyone",)}, ()),
    "Slack user without groups": ({"via": "slack", "id": "U1", "groups": ()}, ()),
    "sender of a signal": ({"via": "temporal", "id": "mia", "groups": ("opsmend-approvers",)}, ()),
    "unknown channel": ({"via": "email", "id": "mia", "groups": ("opsmend-approvers",)}, ()),
    "opsmend itself": ({"via": "policy", "id": "x", "groups": ("opsmend-approvers",)}, ("opsmend-never-decides",)),
}


@pytest.mark.parametrize(("person", "policy"), PEOPLE.values(), ids=PEOPLE.keys())
def test_people_on_call_may_decide(judge: CedarJudge, person: dict[str, str], policy: str) -> None:
    decision = judge.may_decide(a_person(**person), a_plan(), cluster="demo")
    assert decision.autonomy is Autonomy.APPROVE
    assert decision.policies == (policy,)


@pytest.mark.parametrize(("person", "policies"), STRANGERS.values(), ids=STRANGERS.keys())
def test_nobody_else_may_decide(judge: CedarJudge, person: dict[str, str], policies: tuple[str, ...]) -> None:
    decision = judge.may_decide(a_person(**person), a_plan(a_step(live=a_live_rollout())), cluster="demo")
    assert decision.autonomy is Autonomy.OBSERVE
    assert decision.policies == policies
    assert decision.reason


def test_the_examples_are_not_in_force(judge: CedarJudge) -> None:
    assert set(judge.policy_ids) == {
        "ask-for-everything",
        "never-touch-protected-namespaces",
        "operators-may-decide",
        "slack-approvers-may-decide",
        "opsmend-never-decides",
    }


def test_without_a_checkout_the_policies_are_those_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_files, "__file__", str(tmp_path / "site-packages/opsmend/policy/policy_files.py"))
    assert shipped_policies() == tmp_path / "site-packages/opsmend/policy/policies"
