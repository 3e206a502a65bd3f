"""A glance tells whether a known cause explains a target, and does not take a problem of its own for it."""

from collections.abc import Awaitable, Callable

import pytest
from tests.builders import (
    NOW,
    a_container,
    a_crashing_container,
    a_mounted_config,
    a_pod,
    a_ref,
    a_target,
    a_template,
    a_termination,
    a_waiting_container,
)

from opsmend.agents.sre.glance import explained
from opsmend.domain.alert import Severity
from opsmend.domain.diagnosis import Category
from opsmend.domain.shared_cause import CauseKind, KnownCause, SharedCause
from opsmend.domain.snapshot import Pod, Snapshot
from opsmend.domain.target import Target

REGISTRY = SharedCause(kind=CauseKind.REGISTRY, name="registry.example")
DNS = SharedCause(kind=CauseKind.NAME_RESOLUTION, name="the cluster's name server")
ORDERS = SharedCause.of(CauseKind.DEPENDENCY, a_ref("Service", "orders"))
SETTINGS = SharedCause.of(CauseKind.CONFIG_MAP, a_ref("ConfigMap", "settings"))
NODE = SharedCause.of(CauseKind.NODE, a_ref("Node", "node-1", ""))
MOUNTS = a_template(**a_mounted_config("settings", "/etc/app"))


def known(cause: SharedCause) -> KnownCause:
    return KnownCause(
        cause=cause, cluster="demo", holder="incident:demo:shop:deployment:first", since=NOW, severity=Severity.WARNING
    )


def glance_of(pods: tuple[Pod, ...]) -> Callable[[Target], Awaitable[Snapshot]]:
    async def glance(target: Target) -> Snapshot:
        return Snapshot(taken_at=NOW, target=target, pods=pods)

    return glance


def waits(said: str, image: str = "registry.example/web:1", reason: str = "ErrImagePull") -> Pod:
    return a_pod(containers=[a_waiting_container(reason, said, image=image)])


def crashed(log: str, name: str = "web-6d4cf-aaaaa", **changes: object) -> Pod:
    return a_pod(name, containers=[a_crashing_container(log)], **changes)


SCANNER = 'yaml.scanner.ScannerError: mapping values are not allowed here\n  in "/etc/app/config.yaml", line 3, column 8'
LOST = a_pod(node="node-1", containers=[a_container(ready=False)])

EXPLAINED = [
    pytest.param(REGISTRY, (waits("dial tcp 10.0.0.9:443: i/o timeout"),), "bad_image", id="registry"),
    pytest.param(DNS, (crashed("lookup orders on 10.96.0.10:53: server misbehaving"),), "name_resolution", id="DNS"),
    pytest.param(DNS, (crashed("getaddrinfo EAI_AGAIN payments"),), "name_resolution", id="DNS-words-of-Node"),
    pytest.param(ORDERS, (crashed("orders:8080: connection refused"),), "dependency_down", id="dependency"),
    pytest.param(
        ORDERS,
        (crashed("orders: connection refused"), crashed("", "web-6d4cf-b")),
        "dependency_down",
        id="dependency-and-a-sibling-that-ends-alike",
    ),
    pytest.param(SETTINGS, (crashed(SCANNER, template=MOUNTS),), "broken_configuration", id="ConfigMap"),
    pytest.param(NODE, (LOST, a_pod("b", node="node-2")), "node_not_ready", id="node"),
]


@pytest.mark.parametrize(("cause", "pods", "category"), EXPLAINED)
async def test_explained(cause: SharedCause, pods: tuple[Pod, ...], category: Category) -> None:
    found = await explained(glance_of(pods), a_target(), [known(ORDERS if cause is not ORDERS else REGISTRY), known(cause)])
    assert found is not None
    _, finding = found
    assert (finding.category, finding.shared) == (category, cause)
    assert "which incident:demo:shop:deployment:first sees to" in finding.summary
    assert len(finding.evidence) >= (1 if cause is NODE else 2)


UNRELATED = [
    pytest.param(REGISTRY, (waits("manifest unknown: not found"),), id="a-wrong-tag-of-the-same-registry"),
    pytest.param(REGISTRY, (waits("i/o timeout", "other.example/web:1"),), id="another-registry"),
    pytest.param(
        REGISTRY,
        (waits("i/o timeout"), crashed("panic: index out of range", "web-6d4cf-b")),
        id="a-pod-that-crashes-besides",
    ),
    pytest.param(DNS, (crashed("orders:8080: connection refused"),), id="a-name-that-was-resolved"),
    pytest.param(DNS, (crashed("getaddrinfo ENOTFOUND paymnts-db"),), id="a-name-that-may-be-misspelt"),
    pytest.param(ORDERS, (crashed("payments: connection refused"),), id="another-dependency"),
    pytest.param(ORDERS, (crashed("panic: index out of range"),), id="a-bug"),
    pytest.param(ORDERS, (a_pod(containers=[a_container(ready=False)]),), id="nothing-said"),
    pytest.param(
        ORDERS,
        (
            crashed("orders: connection refused"),
            a_pod("b", containers=[a_crashing_container(last_terminated=a_termination("OOMKilled", 137))]),
        ),
        id="a-sibling-that-ends-in-another-way",
    ),
    pytest.param(
        ORDERS,
        (crashed("orders: connection refused"), crashed("", "web-99999-b", revision_hash="99999")),
        id="a-newer-revision-besides",
    ),
    pytest.param(SETTINGS, (crashed(SCANNER),), id="the-ConfigMap-is-not-mounted"),
    pytest.param(SETTINGS, (crashed("panic: index out of range", template=MOUNTS),), id="a-crash-that-blames-no-file"),
    pytest.param(SETTINGS, (crashed(SCANNER, template=MOUNTS, namespace="other"),), id="of-another-namespace"),
    pytest.param(
        REGISTRY,
        (waits("i/o timeout"), a_pod("web-6d4cf-b", phase="Pending", node="", containers=[])),
        id="a-sibling-without-a-node",
    ),
    pytest.param(
        ORDERS,
        (
            a_pod(
                containers=[
                    a_container(name="proxy", ready=False, log="orders:8080: connection refused"),
                    a_crashing_container(name="web"),
                ]
            ),
        ),
        id="another-container-that-is-down",
    ),
    pytest.param(
        ORDERS,
        (
            a_pod(
                containers=[
                    a_crashing_container("orders:8080: connection refused", last_terminated=a_termination("OOMKilled", 137))
                ]
            ),
        ),
        id="out-of-memory",
    ),
    pytest.param(NODE, (crashed("panic: index out of range", node="node-1"),), id="a-crash-on-the-node"),
    pytest.param(
        NODE,
        (a_pod(node="node-1", containers=[a_waiting_container("ImagePullBackOff", "manifest unknown")]),),
        id="a-wrong-tag-on-the-node",
    ),
    pytest.param(NODE, (LOST, a_pod("b", node="node-2", containers=[a_container(ready=False)])), id="also-on-another-node"),
    pytest.param(ORDERS, (a_pod(),), id="well"),
    pytest.param(ORDERS, (), id="no-pods"),
]


@pytest.mark.parametrize(("cause", "pods"), UNRELATED)
async def test_a_problem_of_its_own_is_not_explained(cause: SharedCause, pods: tuple[Pod, ...]) -> None:
    assert await explained(glance_of(pods), a_target(), [known(cause)]) is None


async def test_nothing_is_looked_at_where_no_cause_is_known() -> None:
    async def glance(target: Target) -> Snapshot | None:
        raise AssertionError("looked at")

    assert await explained(glance, a_target(), []) is None
