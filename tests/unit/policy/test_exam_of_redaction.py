"""Redaction masks secrets that it was never shown, and leaves alone what people on call need. See exam/README.md."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest
import re2
from tests.unit.policy.exam import BREAK, HALVES, HERE, Finding, harmed, leaked, rows, score

from opsmend.policy.needles import as_bytes, bytewise
from opsmend.policy.secrets.gitleaks_rules import entries

SECRETS_MASKED: Final = 0.98
INNOCENTS_MASKED: Final = 0.01


@pytest.mark.parametrize("half", HALVES)
def test_secrets_are_masked_and_innocents_stay(half: str) -> None:
    card = score(half)
    assert card["secrets_masked"] >= SECRETS_MASKED * card["secrets"], shown(leaked(half))
    assert card["innocents_masked"] <= INNOCENTS_MASKED * card["innocents"], shown(harmed(half))


def shown(findings: Iterable[Finding]) -> str:
    return "\n".join(f"{finding.row} ({finding.of}): {finding.wrong!r} in {finding.masked!r}" for finding in findings)


@pytest.mark.parametrize("half", HALVES)
def test_exam_is_large_enough_and_labels_what_stands_in_it(half: str) -> None:
    card = score(half)
    assert card["secrets"] >= 100
    assert card["innocents"] >= 200
    assert len({row.id for row in rows(half)}) == len(rows(half))
    for row in rows(half):
        assert all(text in row.given for text in (*row.secrets, *row.innocent)), row.id


@pytest.mark.parametrize("half", HALVES)
def test_scorecard_tells_the_present_figures(half: str) -> None:
    card: dict[str, Any] = json.loads((HERE / "scorecard.json").read_text(encoding="utf-8"))
    assert card[half]["now"] == score(half)


@pytest.mark.parametrize("file", sorted(HERE.glob("*.jsonl")), ids=lambda file: str(file.name))
def test_no_scanner_takes_a_line_of_the_exam_for_a_live_credential(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert BREAK in text
    rules = [(entry["id"], re2.compile(entry["regex"].encode(), bytewise())) for entry in entries() if "regex" in entry]
    lines = [as_bytes(line) for line in text.splitlines()]
    assert [(name, number) for number, line in enumerate(lines, 1) for name, rule in rules if rule.search(line)] == []
