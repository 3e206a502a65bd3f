"""Which mutants are tried: chosen by a seed, from all places alike, so that the same seed is the same sample."""

import ast
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator

from opsmend.domain.record import Record


class Mutant(Record):
    """`module` is a path from the root of the repository. `occurrence` counts the places in it for the `operator`."""

    module: str
    line: int
    column: int
    operator: str
    occurrence: int

    @property
    def place(self) -> tuple[str, int, int]:
        return self.module, self.line, self.column


def in_random_order(mutants: Iterable[Mutant], seed: int) -> Iterator[Mutant]:
    """One mutant for each place, so that an operator with a dozen replacements weighs no more than one with a single one."""
    places: dict[tuple[str, int, int], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        places[mutant.place].append(mutant)
    choose = random.Random(seed)  # a sample, no secret
    for place in choose.sample(sorted(places), len(places)):
        yield choose.choice(sorted(places[place], key=lambda mutant: (mutant.operator, mutant.occurrence)))


def changes_what_runs(original: str, mutated: str) -> bool:
    """Not so where only an annotation changed (`X | None`), or where the mutant is no Python at all."""
    try:
        return _without_annotations(original) != _without_annotations(mutated)
    except SyntaxError:
        return False


def _without_annotations(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)
