"""The logs of the parts: each a file that its process appends to, kept small while it does."""

import os
import shutil
from pathlib import Path
from typing import Final

LARGEST: Final = 10 * 1024 * 1024
"""Bytes of a log before it is put aside."""

KEPT: Final = 2
"""Older pieces of a log, `<name>.log.1` the newest. With the log itself they have some 30 MiB."""


def put_aside(log: Path, largest: int = LARGEST) -> None:
    """Once `log` is larger, what is in it becomes `<log>.1`, and it begins anew.

    Its process goes on writing to the same open file, by appending. It need not be told; a line that comes in between the copy
    and the cut is lost. Of a flood between two looks, the last `2 * largest` bytes are kept.
    """
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return
    if size <= largest:
        return
    for number in range(KEPT - 1, 0, -1):
        older = _piece(log, number)
        if older.exists():
            older.replace(_piece(log, number + 1))
    with log.open("rb") as source, _piece(log, 1).open("wb") as piece:
        source.seek(max(0, size - 2 * largest))
        shutil.copyfileobj(source, piece)
    os.truncate(log, 0)


def _piece(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
