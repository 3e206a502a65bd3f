"""A cause comes before what it causes: a node explains only what began to fire when its own trouble had begun."""

from datetime import timedelta

import pytest
from tests.builders import NOW, a_diagnosis, an_alert, some_evidence

from opsmend.workflows.phases.guests import explains


@pytest.mark.parametrize(
    ("fires_since", "explained"),
    [
        pytest.param(timedelta(minutes=10), True, id="after it"),
        pytest.param(timedelta(minutes=-2), True, id="a little before: clocks differ"),
        pytest.param(timedelta(hours=-2), False, id="long before it"),
    ],
)
def test_order_of_time(fires_since: timedelta, explained: bool) -> None:
    lost = a_diagnosis(category="node_not_ready", evidence=(some_evidence(at=NOW),))
    assert explains(lost, an_alert(starts_at=NOW + fires_since)) is explained


def test_a_node_of_which_nobody_knows_since_when_explains_all() -> None:
    lost = a_diagnosis(category="node_not_ready", evidence=(some_evidence(at=None),))
    assert explains(lost, an_alert(starts_at=NOW - timedelta(days=3)))


def test_without_a_finding_nothing_is_explained() -> None:
    assert not explains(None, an_alert())
