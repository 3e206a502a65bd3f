"""A workload's selector is asked of the API as the workload means it."""

import pytest

from opsmend.adapters.kubernetes.neighbourhood.fields import selector_text
from opsmend.domain.record import JsonObject


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"app": "web", "tier": "front"}}, "app=web,tier=front"),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}, "tier in (a,b)"),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a"]}]}, "tier notin (a)"),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, "tier"),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}, "app=web,!x"),
    ],
)
def test_labels_and_expressions_are_both_asked(selector: JsonObject, text: str) -> None:
    assert selector_text(selector) == text
