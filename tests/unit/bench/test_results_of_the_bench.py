"""The rows that other tools read."""

import json
from pathlib import Path

import pytest
from bench.results import Row, percentile, write_results


def test_a_row_holds_opsmend_over_bare() -> None:
    assert Row("intake_new", "alerts/s", 180.0, 200.0).ratio == pytest.approx(0.9)


@pytest.mark.parametrize("bare", [None, 0.0], ids=["nothing to compare with", "nothing measured"])
def test_without_a_bare_side_there_is_no_ratio(bare: float | None) -> None:
    assert Row("storm_incidents", "incidents", 1000, bare).ratio is None


def test_the_file_lists_rows_with_exactly_these_keys(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    write_results([Row("webhook_p99", "ms", 10.004, 4.0, aim="< 4"), Row("storm_alerts_lost", "alerts", 0)], written)

    assert json.loads(written.read_text()) == [
        {"name": "webhook_p99", "unit": "ms", "opsmend": 10.0, "bare": 4.0, "ratio": 2.501},
        {"name": "storm_alerts_lost", "unit": "alerts", "opsmend": 0, "bare": None, "ratio": None},
    ]


def test_the_99th_percentile_is_near_the_slowest_call() -> None:
    assert percentile([float(n) for n in range(1, 102)], 99) == pytest.approx(100)
