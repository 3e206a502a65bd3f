"""The manifests in deploy/rbac are made from what the code does in a cluster: nothing is missing, nothing is beside it."""

from typing import Any, Final

import pytest
import yaml
from tests.unit.deploy.compose_file import ROOT, SERVICES, environment

from opsmend.adapters.kubernetes.rbac import EXECUTOR, HOME, manifests
from opsmend.adapters.kubernetes.rights import AGENTS, INVESTIGATE, MEND, changes_of
from opsmend.adapters.kubernetes.rights import Right as UsedRight
from opsmend.domain.actions import ACTIONS
from opsmend.settings import KubernetesSettings

FOLDER: Final = ROOT / "deploy/rbac"
FILES: Final[dict[str, list[dict[str, Any]]]] = {
    path.name: list(yaml.safe_load_all(path.read_text())) for path in FOLDER.glob("*.yaml")
}
OBJECTS: Final = [obj for objects in FILES.values() for obj in objects]
ROLES: Final = {o["metadata"]["name"]: o["rules"] for o in OBJECTS if o["kind"] in ("ClusterRole", "Role")}
BINDINGS: Final = [o for o in OBJECTS if o["kind"] in ("ClusterRoleBinding", "RoleBinding")]

Right = tuple[str, str, str]
"""API group, resource, verb."""


def rights(role: str) -> set[Right]:
    return {(g, r, v) for rule in ROLES[role] for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]}


def as_granted(used: UsedRight) -> Right:
    """A right of the code, as a rule of a role names it."""
    return used.resource.group, "/".join(filter(None, (used.resource.plural, used.subresource))), used.verb


def granted_to(account: str) -> set[Right]:
    bound = [b for b in BINDINGS if [subject["name"] for subject in b["subjects"]] == [account]]
    return {right for binding in bound for right in rights(binding["roleRef"]["name"])}


def changes(*, namespaced: bool) -> set[Right]:
    """What the actions do to objects that are, or are not, in a namespace."""
    used = [right for action in ACTIONS for right in changes_of(action)]
    return {as_granted(right) for right in used if right.resource.namespaced is namespaced}


@pytest.mark.parametrize("name", manifests())
def test_a_file_is_what_the_code_makes_it(name: str) -> None:
    """Otherwise: uv run python -m opsmend.adapters.kubernetes.rbac deploy/rbac"""
    assert (FOLDER / name).read_text() == manifests()[name]


def test_no_other_file_grants_anything() -> None:
    assert FILES.keys() == manifests().keys()


@pytest.mark.parametrize("agent", AGENTS)
def test_every_agent_has_an_account_of_its_own_with_its_own_rights(agent: str) -> None:
    account = f"opsmend-{agent}"
    used = {as_granted(right) for right in AGENTS[agent]}
    asks = {("", "serviceaccounts/token", "create")} if agent == "deployment" else set()
    assert granted_to(account) == used | asks
    assert {"name": account, "namespace": HOME} in [o["metadata"] for o in OBJECTS if o["kind"] == "ServiceAccount"]


def test_planning_and_checking_may_read_what_actions_are_about() -> None:
    objects = {(group, plural, "get") for group, plural, _ in changes(namespaced=True) | changes(namespaced=False)}
    revisions = {("apps", "replicasets", "list"), ("apps", "controllerrevisions", "list")}
    assert {as_granted(right) for right in AGENTS["deployment"]} == objects | revisions


def test_what_verification_looks_at_again_may_be_read_by_who_verifies() -> None:
    changed = {(group, plural, "get") for group, plural, _ in changes(namespaced=True) | changes(namespaced=False)}
    assert changed <= {as_granted(right) for right in INVESTIGATE}


def test_executors_may_do_exactly_what_the_actions_do_and_cannot_look() -> None:
    assert granted_to(EXECUTOR) == {as_granted(right) for right in MEND} == changes(namespaced=True)
    assert granted_to(f"{EXECUTOR}-nodes") == changes(namespaced=False)


def test_no_agent_may_change_anything_itself() -> None:
    verbs = {agent: {verb for _, _, verb in granted_to(f"opsmend-{agent}")} for agent in AGENTS}
    assert {agent: found - {"get", "list"} for agent, found in verbs.items()} == {
        "sre": set(),
        "architect": set(),
        "security": set(),
        "deployment": {"create"},
    }


def test_a_token_may_be_asked_for_of_the_executor_alone() -> None:
    asking = {name: rules for name, rules in ROLES.items() if any("serviceaccounts/token" in r["resources"] for r in rules)}
    assert {name: [rule["resourceNames"] for rule in rules] for name, rules in asking.items()} == {
        f"{EXECUTOR}-token": [[EXECUTOR]],
        f"{EXECUTOR}-nodes-token": [[f"{EXECUTOR}-nodes"]],
    }


def test_before_a_namespace_is_named_nobody_may_change_anything() -> None:
    bound = [o for o in FILES["opsmend.yaml"] if o["kind"] == "ClusterRoleBinding"]
    assert {verb for binding in bound for _, _, verb in rights(binding["roleRef"]["name"])} == {"get", "list"}


def test_what_is_granted_in_a_namespace_stays_in_it() -> None:
    kinds = {o["kind"] for o in FILES["namespace.yaml"]}
    assert kinds == {"ServiceAccount", "Role", "RoleBinding"}
    assert all("namespace" not in o["metadata"] for o in FILES["namespace.yaml"])


def test_nobody_may_read_a_secret_or_do_everything() -> None:
    everything = {right for role in ROLES for right in rights(role)}
    assert not {resource for _, resource, _ in everything} & {"secrets", "*", "pods/exec"}
    assert {verb for _, _, verb in everything} == {"get", "list", "patch", "create"}
    assert {resource for _, resource, verb in everything if verb == "create"} == {"serviceaccounts/token"}


def test_no_account_is_mounted_into_pods() -> None:
    assert {o["automountServiceAccountToken"] for o in OBJECTS if o["kind"] == "ServiceAccount"} == {False}


def test_the_settings_say_what_the_manifests_are_made_for() -> None:
    default = environment("worker-deployment")["OPSMEND_KUBERNETES__EXECUTOR"]
    assert default == f"${{OPSMEND_KUBERNETES__EXECUTOR:-{EXECUTOR}}}"
    assert KubernetesSettings().executor_namespace == HOME
    others = {name for name in SERVICES if "OPSMEND_KUBERNETES__EXECUTOR" in environment(name)}
    assert others == {"worker-deployment"}
