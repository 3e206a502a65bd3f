"""A Service that does not serve is to blame only if it is called, if the target complains of it, and if it really is down."""

from typing import Any

import pytest
from tests.builders import (
    a_container,
    a_crashing_container,
    a_dependency,
    a_pod,
    a_ref,
    a_service,
    a_snapshot,
    a_target,
    a_termination,
    a_waiting_container,
    a_workload,
    ago,
    an_event,
)

from opsmend.agents.sre.detectors.dependency_down import detect
from opsmend.domain.diagnosis import Finding, Remedy
from opsmend.domain.snapshot import Container, Dependency, Snapshot

ORDERS = a_ref(name="orders")
DOWN = a_service("orders", selector={"app": "orders"}, ready_endpoints=0, not_ready_endpoints=2, cluster_ip="10.96.3.4")


def around(*, ready: int = 0, **changes: Any) -> Snapshot:
    """The neighbourhood of Service orders; by default both its pods are stuck."""
    pod = a_pod("orders-1", containers=[a_waiting_container("ImagePullBackOff")], labels={"app": "orders"})
    service = DOWN.model_copy(update={"ready_endpoints": ready})
    workload = a_workload(ref=ORDERS, ready_replicas=0, available_replicas=0, selector={"app": "orders"})
    defaults = {"target": a_target("Service", "orders"), "workload": workload, "pods": (pod,), "services": (service,)}
    return a_snapshot(**(defaults | changes))


def calling(container: Container | None = None, dependency: Dependency | None = None, **changes: Any) -> Snapshot:
    """Web, which calls orders; orders is down."""
    pods = (a_pod(containers=[container or a_container()]),)
    called = dependency or a_dependency(service=DOWN, snapshot=around())
    return a_snapshot(**({"pods": pods, "dependencies": (called,)} | changes))


def crashed(*lines: str) -> Container:
    return a_crashing_container("\n".join(lines))


def running(*lines: str) -> Container:
    return a_container(ready=False, log="\n".join(lines))


def found(snapshot: Snapshot) -> Finding:
    (finding,) = detect(snapshot)
    return finding


WORDINGS = [
    pytest.param(running("dial tcp: lookup orders on 10.96.0.10:53: no such host"), id="go-unresolved"),
    pytest.param(
        running('Get "http://orders:8080/api": dial tcp 10.96.3.4:8080: connect: connection refused'), id="go-refused"
    ),
    pytest.param(running('Get "http://orders:8080/": context deadline exceeded'), id="go-timeout"),
    pytest.param(
        crashed("java.net.UnknownHostException: orders: Name or service not known", "\tat java.base/java.net.Inet6Address"),
        id="java-unresolved",
    ),
    pytest.param(
        crashed(
            'org.springframework.web.client.ResourceAccessException: I/O error on GET request for "http://orders:8080/api"',
            "Caused by: java.net.ConnectException: Connection refused",
        ),
        id="java-refused-in-the-cause",
    ),
    pytest.param(crashed("Error: getaddrinfo EAI_AGAIN orders", "    at GetAddrInfoReqWrap.onlookup"), id="node-dns"),
    pytest.param(
        crashed("Error: connect ECONNREFUSED 10.96.3.4:8080", "    at TCPConnectWrap.afterConnect", "  errno: -111,"),
        id="node-refused-by-address",
    ),
    pytest.param(
        crashed(
            "requests.exceptions.ConnectionError: HTTPConnectionPool(host='orders', port=8080): Max retries exceeded with url "
            "(Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))"
        ),
        id="python-requests",
    ),
    pytest.param(
        crashed(
            'psycopg2.OperationalError: connection to server at "orders" (10.96.3.4), port 5432 failed: Connection refused',
            "\tIs the server running on that host and accepting TCP/IP connections?",
        ),
        id="python-postgres",
    ),
    pytest.param(
        crashed('[emerg] 1#1: host not found in upstream "orders" in /etc/nginx/conf.d/default.conf:7'), id="nginx-start"
    ),
    pytest.param(
        running(
            "2026/03/14 14:59:00 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, "
            'client: 10.244.0.1, server: _, request: "GET / HTTP/1.1", upstream: "http://10.96.3.4:80/", host: "shop.example"'
        ),
        id="nginx-upstream",
    ),
    pytest.param(running("upstream orders.shop.svc.cluster.local timed out (110: Operation timed out)"), id="long-name"),
    pytest.param(running("GET http://orders:8080/api/1 -> 503 Service Unavailable in 3ms"), id="error-status"),
    pytest.param(running("client: orders.shop returned status code 500"), id="status-in-words"),
    pytest.param(running("wget: bad address 'orders'"), id="busybox"),
    pytest.param(running("curl: (7) Failed to connect to orders port 8080 after 2 ms: Couldn't connect to server"), id="curl"),
    pytest.param(running("orders:5432 - no response"), id="pg-isready"),
    pytest.param(running("SQLSTATE[HY000] [2002] Connection refused (trying to connect via tcp://orders:3306)"), id="php"),
    pytest.param(
        running('Failed to open TCP connection to orders:8080 (Connection refused - connect(2) for "orders")'), id="ruby"
    ),
    pytest.param(running("GET http://orders:8080/api/1 504 3001ms"), id="a-status-after-its-url"),
    pytest.param(running("Connection to node -1 (orders/10.96.3.4:9092) could not be established."), id="kafka"),
    pytest.param(running("waiting for orders ...", "waiting for orders ..."), id="a-loop-that-waits"),
    pytest.param(
        a_container(ready=False, last_terminated=a_termination(message="cannot reach orders: i/o timeout")), id="last-words"
    ),
]


