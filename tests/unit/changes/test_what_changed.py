"""What was changed around the target is one list, with who and when, and without what only follows from it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import (
    NOW,
    a_condition,
    a_config,
    a_node,
    a_pod,
    a_quota,
    a_revision,
    a_service,
    a_snapshot,
    a_template,
    a_workload,
    a_write,
    ago,
    an_autoscaler,
    an_event,
    some_revisions,
    with_container,
)

from opsmend.agents.sre.reading.changes import recent_changes
from opsmend.domain.changes import MOST_AFTER, MOST_BEFORE, Author, FieldWrite, RecentChange, around, distance, that_matter
from opsmend.domain.snapshot import Change, Snapshot

OLD, NEW = a_template("shop/web:1"), a_template("shop/web:2")


def a_release(*writes: FieldWrite, **changes: Any) -> Snapshot:
    """Revision 2, ten minutes old, with a new image."""
    workload = a_workload(template=NEW, writes=writes)
    return a_snapshot(**({"workload": workload, "revisions": some_revisions(OLD, NEW), "pods": ()} | changes))


def told(snapshot: Snapshot) -> list[str]:
    return [str(change) for change in recent_changes(snapshot)]


def test_a_release_is_told_once_with_its_difference_and_its_author() -> None:
    write = a_write("spec.template", by="helm", at=ago(minutes=10, seconds=2))
    (change,) = recent_changes(a_release(write))
    assert (change.by, change.author, change.at) == ("helm", Author.SOMEBODY, write.at)
    assert str(change) == "Deployment shop/web: revision 2: containers/web/image: shop/web:1 → shop/web:2 by helm"


def test_a_release_whose_author_has_written_since_is_told_without_one() -> None:
    later = a_write("spec.template", "spec.replicas", by="kubectl", at=ago(minutes=1))
    newest, release = recent_changes(a_release(later))
    assert (newest.what, newest.by) == ("spec.template, spec.replicas written", "kubectl")
    assert (release.by, release.at) == ("", ago(minutes=10))


def test_the_cause_that_a_pipeline_gave_is_told() -> None:
    revisions = (some_revisions(OLD, NEW)[0].model_copy(update={"change_cause": "release v2"}), some_revisions(OLD, NEW)[1])
    assert "revision 2 (release v2): " in told(a_release(revisions=revisions))[0]


def test_a_restart_is_told_as_one() -> None:
    restarted = a_template("shop/web:1", annotations={"kubectl.kubernetes.io/restartedAt": "2026-03-14T14:50:00Z"})
    (change,) = recent_changes(a_release(workload=a_workload(template=restarted), revisions=some_revisions(OLD, restarted)))
    assert "its pods were restarted, nothing else of the template changed" in change.what


def test_a_rollback_is_dated_by_its_write_and_not_by_the_age_of_what_it_returned_to() -> None:
    back, undone = a_revision(3, OLD, created_at=ago(days=9)), a_revision(2, NEW, name="web-h2", created_at=ago(minutes=30))
    write = a_write("spec.template", by="kubectl-rollout", at=ago(minutes=5))
    snapshot = a_release(write, workload=a_workload(template=OLD, writes=(write,)), revisions=(back, undone))
    (change,) = recent_changes(snapshot)
    assert (change.at, change.by) == (write.at, "kubectl-rollout")
    assert change.what.startswith("revision 3: ")


WRITTEN = [
    pytest.param({"config": (a_config(writes=(a_write("data.app.yaml"),)),)}, "ConfigMap shop/web-conf", id="config"),
    pytest.param({"services": (a_service(writes=(a_write("spec.selector"),)),)}, "Service shop/web", id="service"),
    pytest.param({"quotas": (a_quota(writes=(a_write("spec.hard"),)),)}, "ResourceQuota shop/team", id="quota"),
    pytest.param(
        {"autoscalers": (an_autoscaler(writes=(a_write("spec.maxReplicas"),)),)},
        "HorizontalPodAutoscaler shop/web",
        id="autoscaler",
    ),
    pytest.param({"nodes": (a_node(writes=(a_write("spec.unschedulable"),)),)}, "Node node-1", id="cordoned node"),
    pytest.param({"workload": a_workload(writes=(a_write("spec.replicas"),))}, "Deployment shop/web", id="workload"),
]


@pytest.mark.parametrize(("parts", "where"), WRITTEN)
def test_an_edit_of_any_part_is_told_with_its_fields_and_its_author(parts: dict[str, Any], where: str) -> None:
    (change,) = recent_changes(a_snapshot(**({"services": ()} | parts)))
    assert str(change.object) == where
    assert change.what == f"{change.fields[0]} written"
    assert (change.by, change.at, change.author) == ("kubectl-edit", ago(minutes=2), Author.SOMEBODY)


def test_an_object_that_is_referred_to_twice_is_told_once() -> None:
    config = a_config(writes=(a_write("data"),))
    assert len(told(a_snapshot(config=(config, config.model_copy(update={"optional": True}))))) == 1


@pytest.mark.parametrize(
    ("by", "author"),
    [
        ("opsmend", Author.OPSMEND),
        ("kube-controller-manager", Author.KUBERNETES),
        ("kubelet", Author.KUBERNETES),
        ("kubectl-edit", Author.SOMEBODY),
        ("argocd-controller", Author.SOMEBODY),
        ("helm", Author.SOMEBODY),
        ("opsmend-impostor", Author.SOMEBODY),
    ],
)
def test_people_and_pipelines_are_told_apart_from_kubernetes_and_from_us(by: str, author: Author) -> None:
    (change,) = recent_changes(a_snapshot(workload=a_workload(writes=(a_write("spec.replicas", by=by),))))
    assert change.author is author


def test_nobody_hides_a_cordon_by_the_name_of_the_kubelet() -> None:
    hidden = a_write("spec.unschedulable", by="kubelet")
    bookkeeping = a_write("metadata.labels.topology", "spec.taints", by="kubelet")
    joined = a_write("spec.externalID", by="kubelet", created=True)
    node = a_node(writes=(hidden, bookkeeping, joined))
    assert told(a_snapshot(nodes=(node,))) == ["Node node-1: spec.unschedulable written by kubelet"]


TELLING = [
    pytest.param(
        an_event("ScalingReplicaSet", "Scaled down replica set web-6d4cf from 6 to 0", about="Deployment web"), id="to zero"
    ),
    pytest.param(
        an_event("SuccessfulRescale", "New size: 9; reason: cpu", about="HorizontalPodAutoscaler web"), id="autoscaler"
    ),
    pytest.param(an_event("NodeNotReady", "Node node-1 status is now: NodeNotReady", about="Node node-1"), id="node"),
    pytest.param(an_event("Evicted", "The node was low on resource: memory."), id="evicted"),
]


@pytest.mark.parametrize("event", TELLING)
def test_events_that_tell_of_a_change_are_told(event: Any) -> None:
    (change,) = recent_changes(a_snapshot(events=(event,)))
    assert event.message in change.what
    assert change.at == event.last_seen
    assert change.author is Author.KUBERNETES


SILENT = [
    pytest.param(an_event("BackOff", "Back-off restarting failed container"), id="symptom"),
    pytest.param(
        an_event("ScalingReplicaSet", "Scaled up replica set web-6d4cf from 0 to 1", about="Deployment web",
                 last_seen=ago(minutes=9)),
        id="the new revision grows",
    ),
    pytest.param(
        an_event("ScalingReplicaSet", "Scaled down replica set web-5c8b9 from 2 to 1", about="Deployment web"),
        id="the old revision shrinks",
    ),
    pytest.param(an_event("Evicted", "gone", about="Rollout web"), id="a kind that nobody knows"),
]  # fmt: skip


@pytest.mark.parametrize("event", SILENT)
def test_events_that_only_follow_from_a_change_are_not(event: Any) -> None:
    assert [c for c in recent_changes(a_release(events=(event,))) if c.what.startswith(event.reason)] == []


def test_a_busy_autoscaler_is_told_by_its_last_words() -> None:
    events = tuple(
        an_event("SuccessfulRescale", f"New size: {n}", about="HorizontalPodAutoscaler web", last_seen=ago(minutes=n))
        for n in range(30)
    )
    assert [change.what for change in recent_changes(a_snapshot(events=events))] == [
        f"SuccessfulRescale: New size: {n}" for n in range(3)
    ]


def test_a_lost_node_and_one_under_pressure_are_told_with_the_moment() -> None:
    ready = a_condition("Ready", "Unknown", "NodeStatusUnknown", since=ago(minutes=3))
    pressure = a_condition("DiskPressure", "True", "KubeletHasDiskPressure", since=ago(minutes=8))
    calm = a_condition("MemoryPressure", "False", since=ago(days=9))
    lost = told(a_snapshot(nodes=(a_node(conditions=(ready, pressure, calm)),)))
    assert lost == [
        "Node node-1: is not Ready since (NodeStatusUnknown)",
        "Node node-1: has DiskPressure since (KubeletHasDiskPressure)",
    ]


def test_pods_that_were_created_anew_long_after_their_rollout_are_told_together() -> None:
    revisions = (a_revision(created_at=ago(days=3)),)
    pods = [a_pod(f"web-6d4cf-{n}", created_at=ago(minutes=20 - n), node=f"node-{n}") for n in range(2)]
    (change,) = recent_changes(a_snapshot(revisions=revisions, pods=(*pods, a_pod("web-6d4cf-old", created_at=ago(days=3)))))
    assert change.what == "2 pods were created anew on node-0, node-1, of the same template as before"
    assert change.at == ago(minutes=20)


def test_pods_of_a_rollout_are_part_of_it() -> None:
    assert told(a_snapshot(pods=(a_pod(created_at=ago(minutes=8)),))) == []


def test_a_changed_secret_is_told_by_its_field_alone() -> None:
    masked = with_container(OLD, env=[{"name": "DB_PASSWORD", "value": "[redacted:password]"}])
    secret = Change(path="/spec/containers/0/env/0/value", before="[redacted:password]", after="[redacted:password]")
    newer = a_revision(2, masked, created_at=ago(minutes=4), changes=(secret,))
    (change,) = recent_changes(a_snapshot(revisions=(newer, a_revision(1, masked, name="web-h1")), pods=()))
    assert change.what == "revision 2: containers/0/env/0/value changed"


def test_values_of_variables_are_never_told_whatever_they_are_called() -> None:
    before = with_container(OLD, env=[{"name": "MODE", "value": "one"}, {"name": "GONE", "value": "three"}])
    after = with_container(NEW, env=[{"name": "MODE", "value": "two"}, {"name": "HERE", "value": "four"}])
    (change,) = recent_changes(a_release(workload=a_workload(template=after), revisions=some_revisions(before, after)))
    assert "env/MODE/value changed" in change.what
    assert "containers/web/image: shop/web:1 → shop/web:2" in change.what
    assert not {"one", "two", "three", "four"} & set(re.findall(r"\w+", change.what))


def many(count: int, first: timedelta, author: Author = Author.SOMEBODY) -> list[RecentChange]:
    at = NOW - first
    return [
        RecentChange(at=at - timedelta(minutes=n), object=a_snapshot().target.ref, what=f"edit {n}", author=author)
        for n in range(count)
    ]


def test_what_came_before_it_is_told_first_and_newest_first() -> None:
    began = ago(minutes=3, seconds=30)
    assert [change.what for change in around(many(6, timedelta()), began)] == [
        "edit 4", "edit 5", "edit 3", "edit 2", "edit 1", "edit 0",
    ]  # fmt: skip


def test_a_flood_after_it_began_does_not_push_out_what_was_before() -> None:
    flood = many(500, timedelta(minutes=-600))
    edit = many(1, timedelta(hours=5))
    shown = around([*flood, *edit], NOW)
    assert shown[0] == edit[0]
    assert len(shown) == 1 + MOST_AFTER
    assert len(around(many(500, timedelta()), NOW)) == MOST_BEFORE


@pytest.mark.parametrize("minutes", [pytest.param(60, id="before it began"), pytest.param(-60, id="after it began")])
def test_what_kubernetes_does_by_itself_does_not_push_out_what_people_did(minutes: int) -> None:
    busy = many(40, timedelta(minutes=minutes), Author.KUBERNETES)
    edit = many(1, timedelta(minutes=minutes + 50 if minutes > 0 else minutes - 50))
    shown = around([*busy, *edit], NOW)
    assert edit[0] in shown
    ages = [abs(NOW - change.at) for change in shown]
    assert ages == sorted(ages)


def test_an_old_edit_counts_and_what_kubernetes_did_long_ago_does_not() -> None:
    edit, moved = many(1, timedelta(days=40)), many(1, timedelta(days=40), Author.KUBERNETES)
    assert around([*edit, *moved], NOW) == tuple(edit)


def test_the_few_that_matter_are_peoples_before_it_began() -> None:
    after, scaler = many(1, timedelta(minutes=-5)), many(3, timedelta(minutes=1), Author.KUBERNETES)
    edit = many(1, timedelta(hours=2))
    assert that_matter(around([*after, *scaler, *edit], NOW), NOW, 1) == tuple(edit)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "at the same time"),
        (40, "40 s before"),
        (250, "4 min 10 s before"),
        (7_500, "2 h 5 min before"),
        (86_400, "1 day before"),
        (3 * 86_400 + 7_200, "3 days 2 h before"),
        (-90, "1 min 30 s after"),
    ],
)
def test_distances_are_told_as_people_say_them(seconds: int, words: str) -> None:
    assert distance(NOW - timedelta(seconds=seconds), NOW) == words
