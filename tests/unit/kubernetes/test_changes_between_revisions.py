"""What a revision changed is told path by path, and no secret with it."""

import pytest

from opsmend.adapters.kubernetes.neighbourhood.changes import changes_between
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Change
from opsmend.policy.redaction import redact_json


def _changes(before: JsonObject, after: JsonObject) -> list[Change]:
    return list(changes_between(before, after, redact_json(before), redact_json(after)))


@pytest.mark.parametrize(
    ("before", "after", "path", "was", "now"),
    [
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, "/a/b", "1", "2", id="value"),
        pytest.param({}, {"a": "x"}, "/a", None, "x", id="added"),
        pytest.param({"a": "x"}, {}, "/a", "x", None, id="removed"),
        pytest.param({"a": None}, {"a": "x"}, "/a", "null", "x", id="null is a value"),
        pytest.param({"a": {"b": 1}}, {"a": [1]}, "/a", '{"b": 1}', "[1]", id="another type"),
        pytest.param({"args": ["a"]}, {"args": ["a", "b"]}, "/args/1", None, "b", id="list grew"),
        pytest.param({"a/b": {"c~d": 1}}, {"a/b": {"c~d": 2}}, "/a~1b/c~0d", "1", "2", id="JSON pointer escapes"),
    ],
)
def test_each_kind_of_change_has_its_path_and_both_values(
    before: JsonObject, after: JsonObject, path: str, was: str | None, now: str | None
) -> None:
    assert _changes(before, after) == [Change(path=path, before=was, after=now)]


def test_a_variable_put_first_does_not_look_as_if_all_had_changed() -> None:
    before = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    after = {"env": [{"name": "NEW", "value": "0"}, {"name": "A", "value": "1"}, {"name": "B", "value": "3"}]}
    assert [(change.path, change.after) for change in _changes(before, after)] == [
        ("/env/0", '{"name": "NEW", "value": "0"}'),
        ("/env/2/value", "3"),
    ]


def test_a_changed_password_is_a_change_without_its_value() -> None:
    before = {"env": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}]}
    after = {"env": [{"name": "DB_PASSWORD", "value": "hunter3hunter3"}]}
    (change,) = _changes(before, after)
    assert change.path == "/env/0/value"
    assert "hunter" not in change.model_dump_json()


def test_equal_templates_have_no_changes() -> None:
    assert _changes({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []


def test_a_flood_of_changes_is_bounded() -> None:
    assert len(_changes({}, {f"key-{n}": "x" * 10_000 for n in range(1000)})) <= 60
