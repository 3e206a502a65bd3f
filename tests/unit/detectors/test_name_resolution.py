"""A name that cannot be resolved is the cluster's doing if its Service serves, or if the name server itself is said to fail."""

import pytest
from tests.builders import (
    a_container,
    a_crashing_container,
    a_dependency,
    a_failed_rollout,
    a_pod,
    a_service,
    a_snapshot,
    a_template,
)

from opsmend.agents.sre.detectors.name_resolution import SAID, SERVES_UNNAMED, detect
from opsmend.domain.diagnosis import Finding, Remedy
from opsmend.domain.shared_cause import CauseKind
from opsmend.domain.snapshot import Dependency, Snapshot


def saying(line: str, *dependencies: Dependency) -> Snapshot:
    return a_snapshot(pods=(a_pod(containers=[a_crashing_container(line)]),), dependencies=dependencies or (a_dependency(),))


def found(snapshot: Snapshot) -> Finding:
    (finding,) = detect(snapshot)
    return finding


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("dial tcp: lookup orders on 10.96.0.10:53: no such host", id="go"),
        pytest.param("java.net.UnknownHostException: orders: Name or service not known", id="java"),
        pytest.param("Error: getaddrinfo ENOTFOUND orders", id="node"),
        pytest.param("wget: bad address 'orders'", id="busybox"),
        pytest.param('could not translate host name "orders" to address: Name or service not known', id="postgres"),
        pytest.param("curl: (6) Could not resolve host: orders.shop.svc.cluster.local", id="curl-long-name"),
    ],
)
def test_a_service_that_serves_and_has_no_name(line: str) -> None:
    finding = found(saying(line))
    assert (finding.category, finding.confidence) == ("name_resolution", SERVES_UNNAMED)
    assert "Service shop/orders, which serves, is not found by its name" in finding.summary
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]
    assert finding.shared is not None
    assert finding.shared.kind is CauseKind.NAME_RESOLUTION
    assert [line in finding.evidence[0].excerpt, "2 ready endpoints" in finding.evidence[1].excerpt] == [True, True]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("requests: [Errno -3] Temporary failure in name resolution: api.example.com", id="glibc"),
        pytest.param("getaddrinfo EAI_AGAIN payments.example.com", id="node"),
        pytest.param("dial tcp: lookup api.example.com on 10.96.0.10:53: server misbehaving", id="go-servfail"),
        pytest.param(
            "lookup api.example.com on 10.96.0.10:53: read udp 10.244.0.9:41->10.96.0.10:53: i/o timeout", id="go-timeout"
        ),
        pytest.param(";; connection timed out; no servers could be reached", id="dig"),
    ],
)
def test_a_name_server_that_fails_whatever_the_name(line: str) -> None:
    finding = found(a_snapshot(pods=(a_pod(containers=[a_crashing_container(line)]),)))
    assert (finding.category, finding.confidence) == ("name_resolution", SAID)
    assert finding.shared is None, "the words of one target keep nobody else waiting"
    assert line in finding.evidence[0].excerpt


DOWN = a_service("orders", selector={"app": "orders"}, ready_endpoints=0, not_ready_endpoints=2)


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(saying("lookup orders: no such host", a_dependency(service=DOWN)), id="it-has-no-ready-endpoint"),
        pytest.param(saying("lookup orders: no such host", a_dependency(exists=False, service=None)), id="it-is-not-there"),
        pytest.param(saying("lookup api.example.com: no such host"), id="a-name-outside-that-may-be-misspelt"),
        pytest.param(saying("dial tcp 10.96.3.4:8080: connect: connection refused"), id="another-failure"),
        pytest.param(saying("resolved orders to 10.96.3.4"), id="no-failure"),
        pytest.param(saying('10.0.0.9 "GET /?q=EAI_AGAIN HTTP/1.1" 200'), id="words-of-a-client"),
        pytest.param(a_snapshot(pods=(a_pod(containers=[a_container()]),)), id="nothing-said"),
    ],
)
def test_abstains(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []


def test_a_revision_that_changed_how_names_are_resolved_is_to_blame_itself() -> None:
    good, bad = a_template(), a_template()
    bad["spec"]["dnsPolicy"] = "Default"
    crashed = a_crashing_container("lookup orders: no such host")
    rolled_out = a_failed_rollout(good, bad, containers=[crashed], dependencies=(a_dependency(),))
    assert detect(rolled_out) == []
