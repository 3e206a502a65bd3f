"""What became of each mutant is kept, so that a run can go on, and its survivors can be tried again."""

from pathlib import Path

from tests.mutants.fates import Fate, Fates, Verdict, fates_in
from tests.mutants.sample import Mutant


def a_fate(line: int, verdict: Verdict) -> Fate:
    mutant = Mutant(module="src/opsmend/policy/gate.py", line=line, column=4, operator="core/AddNot", occurrence=0)
    return Fate(mutant=mutant, verdict=verdict, diff="")


def test_a_run_that_was_stopped_goes_on_from_its_file(tmp_path: Path) -> None:
    fates = Fates(seed=7, known=(a_fate(1, Verdict.KILLED), a_fate(2, Verdict.SURVIVED)))
    fates.write(tmp_path / "runs" / "policy.json")
    assert fates_in(tmp_path / "runs" / "policy.json") == fates
    assert fates_in(tmp_path / "runs" / "agents.json") is None


def test_what_survived_or_came_too_late_is_tried_again_until_it_is_killed() -> None:
    fates = Fates(seed=7, known=(a_fate(1, Verdict.KILLED), a_fate(2, Verdict.SURVIVED), a_fate(3, Verdict.TOO_LATE)))
    assert [mutant.line for mutant in fates.not_killed] == [2, 3]
    after = fates.with_(a_fate(2, Verdict.KILLED))
    assert [mutant.line for mutant in after.not_killed] == [3]
    assert [after.count(verdict) for verdict in Verdict] == [2, 1, 0]
