"""managedFields become names of fields and of their writers, bounded and redacted; bookkeeping is none of it."""

from typing import Any

import pytest

from opsmend.adapters.kubernetes.neighbourhood.writes import FIELDS_KEPT, WRITES_KEPT, writes_of
from opsmend.domain.changes import last_write

MADE, LATER = "2026-03-14T10:00:00Z", "2026-03-14T14:58:00Z"


def an_object(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "web", "creationTimestamp": MADE, "managedFields": list(entries)}}


def an_entry(fields: Any, manager: Any = "kubectl-edit", time: Any = LATER, **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, **more}


CONTAINER = 'k:{"name":"web"}'
NAMED = [
    pytest.param({"f:data": {".": {}, "f:nginx.conf": {}}}, ("data.nginx.conf",), id="key with a dot"),
    pytest.param({"f:spec": {"f:replicas": {}}}, ("spec.replicas",), id="replicas"),
    pytest.param({"f:spec": {"f:selector": {}}}, ("spec.selector",), id="selector"),
    pytest.param(
        {"f:spec": {"f:template": {"f:spec": {"f:containers": {CONTAINER: {"f:image": {}}}}}}},
        ("spec.template.spec.containers[web].image",),
        id="item of a list",
    ),
    pytest.param({"f:spec": {"f:finalizers": {'v:"a"': {}}}}, ("spec.finalizers[a]",), id="item by value"),
    pytest.param({"f:spec": {"f:taints": {"k:no json": {}}}}, ("spec.taints[no json]",), id="item that is no JSON"),
]


@pytest.mark.parametrize(("fields", "named"), NAMED)
def test_fields_are_named_as_people_write_them(fields: Any, named: tuple[str, ...]) -> None:
    (write,) = writes_of(an_object(an_entry(fields)))
    assert (write.by, write.fields, write.created) == ("kubectl-edit", named, False)


BOOKKEEPING = [
    pytest.param({"f:status": {"f:replicas": {}}}, "status", id="status"),
    pytest.param({"f:spec": {"f:replicas": {}}}, "status", id="any field by way of status"),
    pytest.param(
        {"f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}}}, "", id="revision counter"
    ),
    pytest.param({"f:metadata": {"f:annotations": {"f:opsmend.io/last-change": {}}}}, "", id="our own mark"),
    pytest.param({"f:spec": {"f:podCIDR": {}, "f:podCIDRs": {".": {}, 'v:"10.0.0.0/24"': {}}}}, "", id="node's addresses"),
]


@pytest.mark.parametrize(("fields", "subresource"), BOOKKEEPING)
def test_status_and_bookkeeping_are_no_changes(fields: Any, subresource: str) -> None:
    assert writes_of(an_object(an_entry(fields, subresource=subresource))) == ()


def test_scaling_by_way_of_its_subresource_is_a_change() -> None:
    (write,) = writes_of(an_object(an_entry({"f:spec": {"f:replicas": {}}}, subresource="scale")))
    assert write.fields == ("spec.replicas",)


def test_the_write_that_made_the_object_is_known() -> None:
    made, edited = an_entry({"f:data": {"f:a": {}}}, "kubectl-create", MADE), an_entry({"f:data": {"f:b": {}}})
    newest, first = writes_of(an_object(made, edited))
    assert (newest.by, newest.created, first.by, first.created) == ("kubectl-edit", False, "kubectl-create", True)


def test_many_fields_are_told_by_what_they_lie_in() -> None:
    (write,) = writes_of(an_object(an_entry({"f:data": {f"f:{n}.conf": {} for n in range(FIELDS_KEPT + 1)}})))
    assert write.fields == ("data",)
    assert write.holds("data.3.conf")


def test_the_last_writer_of_one_field_is_told_apart_from_that_of_another() -> None:
    writes = writes_of(
        an_object(
            an_entry({"f:data": {"f:nginx.conf": {}}}, "kubectl-edit", MADE),
            an_entry({"f:data": {"f:mime.types": {}}}, "helm", LATER),
        )
    )
    found = last_write(writes, "data.nginx.conf")
    assert found
    assert found.by == "kubectl-edit"
    assert last_write(writes, "data.other") is None


HOSTILE = [
    pytest.param(an_entry({"f:data": {}}, "x" * 100_000), id="long manager"),
    pytest.param(an_entry({"f:data": {"f:" + "k" * 100_000: {}}}), id="long field"),
    pytest.param(an_entry("no object"), id="fields that are no object"),
    pytest.param(an_entry({"f:data": {}}, None), id="no manager"),
]


@pytest.mark.parametrize("entry", HOSTILE)
def test_hostile_entries_neither_break_nor_grow_a_snapshot(entry: dict[str, Any]) -> None:
    (write,) = writes_of(an_object(entry))
    assert len(write.model_dump_json()) < 1000


@pytest.mark.parametrize("time", ["yesterday", None], ids=["no time", "time missing"])
def test_a_write_that_nobody_can_date_is_left_out(time: str | None) -> None:
    assert writes_of(an_object(an_entry({"f:data": {}}, time=time))) == ()


def test_deep_fields_end_somewhere() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"f:x": deep}
    (write,) = writes_of(an_object(an_entry(deep)))
    assert len(write.fields[0]) <= 128


def test_secrets_in_names_are_masked() -> None:
    told = writes_of(an_object(an_entry({"f:data": {"f:password=hunter2hunter2": {}}}, "token=abcdefgh12345678")))[0]
    assert "hunter2" not in told.model_dump_json()
    assert "abcdefgh12345678" not in told.model_dump_json()


def test_a_crowd_of_managers_leaves_room_for_the_newest_only() -> None:
    crowd = [an_entry({"f:data": {"f:a": {}}}, f"m{n:03}", f"2026-03-14T{n // 60:02}:{n % 60:02}:00Z") for n in range(300)]
    kept = writes_of(an_object(*crowd))
    assert len(kept) == WRITES_KEPT
    assert kept[0].by == "m299"
