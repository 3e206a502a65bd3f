"""The rows about shared causes are read from what the last storms of a thousand targets came to."""

import json
from pathlib import Path
from typing import Any

from bench.causes import rows_of_causes


def recorded(folder: Path, **changes: Any) -> Path:
    storm = {
        "name": "config-map",
        "targets": 1000,
        "grouped": 999,
        "questions": 1,
        "most_calls": 2,
        "seconds": 300.5,
        **changes,
    }
    path = folder / "causes.json"
    path.write_text(json.dumps([storm]))
    return path


def test_one_cause_is_one_question(tmp_path: Path) -> None:
    rows = rows_of_causes(recorded(tmp_path))
    assert {row.name: row.opsmend for row in rows} == {
        "cause_config_map_grouped": 999,
        "cause_config_map_questions": 1,
        "cause_config_map_member_calls": 2,
        "cause_config_map_told": 300.5,
    }
    assert not any(row.missed for row in rows)


def test_what_is_more_than_that_misses_its_aim(tmp_path: Path) -> None:
    rows = rows_of_causes(recorded(tmp_path, grouped=998, questions=2, most_calls=3))
    assert [bool(row.missed) for row in rows] == [True, True, True, False]
