"""A Service that misses its pods is corrected by what the pods carry; other people's Services are left alone."""

from typing import Any

import pytest
from tests.builders import (
    a_pod,
    a_service,
    a_snapshot,
    a_target,
    a_template,
    a_workload,
    ago,
    some_revisions,
)

from opsmend.agents.sre.detectors.service_mismatch import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import ServicePort, Snapshot


def missing(selector: dict[str, str], name: str = "web", **changes: Any) -> Snapshot:
    return a_snapshot(services=(a_service(name, selector=selector, ready_endpoints=0, **changes),))


def sending(*ports: ServicePort, **changes: Any) -> Snapshot:
    return a_snapshot(services=(a_service(ports=ports, changed_at=ago(minutes=30)),), **changes)


@pytest.mark.parametrize(
    ("selector", "corrected"),
    [
        pytest.param({"app": "wbe"}, {"app": "web"}, id="mistyped-value"),
        pytest.param({"ap": "web"}, {"app": "web"}, id="mistyped-key"),
        pytest.param({"app": "web", "tier": "front"}, {"app": "web"}, id="one-key-too-many"),
    ],
)
def test_selector_is_corrected_to_the_pods_labels(selector: dict[str, str], corrected: dict[str, str]) -> None:
    (finding,) = detect(missing(selector))
    (hint,) = finding.hints
    assert (hint.remedy, hint.selector) == (Remedy.CORRECT_SERVICE, corrected)
    assert finding.resource.name == "web"


@pytest.mark.parametrize(
    ("selector", "corrected"),
    [
        pytest.param({"app": "wbe"}, {"app": "web"}, id="its-own-keys-are-enough"),
        pytest.param({"app": "web", "ver": "9"}, {"app": "web", "tier": "front"}, id="a-key-gives-way"),
    ],
)
def test_keys_are_added_only_for_one_that_the_pods_lack(selector: dict[str, str], corrected: dict[str, str]) -> None:
    labels = {"app": "web", "tier": "front"}
    workload = a_workload(template=a_template(labels=labels), selector=labels)
    service = a_service(selector=selector, ready_endpoints=0)
    (finding,) = detect(a_snapshot(workload=workload, pods=(a_pod(labels=labels),), services=(service,)))
    assert finding.hints[-1].selector == corrected


def test_service_of_another_name_counts_when_it_was_edited_lately() -> None:
    (finding,) = detect(missing({"app": "web", "tier": "fornt"}, "storefront", changed_at=ago(hours=1)))
    assert finding.resource.name == "storefront"


def test_label_that_the_revision_changed_is_rolled_back_first() -> None:
    before, after = a_template(labels={"app": "web", "v": "1"}), a_template(labels={"app": "web", "v": "2"})
    snapshot = a_snapshot(
        workload=a_workload(template=after),
        revisions=some_revisions(before, after),
        services=(a_service(selector={"app": "web", "v": "1"}, ready_endpoints=0),),
    )
    (finding,) = detect(snapshot)
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.CORRECT_SERVICE]
    assert finding.hints[1].selector == {"app": "web", "v": "2"}


@pytest.mark.parametrize(
    ("port", "name", "number"),
    [
        pytest.param(ServicePort(name="http", port=80, target_port="web"), "http", 8080, id="named-port-of-nobody"),
        pytest.param(ServicePort(name="http", port=80, target_port=8008), "http", 8080, id="wrong-number"),
        pytest.param(ServicePort(port=80, target_port=8008), "80", 8080, id="port-without-a-name"),
    ],
)
def test_target_port_is_corrected_to_the_declared_one(port: ServicePort, name: str, number: int) -> None:
    (finding,) = detect(sending(port))
    (hint,) = finding.hints
    assert (hint.remedy, hint.port_name, hint.port) == (Remedy.CORRECT_SERVICE, name, number)


def test_port_is_not_guessed_between_two() -> None:
    template = a_template(ports=[{"name": "a", "containerPort": 1111}, {"name": "b", "containerPort": 2222}])
    workload = a_workload(template=template)
    (finding,) = detect(sending(ServicePort(port=80, target_port="c"), workload=workload, pods=(a_pod(template=template),)))
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_undeclared_number_counts_for_an_alert_about_that_service() -> None:
    old = a_service(ports=(ServicePort(port=80, target_port=9999),))
    (finding,) = detect(a_snapshot(target=a_target("Service"), services=(old,)))
    assert finding.confidence <= 0.6


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(), id="it-fits"),
        pytest.param(
            a_snapshot(
                services=(a_service(), a_service("canary", selector={"app": "web", "track": "canary"}, ready_endpoints=0))
            ),
            id="a-canary-without-canaries",
        ),
        pytest.param(missing({"app": "cart"}, "cart"), id="another-workloads-service"),
        pytest.param(a_snapshot(services=(a_service(selector={}, ready_endpoints=0),)), id="endpoints-kept-by-hand"),
        pytest.param(a_snapshot(services=(a_service(selector={"app": "wbe"}, ready_endpoints=1),)), id="it-serves-other-pods"),
        pytest.param(
            a_snapshot(services=(a_service(ports=(ServicePort(port=80, target_port=9999),)),)), id="undeclared-for-years"
        ),
        pytest.param(
            sending(ServicePort(port=80, target_port=9999), workload=a_workload(template=a_template(ports=[]))),
            id="nothing-declared",
        ),
    ],
)
def test_abstains_when_traffic_arrives_or_is_meant_for_others(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []
