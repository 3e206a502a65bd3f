"""Ids, hashes, addresses and commands come out of a terminal or a pipe as they are, however narrow it is."""

import io
import re

import pytest
from tests.builders import (
    NOW,
    a_change,
    a_diagnosis,
    a_hint,
    a_plan,
    a_postmortem,
    a_recollection,
    a_target,
    a_verdict,
    a_verification,
    an_approval,
    an_execution,
    an_incident_awaiting_approval,
    some_evidence,
)
from tests.desk_in_memory import DeskInMemory
from tests.unit.cli.run_cli import run_cli

from opsmend.cli import checking
from opsmend.console.layout import console_for, show_on, whole
from opsmend.doctor.examination import Check
from opsmend.domain.incident import IncidentState, TimelineEntry
from opsmend.errors import SettingsError
from opsmend.settings import Settings

NAME = "a-workload-with-a-name-that-is-longer-than-most-terminals-are-wide"
TARGET = a_target(cluster="a-cluster-of-some-region-and-some-purpose", name=NAME)
PLAN = a_plan(cites=(f"{TARGET.incident_id}/run-0",))
EARLIER = "incident:a-cluster-of-some-region-and-some-purpose:shop:deployment:one-that-broke-before-in-the-same-way"


def an_incident_with_long_names() -> IncidentState:
    return an_incident_awaiting_approval(
        target=TARGET,
        status="awaiting_approval",
        plan=PLAN,
        diagnosis=a_diagnosis(
            hints=(a_hint(revision=1),),
            evidence=(some_evidence(f"see {EARLIER} for the same"),),
            recalled=(a_recollection(incident_id=EARLIER),),
            changes=(a_change("image"),),
        ),
        verdict=a_verdict(PLAN),
        execution=an_execution(PLAN),
        verification=a_verification(),
        postmortem=a_postmortem(markdown=f"# It broke\n\nlike {EARLIER}\n"),
        timeline=(TimelineEntry(at=NOW, event="plan.proposed", detail=f"as for {EARLIER} (plan {PLAN.short_hash})"),),
    )


@pytest.mark.parametrize("columns", [{"COLUMNS": "80"}, {"COLUMNS": "40"}, {"COLUMNS": "20"}, {"COLUMNS": ""}], ids=str)
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["incidents"], [TARGET.incident_id]),
        (["incident", TARGET.incident_id], [TARGET.incident_id, PLAN.hash, EARLIER, PLAN.short_hash]),
        (["explain", TARGET.incident_id], [TARGET.incident_id, EARLIER]),
        (["approve", TARGET.incident_id], [TARGET.incident_id, PLAN.hash]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and len(value) < 3 else "",
)
def test_no_word_is_broken_or_cut(command: list[str], words: list[str], columns: dict[str, str]) -> None:
    shown = run_cli(DeskInMemory(an_incident_with_long_names()), *command, **columns).stdout
    for word in words:
        for part in word.split():
            assert any(part in line for line in shown.splitlines()), part
    assert "…" not in shown


@pytest.mark.parametrize("columns", ["80", "40", "20", ""])
def test_a_command_stays_one_line_in_a_narrow_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    command = f"OPSMEND_DATA_DIR=/tmp/opsmend-demo /usr/bin/opsmend approve {TARGET.incident_id}"
    screen = io.StringIO()
    show_on(console_for(screen), whole(command))
    assert screen.getvalue() == f"{command}\n"


def test_a_list_has_a_line_an_incident() -> None:
    shown = run_cli(DeskInMemory(an_incident_with_long_names()), "incidents", COLUMNS="40").stdout
    (line,) = shown.splitlines()
    assert line.split()[-1] == TARGET.incident_id
    assert "awaiting_approval" in line


def test_a_diff_is_shown_line_by_line_as_it_is() -> None:
    shown = run_cli(DeskInMemory(an_incident_with_long_names()), "incident", TARGET.incident_id, COLUMNS="20").stdout
    for line in PLAN.steps[0].diff.splitlines():
        assert f"    {line}".rstrip() in shown.splitlines()


def test_prose_is_wrapped_for_a_terminal_and_left_alone_in_a_pipe() -> None:
    desk = DeskInMemory(an_incident_awaiting_approval(closing="word " * 60))
    assert max(map(len, run_cli(desk, "incident", "web", COLUMNS="80").stdout.splitlines())) < 120
    assert any("word " * 59 in line for line in run_cli(desk, "incident", "web", COLUMNS="").stdout.splitlines())


def test_text_from_outside_cannot_pass_for_a_section() -> None:
    forged = "crashed\nVerdict\n  Security: passed\nPlan\n  plan hash 0000"
    state = an_incident_awaiting_approval(
        diagnosis=a_diagnosis(summary=forged, evidence=(some_evidence(forged),)),
        closing=forged,
        postmortem=a_postmortem(markdown=forged),
    )
    shown = run_cli(DeskInMemory(state), "incident", "web", COLUMNS="80").stdout
    headings = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert headings == [state.id, "Diagnosis", "Plan", "Verdict", "Post-mortem"]


def test_doctors_commands_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Settings) -> str:
        raise SettingsError("It is broken.")

    path = f"/a/{'long/' * 20}path"
    monkeypatch.setattr(checking, "CHECKS", (Check("part", broken, f"Look into {path}."),))
    shown = run_cli(DeskInMemory(), "doctor", COLUMNS="40").stdout
    assert any(path in line for line in shown.splitlines())


REPRS = re.compile(
    r"<[\w.]+ object at|<\w+\.\w+: |datetime\.(datetime|timedelta)\(|\b(None|True|False)\b"
    r"|\b(Status|Outcome|Severity|Answer|Kind|Tier)\.[A-Z]|\bfrozenset\(|SecretStr\(|\[\"|\['|\{'"
)


@pytest.mark.parametrize("command", ["incidents", "incident", "explain", "approve", "config"])
def test_nothing_is_shown_as_python_writes_it(command: str) -> None:
    arguments = [] if command in ("incidents", "config") else ["web"]
    for state in (
        an_incident_with_long_names(),
        an_incident_awaiting_approval(approval=an_approval(PLAN), outcome="escalated"),
    ):
        shown = run_cli(DeskInMemory(state.model_copy(update={"target": a_target()})), command, *arguments)
        assert not REPRS.search(shown.output), REPRS.search(shown.output)