@pytest.mark.parametrize("container", WORDINGS)
def test_what_the_target_complains_of_is_blamed(container: Container) -> None:
    finding = found(calling(container))
    assert finding.category == "dependency_down"
    assert finding.resource == ORDERS
    assert finding.summary.startswith("Deployment shop/web fails because Deployment shop/orders, which it calls")
    assert finding.confidence >= 0.85
    assert finding.beside == (a_ref("Service", "orders"),)
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_the_output_of_a_probe_is_a_complaint() -> None:
    event = an_event("Unhealthy", "Readiness probe failed: curl: (6) Could not resolve host: orders")
    assert found(calling(a_container(ready=False), events=(event,))).resource == ORDERS


def test_a_well_target_with_errors_in_its_log_is_not_what_is_wrong() -> None:
    noisy = a_container(log="GET http://orders:8080/api/1 -> 502 Bad Gateway")
    assert found(calling(noisy)).resource == ORDERS


def test_a_port_alone_is_a_weaker_sign_than_a_name() -> None:
    headless = a_dependency(service=DOWN.model_copy(update={"cluster_ip": ""}), snapshot=around())
    finding = found(calling(running("dial tcp 10.244.1.7:8080: connect: connection refused"), headless))
    assert finding.confidence < found(calling(running("dial orders: connection refused"))).confidence


def test_without_a_complaint_it_is_a_possibility_that_changes_nothing() -> None:
    finding = found(calling(a_container(ready=False)))
    assert finding.confidence < 0.5


NOT_ABOUT_IT = [
    pytest.param("GET /api/orders HTTP/1.1 504", id="a-path"),
    pytest.param("timed out after 30s while reading orders.csv", id="a-file"),
    pytest.param("orders-archive: connection refused", id="another-host-with-a-longer-name"),
    pytest.param("my-orders:8080 connection refused", id="another-host-that-ends-alike"),
    pytest.param("orders.elsewhere.svc.cluster.local: connection refused", id="the-same-name-in-another-namespace"),
    pytest.param("connected to orders:8080", id="no-failure"),
    pytest.param('10.0.0.9 "GET / HTTP/1.1" 502 host: "orders"', id="a-host-header-of-a-client"),
    pytest.param("connect to 127.0.0.1:8080: connection refused", id="its-own-port"),
    pytest.param("loaded 503 orders", id="a-number-of-things"),
]


@pytest.mark.parametrize("line", NOT_ABOUT_IT)
def test_a_line_about_something_else_is_no_complaint(line: str) -> None:
    assert found(calling(running(line))).confidence < 0.5


BLAMES = running("orders: connection refused")
SERVES = a_service("orders")
WELL = a_dependency(
    snapshot=a_snapshot(target=a_target("Service", "orders"), workload=a_workload(ref=ORDERS), services=(SERVES,))
)


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(calling(BLAMES, WELL), id="it-is-well-by-now"),
        pytest.param(calling(BLAMES, a_dependency()), id="it-has-endpoints-and-was-not-looked-into"),
        pytest.param(
            calling(
                BLAMES,
                a_dependency(
                    snapshot=around(
                        ready=1,
                        pods=(a_pod("orders-1", created_at=ago(seconds=5), containers=[a_container(ready=False)]),),
                        workload=a_workload(ref=ORDERS, updated_replicas=1),
                    )
                ),
            ),
            id="it-is-being-rolled-out-and-serves-meanwhile",
        ),
        pytest.param(calling(pods=(a_pod(), a_pod("b"))), id="the-target-is-well-and-says-nothing"),
        pytest.param(calling(BLAMES, a_dependency(exists=None, service=None)), id="nothing-is-known-of-it"),
    ],
)
def test_abstains_unless_it_really_is_down(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []


def test_a_service_that_is_not_there_is_deleted_or_misspelt_and_a_person_tells_which() -> None:
    gone = a_dependency(exists=False, service=None)
    finding = found(calling(running("dial tcp: lookup orders: no such host"), gone))
    assert finding.resource == gone.ref
    assert "deleted, or env ORDERS_URL of container web misspells it" in finding.hints[0].reason
    assert finding.confidence < 0.8


def test_complaints_and_state_are_cited() -> None:
    sources = {evidence.source: evidence.excerpt for evidence in found(calling(BLAMES)).evidence}
    assert sources["log pod/web-6d4cf-aaaaa container web"] == "orders: connection refused"
    assert sources["Service shop/orders"] == "is called by env ORDERS_URL of container web; 0 ready endpoints"
