"""Alerts and what is said of them are written so that a version one older or one newer reads them."""

import json
from typing import Any

from tests.builders import an_alert

from opsmend.domain.alert import Alert, Firing
from opsmend.domain.incident import AlertsReceived
from opsmend.domain.opened import IncidentOpened

EPOCH = "1970-01-01T00:00:00Z"


def written(record: Any) -> Any:
    return json.loads(record.model_dump_json())


def test_an_unknown_start_is_written_as_version_0_1_reads_it() -> None:
    silent = an_alert(starts_at=None)
    assert written(silent)["starts_at"] == EPOCH
    assert Alert.model_validate(written(silent)) == silent


def test_what_version_0_1_wrote_for_an_unknown_start_is_read_as_one() -> None:
    old = written(an_alert()) | {"starts_at": EPOCH}
    assert Alert.model_validate(old).starts_at is None
    settled = written(IncidentOpened(target=an_alert().target, settled=(Firing(fingerprint="f", starts_at=None),)))
    assert IncidentOpened.model_validate(settled).settled[0].starts_at is None


def test_a_signal_has_no_field_that_version_0_1_does_not_know_unless_it_says_something() -> None:
    assert written(AlertsReceived(alerts=(an_alert(),))).keys() == {"alerts", "watched"}
    assert written(AlertsReceived(alerts=(an_alert(),), left_out=37))["left_out"] == 37
