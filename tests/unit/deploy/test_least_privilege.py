"""A container holds the credentials of its own role and no other's."""

from typing import Final

import pytest
from tests.unit.deploy.compose_file import COMPOSE, OURS, SERVICES, environment, variables, workers
from tests.unit.deploy.settings_variables import SETTINGS

from opsmend.agents import queues
from opsmend.agents.queues import ROLES
from opsmend.settings import MilvusSettings

CREDENTIALS: Final[dict[str, set[str]]] = {
    "api": {
        "OPSMEND_API_TOKEN",
        "OPSMEND_OPERATOR_TOKEN",
        "OPSMEND_INTAKE__GRAFANA_SECRET",
        "OPSMEND_SLACK__BOT_TOKEN",
        "OPSMEND_SLACK__SIGNING_SECRET",
        "OPSMEND_SLACK__APP_TOKEN",
    },
    "worker-workflows": set(),
    "worker-architect": {"KUBECONFIG"},
    "worker-security": {"KUBECONFIG"},
    "worker-deployment": {"KUBECONFIG"},
    "worker-sre": {"KUBECONFIG", "OPSMEND_MILVUS__TOKEN"},
    "worker-connectors": {
        "OPSMEND_MILVUS__TOKEN",
        "OPSMEND_SLACK__BOT_TOKEN",
        "OPSMEND_PAGER__PAGERDUTY__ROUTING_KEY",
        "OPSMEND_PAGER__SMTP__PASSWORD",
        "OPSMEND_PAGER__WEBHOOK__URL",
        "OPSMEND_PAGER__WEBHOOK__SECRET",
    },
}
"""All that may be secret in the environment of each of our services."""

NOT_OURS: Final = {"KUBECONFIG"}
"""Variables that libraries read by themselves."""

QUEUES: Final = {
    "workflows": queues.WORKFLOWS,
    "architect": queues.ARCHITECT,
    "security": queues.SECURITY,
    "deployment": queues.DEPLOYMENT,
    "sre": queues.SRE,
    "connectors": queues.CONNECTORS,
}


def test_every_role_has_exactly_one_service() -> None:
    services = [service for service in OURS if "--role" in SERVICES[service]["command"]]
    assert len(services) == len(ROLES)
    assert set(workers()) == set(ROLES)


@pytest.mark.parametrize("service", OURS)
def test_variables_are_real_settings(service: str) -> None:
    assert environment(service).keys() - NOT_OURS <= SETTINGS.keys()


@pytest.mark.parametrize("service", OURS)
def test_a_service_has_its_own_credentials_and_no_other(service: str) -> None:
    secret = {name for name in environment(service) if name == "KUBECONFIG" or SETTINGS.get(name)}
    assert secret == CREDENTIALS[service]


def test_every_secret_setting_is_handed_to_somebody() -> None:
    handed_out = set().union(*CREDENTIALS.values())
    assert {name for name, secret in SETTINGS.items() if secret} <= handed_out


@pytest.mark.parametrize("service", OURS)
def test_a_kubeconfig_is_the_agents_own(service: str) -> None:
    secrets = SERVICES[service].get("secrets", [])
    kubeconfig = environment(service).get("KUBECONFIG")
    assert secrets == ([f"{service.removeprefix('worker-')}-kubeconfig"] if kubeconfig else [])
    assert kubeconfig in (None, *(f"/run/secrets/{secret}" for secret in secrets))


def test_no_two_services_share_a_secret_file() -> None:
    held = [secret for service in SERVICES.values() for secret in service.get("secrets", [])]
    assert sorted(held) == sorted(COMPOSE["secrets"])
    assert len({secret["file"] for secret in COMPOSE["secrets"].values()}) == len(held)


def test_only_those_reach_milvus_who_use_it() -> None:
    assert {name for name in OURS if "milvus" in SERVICES[name]["networks"]} == {"worker-sre", "worker-connectors"}


def test_opsmend_signs_in_to_milvus_as_a_user_of_its_own() -> None:
    holders = {name for name in SERVICES if "MILVUS_ROOT_PASSWORD" in variables(SERVICES[name])}
    assert holders == {"milvus", "milvus-user"}
    made = environment("milvus-user")
    for name in ("worker-sre", "worker-connectors"):
        assert environment(name)["OPSMEND_MILVUS__TOKEN"] == f"{made['MILVUS_USER']}:{made['MILVUS_USER_PASSWORD']}"
        assert environment(name)["OPSMEND_MILVUS__URI"] == made["MILVUS_URL"]
        assert SERVICES[name]["depends_on"]["milvus-user"] == {"condition": "service_completed_successfully"}
    assert made["MILVUS_COLLECTION"] == MilvusSettings().collection


def test_milvus_asks_who_signs_in_and_root_has_no_password_that_others_know() -> None:
    milvus = environment("milvus")
    assert milvus["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"
    assert str(milvus["COMMON_SECURITY_DEFAULTROOTPASSWORD"]).startswith("${MILVUS_ROOT_PASSWORD:?")


def test_only_workers_with_a_kubeconfig_reach_the_cluster() -> None:
    reach = {name for name in OURS if "cluster" in SERVICES[name]["networks"]}
    assert reach == {name for name, held in CREDENTIALS.items() if "KUBECONFIG" in held}


def test_workers_share_the_artifact_store_and_nobody_else_has_it() -> None:
    sharing = {name for name in OURS if "artifacts:/var/lib/opsmend/artifacts" in SERVICES[name].get("volumes", [])}
    assert sharing == {name for name in OURS if name.startswith("worker-")}


def test_the_record_of_good_configurations_is_sres_alone() -> None:
    mounts = {name: [v for v in SERVICES[name].get("volumes", []) if v.startswith("last-good:")] for name in OURS}
    assert {name: held for name, held in mounts.items() if held} == {
        "worker-sre": ["last-good:/var/lib/opsmend/last-good"],
    }
    assert {name for name in OURS if "OPSMEND_LAST_GOOD__NAMESPACES" in environment(name)} == {"worker-sre"}


def test_policies_are_read_only_where_they_are_asked() -> None:
    with_policies = {name for name in OURS if "OPSMEND_POLICY__DIRECTORY" in environment(name)}
    assert with_policies == {"worker-security", "worker-deployment"}
    for name in with_policies:
        assert f"./deploy/policies:{environment(name)['OPSMEND_POLICY__DIRECTORY']}:ro" in SERVICES[name]["volumes"]


@pytest.mark.parametrize("role", ROLES)
def test_a_workers_health_is_that_it_polls_its_own_queue(role: str) -> None:
    kind, question = SERVICES[workers()[role]]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert f"--task-queue {QUEUES[role]} " in question
    assert ("--task-queue-type activity" in question) == (role != "workflows")
