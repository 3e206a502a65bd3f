"""The rows that other tools read."""

import json
from pathlib import Path

import pytest
from bench.results import Aim, Row, percentile, write_results


def test_a_row_holds_opsmend_over_bare() -> None:
    assert Row("intake_new", "alerts/s", 180.0, 200.0).ratio == pytest.approx(0.9)


@pytest.mark.parametrize("bare", [None, 0.0], ids=["nothing to compare with", "nothing measured"])
def test_without_a_bare_side_there_is_no_ratio(bare: float | None) -> None:
    assert Row("storm_incidents", "incidents", 1000, bare).ratio is None


def test_the_file_lists_rows_with_exactly_these_keys(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    write_results([Row("webhook_p99", "ms", 10.004, 4.0, aim=Aim("<", 4)), Row("storm_alerts_lost", "alerts", 0)], written)

    assert json.loads(written.read_text()) == [
        {"name": "webhook_p99", "unit": "ms", "opsmend": 10.0, "bare": 4.0, "ratio": 2.501},
        {"name": "storm_alerts_lost", "unit": "alerts", "opsmend": 0, "bare": None, "ratio": None},
    ]


def test_the_99th_percentile_is_near_the_slowest_call() -> None:
    assert percentile([float(n) for n in range(1, 102)], 99) == pytest.approx(100)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (Row("incident_cpu", "ms", 200.1, 100.0, Aim("≤", 2)), "incident_cpu should be ≤ 2, but is 2.001"),
        (Row("webhook_p99", "ms", 40.0, 10.0, Aim("<", 4)), "webhook_p99 should be < 4, but is 4"),
        (Row("intake_new", "alerts/s", 79.0, 100.0, Aim("≥", 0.8)), "intake_new should be ≥ 0.8, but is 0.79"),
        (Row("storm_incidents", "incidents", 999, aim=Aim("=", 1000)), "storm_incidents should be = 1,000, but is 999"),
    ],
    ids=lambda value: value.name if isinstance(value, Row) else "",
)
def test_a_missed_aim_says_what_came_instead(row: Row, sentence: str) -> None:
    assert row.missed == sentence


@pytest.mark.parametrize(
    "row",
    [
        Row("incident_cpu", "ms", 200.0, 100.0, Aim("≤", 2)),
        Row("storm_alerts_lost", "alerts", 0, aim=Aim("=", 0)),
        Row("incident_wall", "ms", 900.0, 100.0),
    ],
    ids=lambda row: row.name,
)
def test_what_meets_its_aim_or_has_none_is_not_missed(row: Row) -> None:
    assert row.missed == ""
