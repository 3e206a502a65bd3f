"""A version is good once every pod of a healthy workload was created with it; nothing less proves it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.builders import NOW, a_ref, ago

from opsmend.domain.last_good import VERSIONS_KEPT, ConfigRecord, Runner, Sighting, noted
from opsmend.domain.ports.artifacts import ArtifactRef

FIRST, SECOND = "1" * 64, "2" * 64


def content(sha256: str = FIRST) -> ArtifactRef:
    return ArtifactRef(sha256=sha256, size=10, media_type="application/json")


def a_runner(oldest_pod_at: datetime, name: str = "web") -> Runner:
    return Runner(workload=a_ref(name=name), oldest_pod_at=oldest_pod_at)


def a_sighting(*runners: Runner, **changes: Any) -> Sighting:
    """Of a ConfigMap that was written an hour ago, with pods of half an hour."""
    defaults: dict[str, Any] = {
        "ref": a_ref("ConfigMap", "web-conf"),
        "uid": "uid-1",
        "at": NOW,
        "content": content(),
        "written_at": ago(hours=1),
        "by": "helm",
        "runners": runners or (a_runner(ago(minutes=30)),),
    }
    return Sighting(**(defaults | changes))


def good(record: ConfigRecord) -> list[str]:
    return [version.content.sha256 for version in record.versions]


def test_what_pods_started_with_and_run_well_with_is_good() -> None:
    (version,) = noted(None, a_sighting()).versions
    assert (version.content, version.workloads, version.by) == (content(), ("Deployment shop/web",), "helm")
    assert (version.first_seen, version.last_seen) == (NOW, NOW)


UNPROVEN = [
    pytest.param(a_sighting(a_runner(ago(hours=2))), id="edited after its pods started"),
    pytest.param(a_sighting(a_runner(ago(minutes=30)), written_at=ago(minutes=29)), id="edited a minute after"),
    pytest.param(a_sighting(written_at=None), id="nobody knows when it was written"),
]


@pytest.mark.parametrize("sighting", UNPROVEN)
def test_what_no_pod_has_started_with_is_not_good(sighting: Sighting) -> None:
    record = noted(None, sighting)
    assert good(record) == []
    assert record.holds == FIRST


def test_an_edit_under_running_pods_leaves_the_version_before_the_last_good_one() -> None:
    record = noted(noted(None, a_sighting(at=ago(minutes=5))), a_sighting(content=content(SECOND), written_at=ago(minutes=2)))
    assert good(record) == [FIRST]
    assert record.versions[0].last_seen == ago(minutes=5)


def test_an_edit_becomes_good_once_all_pods_were_replaced() -> None:
    record = noted(None, a_sighting(at=ago(minutes=9)))
    edited = a_sighting(at=ago(minutes=5), content=content(SECOND), written_at=ago(minutes=6))
    replaced = a_sighting(a_runner(ago(minutes=4)), content=content(SECOND), written_at=ago(minutes=6))
    assert good(noted(noted(record, edited), replaced)) == [SECOND, FIRST]


def test_a_removed_key_which_kubernetes_does_not_date_is_not_proven_by_pods_from_before_the_look() -> None:
    """managedFields of the older write stay as they were, so the pods of half an hour seem to be younger than the content."""
    record = noted(None, a_sighting(at=ago(minutes=5)))
    removed = a_sighting(content=content(SECOND))
    assert good(noted(record, removed)) == [FIRST]
    later = a_sighting(a_runner(NOW + timedelta(minutes=1)), content=content(SECOND), at=NOW + timedelta(minutes=5))
    assert good(noted(noted(record, removed), later)) == [SECOND, FIRST]


def test_one_healthy_workload_that_started_with_it_is_enough_and_only_that_one_is_named() -> None:
    (version,) = noted(None, a_sighting(a_runner(ago(hours=2), "api"), a_runner(ago(minutes=3)))).versions
    assert version.workloads == ("Deployment shop/web",)


def test_a_version_that_is_seen_again_keeps_when_it_was_seen_first() -> None:
    record = noted(None, a_sighting(at=ago(days=1), written_at=ago(days=2), runners=(a_runner(ago(days=1, hours=1)),)))
    (version,) = noted(record, a_sighting(written_at=ago(days=2))).versions
    assert (version.first_seen, version.last_seen) == (ago(days=1), NOW)


def test_the_last_few_versions_are_kept_newest_seen_first() -> None:
    record = None
    for n in range(9):
        at = NOW + timedelta(hours=n)
        pods = a_runner(at - timedelta(minutes=5))
        record = noted(record, a_sighting(pods, at=at, content=content(str(n) * 64), written_at=at - timedelta(minutes=6)))
    assert record is not None
    assert good(record) == [str(n) * 64 for n in (8, 7, 6, 5, 4)]
    assert len(record.versions) == VERSIONS_KEPT


def test_going_back_to_an_earlier_version_makes_it_the_newest_again() -> None:
    record = noted(None, a_sighting(at=ago(hours=3), written_at=ago(hours=5), runners=(a_runner(ago(hours=4)),)))
    other = a_sighting(a_runner(ago(hours=1)), at=ago(minutes=50), content=content(SECOND), written_at=ago(hours=2))
    back = a_sighting(a_runner(ago(minutes=10)), written_at=ago(minutes=20))
    assert good(noted(noted(record, other), back)) == [FIRST, SECOND]


def test_a_look_that_comes_late_changes_nothing() -> None:
    record = noted(None, a_sighting())
    assert noted(record, a_sighting(at=ago(minutes=5), content=content(SECOND))) == record
    assert noted(record, a_sighting()) == record


def test_another_object_of_the_same_name_inherits_nothing() -> None:
    record = noted(noted(None, a_sighting(at=ago(minutes=5))), a_sighting(a_runner(ago(days=1)), uid="uid-2"))
    assert (record.uid, good(record)) == ("uid-2", [])
