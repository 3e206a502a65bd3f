"""A sample is the same for the same seed, takes every place once, and leaves out what no test could notice."""

import pytest
from tests.mutants.sample import Mutant, changes_what_runs, in_random_order


def a_mutant(line: int = 1, operator: str = "core/AddNot", occurrence: int = 0) -> Mutant:
    return Mutant(module="src/opsmend/policy/gate.py", line=line, column=4, operator=operator, occurrence=occurrence)


MANY = [a_mutant(line, f"core/Operator_{n}") for line in range(50) for n in range(12)]


def test_the_same_seed_is_the_same_sample_however_the_mutants_were_found() -> None:
    assert list(in_random_order(MANY, 7)) == list(in_random_order(reversed(MANY), 7))


def test_another_seed_is_another_sample() -> None:
    first, other = list(in_random_order(MANY, 7)), list(in_random_order(MANY, 8))
    assert [mutant.line for mutant in first] != [mutant.line for mutant in other]
    assert {mutant.place for mutant in first} == {mutant.place for mutant in other}


def test_a_place_is_taken_once_by_one_of_all_its_operators() -> None:
    assert sorted(mutant.line for mutant in in_random_order(MANY, 7)) == list(range(50))
    assert len({mutant.operator for mutant in in_random_order(MANY, 7)}) > 6


CODE = "async def f(self, x: int | None = 1) -> str | None:\n    y: int | str = x + 1\n    return str(y)\n"


@pytest.mark.parametrize(
    ("was", "now", "changes"),
    [
        pytest.param("int | None", "int & None", False, id="annotation of an argument"),
        pytest.param("str | None", "str & None", False, id="annotation of a result"),
        pytest.param("int | str", "int & str", False, id="annotation of a variable"),
        pytest.param("(self, x", "(+, x", False, id="no Python at all"),
        pytest.param("x + 1", "x - 1", True, id="value of a variable"),
        pytest.param("= 1)", "= 2)", True, id="default of an argument"),
    ],
)
def test_what_changes_nothing_that_runs_is_left_out(was: str, now: str, changes: bool) -> None:
    assert was in CODE
    assert changes_what_runs(CODE, CODE.replace(was, now)) is changes
