"""The rows that come from the drills' results."""

import json
from pathlib import Path
from typing import Any

from bench.drills import rows_of_drills


def a_drill(name: str, *, to_plan: float | None, calls: int) -> dict[str, Any]:
    seconds = {"to_incident": 5.0} | ({"to_plan": to_plan} if to_plan is not None else {})
    return {"drill": name, "seconds": seconds, "api_calls": calls, "api_bytes": calls * 1000}


def test_plans_are_counted_from_the_post_and_calls_over_all_incidents(tmp_path: Path) -> None:
    recorded = tmp_path / "results.json"
    drills = [
        a_drill("one", to_plan=3.0, calls=10),
        a_drill("two", to_plan=5.0, calls=30),
        a_drill("without a plan", to_plan=None, calls=20),
        a_drill("planned-maintenance", to_plan=90.0, calls=20),
    ]
    recorded.write_text(json.dumps(drills))
    rows = {row.name: row.opsmend for row in rows_of_drills(recorded)}
    assert rows["post_to_plan_p50"] == 4.0
    assert rows["incident_api_calls_p50"] == 20
    assert rows["incident_api_bytes_p50"] == 20


def test_the_recorded_results_of_the_drills_can_be_read() -> None:
    measured = {row.name: row.opsmend > 0 for row in rows_of_drills()}
    numbers = ("post_to_plan", "incident_api_calls", "incident_api_bytes")
    assert measured == {f"{number}_{percentile}": True for number in numbers for percentile in ("p50", "p95")}
