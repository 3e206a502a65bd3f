"""An image that cannot be had is told apart by its trouble, and only what the revision changed is rolled back."""

import pytest
from tests.builders import (
    a_container,
    a_failed_rollout,
    a_pod,
    a_snapshot,
    a_template,
    a_waiting_container,
    a_workload,
    an_event,
    some_revisions,
)

from opsmend.agents.sre.detectors.bad_image import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import Container, Snapshot

GOOD, BAD = "ghcr.io/acme/cart:2.9.0", "ghcr.io/acme/cart:2.9.O"


def waiting_for(image: str, reason: str, message: str, **changes: object) -> Snapshot:
    containers = [a_waiting_container(reason, message, image=image)]
    return a_failed_rollout(a_template(GOOD), a_template(image), containers=containers, **changes)


@pytest.mark.parametrize(
    ("reason", "message", "told"),
    [
        ("ErrImagePull", 'rpc error: code = NotFound desc = failed to resolve reference "x": x: not found', "no such image"),
        ("ImagePullBackOff", "manifest unknown: OCI index found, but accept header does not support", "no such image"),
        ("ErrImagePull", "no match for platform in manifest: not found", "no such image"),
        ("InvalidImageName", "couldn't parse image reference", "no such image"),
        ("ErrImageNeverPull", "Container image is not present with pull policy of Never", "may not be pulled"),
        ("ErrImagePull", "unexpected status code 401 Unauthorized", "denies access"),
        ("ErrImagePull", "rpc error: code = PermissionDenied desc = caller lacks artifact reader", "denies access"),
        ("SignatureValidationFailed", "policy rejected", "signature"),
        ("ImagePullBackOff", "", "does not say why"),
    ],
)
def test_trouble_is_told_in_words(reason: str, message: str, told: str) -> None:
    (finding,) = detect(waiting_for(BAD, reason, message))
    assert finding.category == "bad_image"
    assert told in finding.summary
    assert finding.confidence >= 0.9


def test_changed_image_is_rolled_back_and_the_old_image_alone_is_the_alternative() -> None:
    (finding,) = detect(waiting_for(BAD, "ImagePullBackOff", "not found"))
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.SET_IMAGE]
    assert finding.hints[0].revision == 1
    assert finding.hints[1].image == GOOD
    assert any(GOOD in evidence.excerpt and BAD in evidence.excerpt for evidence in finding.evidence)


def test_events_count_when_the_container_message_is_bare() -> None:
    event = an_event("Failed", f'Failed to pull image "{BAD}": dial tcp: lookup ghcr.io: no such host', count=7)
    (finding,) = detect(waiting_for(BAD, "ImagePullBackOff", "Back-off pulling image", events=(event,)))
    assert "registry does not answer" in finding.summary
    assert finding.hints[0].remedy is Remedy.NONE


def test_moving_to_an_unreachable_registry_is_rolled_back() -> None:
    (finding,) = detect(waiting_for("registry.internal:5000/cart:3", "ErrImagePull", "i/o timeout"))
    assert finding.hints[0].remedy is Remedy.ROLL_BACK
    assert finding.shared is None, "it need not wait for the registry, and nobody is helped by its rollback"


def test_an_image_that_ran_before_and_is_gone_needs_a_person() -> None:
    template = a_template(GOOD)
    pod = a_pod(template=template, containers=[a_waiting_container("ErrImagePull", "not found", image=GOOD)])
    changed = a_template(GOOD, env=[{"name": "A", "value": "1"}])
    snapshot = a_snapshot(workload=a_workload(template=template), pods=(pod,), revisions=some_revisions(changed, template))
    (finding,) = detect(snapshot)
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_first_revision_ever_has_nothing_to_return_to() -> None:
    pod = a_pod(containers=[a_waiting_container("ImagePullBackOff", "not found")])
    (finding,) = detect(a_snapshot(pods=(pod,)))
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_an_injected_sidecar_is_not_repaired_in_the_workload() -> None:
    sidecar = a_waiting_container("ImagePullBackOff", "not found", name="istio-proxy", image="istio/proxyv2:9")
    (finding,) = detect(a_failed_rollout(a_template(GOOD), a_template(BAD), containers=[a_container(), sidecar]))
    assert "istio-proxy" in finding.summary
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


@pytest.mark.parametrize(
    "container",
    [
        pytest.param(a_container(log="ErrImagePull: manifest unknown"), id="a-log-that-talks-of-images"),
        pytest.param(a_waiting_container("ContainerCreating"), id="still-pulling"),
        pytest.param(a_waiting_container("CrashLoopBackOff"), id="another-fault"),
    ],
)
def test_abstains_without_the_kubelets_word(container: Container) -> None:
    event = an_event("Failed", f'Failed to pull image "{GOOD}"')
    assert detect(a_snapshot(pods=(a_pod(containers=[container]),), events=(event,))) == []


def test_pods_that_are_going_away_are_not_looked_at() -> None:
    pod = a_pod(deleting=True, containers=[a_waiting_container("ImagePullBackOff", "not found")])
    assert detect(a_snapshot(pods=(pod,))) == []
