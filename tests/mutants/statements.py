"""What cosmic-ray's own operators leave out: a statement that is not carried out."""

from collections.abc import Iterator
from typing import Any, Final

import parso

NAME: Final = "opsmend/DeleteStatement"

_DELETED: Final = frozenset({"atom_expr", "power", "await_expr", "raise_stmt", "expr_stmt"})
"""Calls, `await`, `raise`, and assignments. Not `return`: what comes of it is most often an error of its own."""

Position = tuple[int, int]


class DeleteStatement:
    """An operator of cosmic-ray (it asks for no base class): puts `pass` in place of a statement in a function."""

    @classmethod
    def arguments(cls) -> tuple[()]:
        return ()

    def mutation_positions(self, node: Any) -> Iterator[tuple[Position, Position]]:
        if node.type == "simple_stmt" and _means_something(node.children[0]) and node.search_ancestor("funcdef"):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        prefix = node.get_first_leaf().prefix
        node.children[0] = parso.python.tree.Name("pass", node.start_pos, prefix)
        return node


def _means_something(statement: Any) -> bool:
    """An assignment to a plain name is left alone: whatever uses the name would only fail."""
    if statement.type == "expr_stmt":
        return bool(statement.children[0].type in ("atom_expr", "power"))
    return statement.type in _DELETED
