"""What a pod waits for and is not there is found by the objects' own state, and undone where the revision asked for it."""

from typing import Any

import pytest
from tests.builders import (
    a_config,
    a_failed_rollout,
    a_missing_config,
    a_mounted_config,
    a_pod,
    a_snapshot,
    a_template,
    a_waiting_container,
    a_workload,
    an_event,
    some_revisions,
)

from opsmend.agents.sre.detectors.missing_reference import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Kind


def stuck(reason: str = "CreateContainerConfigError", message: str = "", **changes: Any) -> Snapshot:
    template = a_template(**a_mounted_config("web-conf"))
    pods = (a_pod(template=template, containers=[a_waiting_container(reason, message)]),)
    return a_snapshot(**({"workload": a_workload(template=template, ready_replicas=0), "pods": pods} | changes))


@pytest.mark.parametrize(
    ("snapshot", "kind", "said"),
    [
        pytest.param(
            stuck(message='configmap "web-conf" not found', config=(a_missing_config("web-conf"),)),
            Kind.CONFIG_MAP,
            "web-conf",
            id="map",
        ),
        pytest.param(
            stuck("ContainerCreating", config=(a_missing_config("tls", kind="Secret"),)),
            Kind.SECRET,
            "tls",
            id="secret-no-words",
        ),
        pytest.param(
            stuck(
                "ContainerCreating",
                events=(an_event("FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "web-conf" not found'),),
                config=(a_missing_config("web-conf", exists=None),),
            ),
            Kind.CONFIG_MAP,
            "web-conf",
            id="only-the-event-tells",
        ),
        pytest.param(
            stuck(config=(a_config("web-conf", {"a": "1"}, needed_keys=("nginx.conf",)),)),
            Kind.CONFIG_MAP,
            "key nginx.conf",
            id="key",
        ),
        pytest.param(
            stuck(
                message="couldn't find key password in Secret shop/db",
                config=(a_config("db", kind="Secret", needed_keys=("password",)),),
            ),
            Kind.SECRET,
            "key password",
            id="secret-key",
        ),
    ],
)
def test_missing_thing_is_named(snapshot: Snapshot, kind: Kind, said: str) -> None:
    (finding,) = detect(snapshot)
    assert finding.resource.kind is kind
    assert said in finding.summary
    assert finding.hints[0].remedy is Remedy.NONE
    assert finding.rank == 1


def test_reference_that_the_revision_brought_is_rolled_back() -> None:
    before, after = a_template(**a_mounted_config("conf-v1")), a_template(**a_mounted_config("conf-v2"))
    snapshot = a_failed_rollout(
        before, after, containers=[a_waiting_container("ContainerCreating")], config=(a_missing_config("conf-v2"),)
    )
    (finding,) = detect(snapshot)
    assert (finding.hints[0].remedy, finding.hints[0].revision) == (Remedy.ROLL_BACK, 1)


def test_key_that_the_revision_renamed_is_rolled_back() -> None:
    def reading(key: str) -> dict[str, Any]:
        source = {"configMapKeyRef": {"name": "web-conf", "key": key}}
        return a_template(env=[{"name": "MODE", "valueFrom": source}])

    snapshot = a_failed_rollout(
        reading("mode"),
        reading("mood"),
        containers=[a_waiting_container("CreateContainerConfigError")],
        config=(a_config("web-conf", {"mode": "fast"}, needed_keys=("mood",)),),
    )
    (finding,) = detect(snapshot)
    assert finding.hints[0].remedy is Remedy.ROLL_BACK


def test_key_taken_out_by_hand_is_put_back() -> None:
    config = a_config("web-conf", {"b": "2"}, needed_keys=("a",), last_applied={"a": "1", "b": "2"})
    (finding,) = detect(stuck(config=(config,)))
    assert (finding.hints[0].remedy, finding.hints[0].config_key) == (Remedy.RESTORE_CONFIG, "a")


def test_missing_service_account_is_found_though_no_pod_exists() -> None:
    after = a_template(spec={"serviceAccountName": "robot"})
    event = an_event(
        "FailedCreate",
        'error looking up service account shop/robot: serviceaccount "robot" not found',
        about="ReplicaSet web-6d4cf",
    )
    snapshot = a_snapshot(
        workload=a_workload(template=after, replicas=0, ready_replicas=0),
        pods=(),
        revisions=some_revisions(a_template(), after),
        events=(event,),
    )
    (finding,) = detect(snapshot)
    assert "robot" in finding.summary
    assert finding.hints[0].remedy is Remedy.ROLL_BACK


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(stuck(config=(a_missing_config(optional=True),)), id="optional"),
        pytest.param(a_snapshot(config=(a_missing_config(),)), id="pods-run-without-it"),
        pytest.param(stuck(config=(a_missing_config(exists=None),)), id="cannot-be-told"),
        pytest.param(stuck(config=(a_config(),)), id="everything-is-there"),
        pytest.param(stuck("ImagePullBackOff", "not found", config=(a_missing_config(optional=True),)), id="another-not-found"),
    ],
)
def test_abstains_unless_something_needed_is_missing(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []
