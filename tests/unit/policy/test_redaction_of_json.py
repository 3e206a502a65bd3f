"""JSON is masked by structure: keys, environment variables, flags, Secrets."""

import json
from typing import Any

import pytest

from opsmend.domain.record import JsonObject
from opsmend.policy.redaction import redact_json

pytestmark = pytest.mark.safety

CASES: dict[str, tuple[Any, Any]] = {
    "secret key": ({"db": {"password": "x1"}}, {"db": {"password": "[redacted:password]"}}),
    "number under a secret key": ({"password": 1234}, {"password": "[redacted:password]"}),
    "switch under a secret key": ({"automountServiceAccountToken": False}, {"automountServiceAccountToken": False}),
    "environment variable": (
        {"env": [{"name": "API_KEY", "value": "x1"}, {"name": "MODE", "value": "prod"}]},
        {"env": [{"name": "API_KEY", "value": "[redacted:api-key]"}, {"name": "MODE", "value": "prod"}]},
    ),
    "environment variable from a secret": (
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
    ),
    "flag and its value": (["--password", "x1", "--port", "80"], ["--password", "[redacted:password]", "--port", "80"]),
    "data of a secret": (
        {"kind": "Secret", "metadata": {"name": "db"}, "data": {"a": "eA=="}},
        {"kind": "Secret", "metadata": {"name": "db"}, "data": {"a": "[redacted:secret-data]"}},
    ),
    "data of a config map": (
        {"kind": "ConfigMap", "data": {"mode": "prod", "url": "redis://:pw9@r/0"}},
        {"kind": "ConfigMap", "data": {"mode": "prod", "url": "redis://:[redacted:password]@r/0"}},
    ),
    "scalars": ([1, 2.5, None, True, "web"], [1, 2.5, None, True, "web"]),
}


@pytest.mark.parametrize(("value", "masked"), CASES.values(), ids=CASES.keys())
def test_json_is_masked_by_structure_and_stays_so(value: Any, masked: Any) -> None:
    assert redact_json(value) == masked
    assert redact_json(masked) == masked


def test_json_in_an_annotation_is_masked_as_json() -> None:
    applied = json.dumps({"kind": "Secret", "stringData": {"a": "x1"}})
    obj: JsonObject = {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}}
    assert "x1" not in json.dumps(redact_json(obj))


def test_the_value_given_is_not_changed() -> None:
    value = {"password": "x1"}
    redact_json(value)
    assert value == {"password": "x1"}


def test_nesting_beyond_all_reason_is_cut_not_followed() -> None:
    deep: Any = "x1"
    for _ in range(5000):
        deep = [deep]
    assert "[redacted:too-deep]" in json.dumps(redact_json(deep))


def test_a_name_too_long_to_be_remembered_is_judged_all_the_same() -> None:
    name = "SOME_" * 40 + "PASSWORD"
    assert redact_json({name: "hunter2hunter2"}) == {name: "[redacted:password]"}
