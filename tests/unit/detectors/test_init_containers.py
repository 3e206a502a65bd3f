"""An init container that fails is found as any other is, and mended in its own place of the template."""

from typing import Any

import pytest
from tests.builders import (
    a_config,
    a_container,
    a_crashing_container,
    a_dependency,
    a_failed_rollout,
    a_missing_config,
    a_pod,
    a_quota,
    a_ref,
    a_service,
    a_snapshot,
    a_template,
    a_termination,
    a_waiting_container,
    a_workload,
    an_event,
    some_revisions,
)

from opsmend.agents.architect.remedies import Candidate, propose
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.diagnose import diagnose
from opsmend.domain.diagnosis import Category, Diagnosis
from opsmend.domain.health import assess
from opsmend.domain.pod_requests import pod_requests, pod_usage
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Container, Snapshot
from opsmend.domain.verification import Health

WAITS = a_waiting_container("PodInitializing")
"""The main container while an init container has not gone through."""


def with_init(**container: Any) -> JsonObject:
    init = {"name": "migrate", "image": "shop/migrate:1", "resources": {"limits": {"memory": "64Mi"}}} | container
    return a_template(spec={"initContainers": [init], **container.pop("pod", {})})


def init_failed(log: str = "", **changes: Any) -> Container:
    return a_crashing_container(log, **({"name": "migrate", "init": True, "image": "shop/migrate:2"} | changes))


def released(before: JsonObject, after: JsonObject, init: Container, **changes: Any) -> Snapshot:
    return a_failed_rollout(before, after, containers=[init, WAITS], **changes)


def of(snapshot: Snapshot) -> tuple[Diagnosis, Candidate]:
    found = diagnose(snapshot, find_causes(snapshot))
    return found, propose(found, snapshot)[0]


def mounted(config_map: str) -> dict[str, Any]:
    return {
        "volumeMounts": [{"name": "conf", "mountPath": "/etc/migrate"}],
        "pod": {"volumes": [{"name": "conf", "configMap": {"name": config_map}}]},
    }


NOT_FOUND = init_failed(waiting_reason="ImagePullBackOff", waiting_message="not found", last_terminated=None)
KILLED = init_failed(last_terminated=a_termination("OOMKilled", 137))
NO_CONFIG = init_failed(
    waiting_reason="CreateContainerConfigError", waiting_message='configmap "settings" not found', last_terminated=None
)

CASES = [
    pytest.param(
        released(with_init(), with_init(image="shop/migrate:2"), init_failed("panic: no such column")),
        "crash_after_rollout", id="crash",
    ),
    pytest.param(released(with_init(), with_init(image="shop/migrate:2"), NOT_FOUND), "bad_image", id="image"),
    pytest.param(
        released(with_init(), with_init(resources={"limits": {"memory": "16Mi"}}), KILLED), "out_of_memory", id="memory"
    ),
    pytest.param(
        released(
            with_init(**mounted("conf-v1")), with_init(**mounted("conf-v2")),
            init_failed('/etc/migrate/app.yaml: line 3: unknown option "drpo"'),
            config=(a_config("conf-v2", {"app.yaml": "drpo: true"}),),
        ),
        "broken_configuration", id="configuration",
    ),
    pytest.param(
        released(
            with_init(), with_init(envFrom=[{"configMapRef": {"name": "settings"}}]), NO_CONFIG,
            config=(a_missing_config("settings", used_by="envFrom of container migrate"),),
        ),
        "missing_reference", id="missing-reference",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("snapshot", "category"), CASES)
def test_a_release_whose_init_container_fails_is_rolled_back(snapshot: Snapshot, category: Category) -> None:
    found, best = of(snapshot)
    assert found.category == category
    assert found.resource in (a_ref(), a_ref("ConfigMap", "settings"))
    assert [action.type for action in best.actions] == ["rollback_workload"]
    assert assess(snapshot).health is Health.UNHEALTHY


def test_memory_is_raised_for_the_init_container_and_no_other() -> None:
    template = with_init()
    snapshot = a_snapshot(
        workload=a_workload(template=template, ready_replicas=0), revisions=some_revisions(template, hashes=("6d4cf",)),
        pods=(a_pod(template=template, containers=[KILLED, WAITS]),),
    )  # fmt: skip
    found, best = of(snapshot)
    assert found.category == "out_of_memory"
    assert best.actions[0].model_dump(include={"type", "container", "memory_limit"}) == {
        "type": "set_resources", "container": "migrate", "memory_limit": "128Mi",
    }  # fmt: skip


def test_one_that_waits_for_a_dependency_is_no_failure_of_its_own() -> None:
    loop = a_container(name="wait", init=True, ready=False, log="waiting for orders...\nwaiting for orders...")
    down = a_dependency(service=a_service("orders", ready_endpoints=0))
    found, _ = of(a_snapshot(pods=(a_pod(containers=[loop, WAITS]),), dependencies=(down,)))
    assert (found.category, found.resource) == ("dependency_down", a_ref("Service", "orders"))


DONE = a_container(
    name="migrate", init=True, ready=True, running=False, restarts=1,
    terminated=a_termination("Completed", 0), last_terminated=a_termination(exit_code=1), previous_log="panic: not yet",
)  # fmt: skip


def test_one_that_went_through_at_its_second_try_broke_nothing() -> None:
    both = (a_pod(containers=[DONE, a_container()]), a_pod("b", containers=[DONE, a_container()]))
    assert of_healthy(a_snapshot(pods=both))
    old, new = with_init(), with_init(image="shop/migrate:2")
    slow = a_failed_rollout(old, new, containers=[DONE, a_container(ready=False)])
    assert "crash_after_rollout" not in {finding.category for finding in find_causes(slow)}


def of_healthy(snapshot: Snapshot) -> bool:
    return assess(snapshot).health is Health.HEALTHY and [f.category for f in find_causes(snapshot)] == ["healthy"]


def test_a_sidecar_that_is_unready_fails_by_its_own_probe() -> None:
    sidecar = {"name": "proxy", "restartPolicy": "Always", "readinessProbe": {"httpGet": {"path": "/", "port": 15021}}}
    template = a_template(spec={"initContainers": [sidecar]})
    pods = (a_pod(template=template, containers=[a_container(name="proxy", init=True, ready=False), a_container()],
                  conditions=()),)  # fmt: skip
    event = an_event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    found, _ = of(a_snapshot(workload=a_workload(template=template), pods=pods, events=(event,)))
    assert found.category == "failing_probe"
    assert "container proxy" in found.summary


def test_what_an_init_container_asks_for_counts_where_it_is_more() -> None:
    template = with_init(resources={"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}})
    assert str(pod_requests(template)["cpu"]) == "2"
    assert pod_usage(template)["limits.memory"] == 1024**3
    refused = an_event("FailedCreate", "exceeded quota: team", about="ReplicaSet web-6d4cf")
    short = a_snapshot(
        workload=a_workload(template=template, replicas=1), events=(refused,), revisions=some_revisions(template),
        quotas=(a_quota(hard={"limits.memory": "2Gi"}, used={"limits.memory": "1280Mi"}),),
    )  # fmt: skip
    assert of(short)[0].category == "quota_exceeded"
