"""What the last full run of the drills measured on a real cluster: how soon there is a plan, and what looking costs."""

import json
from pathlib import Path
from typing import Any, Final

from bench.results import Row, percentile

RECORDED: Final = Path(__file__).parents[1] / "lab" / "results.json"
"""Written by `make drills`."""

_WAITS_FOR_SOMETHING_ELSE: Final = frozenset({"planned-maintenance"})
"""Its plan comes after the window, however fast we are."""


def rows_of_drills(recorded: Path = RECORDED) -> list[Row]:
    """From Alertmanager's post to the plan, over the drills that have one; calls and bytes, over all incidents."""
    drills: list[dict[str, Any]] = json.loads(recorded.read_text())
    planned = [d for d in drills if "to_plan" in d["seconds"] and d["drill"] not in _WAITS_FOR_SOMETHING_ELSE]
    to_plan = [float(d["seconds"]["to_plan"]) for d in planned]
    calls = [float(d["api_calls"]) for d in drills]
    kilobytes = [d["api_bytes"] / 1000 for d in drills]
    return [
        Row("post_to_plan_p50", "s", percentile(to_plan, 50)),
        Row("post_to_plan_p95", "s", percentile(to_plan, 95)),
        Row("incident_api_calls_p50", "calls", percentile(calls, 50)),
        Row("incident_api_calls_p95", "calls", percentile(calls, 95)),
        Row("incident_api_bytes_p50", "KB", percentile(kilobytes, 50)),
        Row("incident_api_bytes_p95", "KB", percentile(kilobytes, 95)),
    ]
