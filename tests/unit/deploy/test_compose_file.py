"""docker-compose.yml is what Compose takes, and every container of it is as tight as its program allows."""

import json
from importlib.resources import files
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from tests.unit.deploy.compose_file import COMPOSE, OURS, SERVICES

WRITES_BESIDE_ITS_VOLUMES: Final = {"temporal-ui", "milvus"}
"""Other people's images that do not start, or are not known to, with a read-only root; the file says why at each."""

ONCE: Final = {"temporal-schema", "temporal-namespace", "milvus-user"}
"""Set something up and end."""

WAITS: Final = [(name, needed) for name, service in SERVICES.items() for needed in service.get("depends_on", {})]
"""Who waits for whom at the start."""

by_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))


def the_schema() -> Draft202012Validator:
    """The schema of the Compose Specification (Apache-2.0), as check-jsonschema carries it."""
    text = files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text()
    return Draft202012Validator(json.loads(text))


def test_the_file_fits_the_schema_of_the_compose_specification() -> None:
    assert [f"{error.json_path}: {error.message}" for error in the_schema().iter_errors(COMPOSE)] == []


@pytest.mark.parametrize(
    "mistake",
    [{"healtcheck": {}}, {"depends_on": {"postgres": {"condition": "service_fine"}}}, {"read_only": ["yes"]}],
    ids=["misspelt key", "condition that Compose does not know", "wrong type"],
)
def test_the_schema_notices_a_mistake(mistake: dict[str, Any]) -> None:
    broken = COMPOSE | {"services": {"api": SERVICES["api"] | mistake}}
    assert not the_schema().is_valid(broken)


@by_service
def test_images_are_pinned_to_a_version(service: dict[str, Any]) -> None:
    _, _, tag = service["image"].rpartition(":")
    assert any(character.isdigit() for character in tag)
    assert tag not in ("latest", "main", "nightly")


@by_service
def test_a_container_holds_no_capability_and_gains_none(service: dict[str, Any]) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc", "network_mode", "userns_mode"} & service.keys()


def test_root_file_systems_are_read_only_but_for_named_exceptions() -> None:
    assert {name for name, service in SERVICES.items() if not service["read_only"]} == WRITES_BESIDE_ITS_VOLUMES


def test_ports_are_published_on_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_only_the_api_and_the_temporal_ui_are_published() -> None:
    assert {name for name, service in SERVICES.items() if service.get("ports")} == {"api", "temporal-ui"}


def test_no_container_gets_at_the_engine_or_at_a_whole_home() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert mounts
    assert all(mount.split(":")[0] in COMPOSE["volumes"] or mount.endswith(":ro") for mount in mounts)
    assert not any("docker.sock" in mount for mount in mounts)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_exists(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert set(service.get("depends_on", {})) <= SERVICES.keys()
    assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()


@pytest.mark.parametrize(("name", "needed"), WAITS)
def test_a_service_waits_until_what_it_needs_is_well_or_done(name: str, needed: str) -> None:
    condition = "service_completed_successfully" if needed in ONCE else "service_healthy"
    assert SERVICES[name]["depends_on"][needed] == {"condition": condition}
    assert needed in ONCE or "healthcheck" in SERVICES[needed]


@pytest.mark.parametrize(("name", "needed"), [(name, needed) for name, needed in WAITS if needed not in ONCE])
def test_a_service_shares_a_network_with_what_it_waits_for(name: str, needed: str) -> None:
    assert set(SERVICES[name]["networks"]) & set(SERVICES[needed]["networks"])


@by_service
def test_a_service_that_dies_is_started_again(service: dict[str, Any]) -> None:
    assert service["restart"] in ("unless-stopped", "on-failure")


def test_databases_cannot_be_reached_from_outside_and_reach_nothing() -> None:
    inside = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for name in ("postgres", "temporal", "etcd", "minio", "milvus", "worker-workflows"):
        assert set(SERVICES[name]["networks"]) <= inside


def test_every_worker_tells_prometheus_on_a_network_that_leads_to_nothing_else() -> None:
    workers = {name: service for name, service in SERVICES.items() if name.startswith("worker-")}
    assert workers
    for service in workers.values():
        assert service["environment"]["OPSMEND_METRICS__PORT"] == "9464"
        assert "metrics" in service["networks"]
    on_it = {name for name, service in SERVICES.items() if "metrics" in service["networks"]}
    assert on_it == {"api", *workers}
    assert COMPOSE["networks"]["metrics"]["internal"] is True


def test_a_worker_is_given_longer_to_stop_than_it_takes_to_drain() -> None:
    assert {service["stop_grace_period"] for service in OURS.values()} == {"30s"}  # it drains for 10 s, see worker.py


def test_our_services_are_one_image_run_by_nobody_in_particular() -> None:
    assert len({service["image"] for service in OURS.values()}) == 1
    assert not any("user" in service for service in OURS.values())  # the image's own user, see test_dockerfile
