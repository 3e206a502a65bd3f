"""`opsmend …` as its next version may be: `python -m tests.integration.outside.next_version MODEL[,MODEL…] …`.

Each MODEL (`alert.Alert`, in opsmend.domain) has one more field, which that version writes and this one does not know.
"""

import importlib
import sys
from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo

from opsmend.cli import main
from opsmend.domain.record import Record

NEW_FIELD: Final = "since_next_version"

_NESTED: Final = 8
"""A model is built with those that it has in it, as they are then; ours are nested no deeper than this."""


def add_fields(names: list[str]) -> None:
    for name in names:
        module, _, model = name.rpartition(".")
        changed = getattr(importlib.import_module(f"opsmend.domain.{module}"), model)
        changed.__pydantic_fields__[NEW_FIELD] = FieldInfo(annotation=str, default="what only the next version knows")
    for _ in range(_NESTED):
        for record in _below(Record):
            record.model_rebuild(force=True)


def _below(of: type[Record]) -> Iterator[type[Record]]:
    for record in of.__subclasses__():
        yield record
        yield from _below(record)


if __name__ == "__main__":
    add_fields(sys.argv.pop(1).split(","))
    main()
