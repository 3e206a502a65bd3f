"""Taking away artifacts that nobody refers to any more. What is still referred to is for the caller to know."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from opsmend.adapters.artifacts.files import DIRECTORY, opened, read_from
from opsmend.domain.last_good import ConfigRecord
from opsmend.errors import LastGoodUnavailableError

_SHELF: Final = re.compile(r"[0-9a-f]{2}")
_ARTIFACT: Final = re.compile(r"([0-9a-f]{64})|\.[0-9a-f]{64}\.[0-9a-f]{16}")
"""An artifact, or one that a crash left unfinished."""

_RECORD_LIMIT: Final = 1_000_000


@dataclass(frozen=True)
class Pruned:
    files: int
    bytes: int


def prune(directory: Path, before: datetime, keep: frozenset[str], *, dry_run: bool) -> Pruned:
    """Delete what was kept under `directory` before that moment for the last time, but for the digests in `keep`.

    Keeping the same content again counts as new: it makes the file anew. No link is followed, and only files that are named as
    artifacts are touched. Raises OSError.
    """
    files = size = 0
    for shelf in _shelves(directory):
        for entry in os.scandir(shelf):
            name = _ARTIFACT.fullmatch(entry.name)
            seen = entry.stat(follow_symlinks=False)
            if not name or name[1] in keep or not stat.S_ISREG(seen.st_mode) or seen.st_mtime >= before.timestamp():
                continue
            if not dry_run:
                with suppress(FileNotFoundError):
                    os.unlink(entry.name, dir_fd=shelf)
            files, size = files + 1, size + seen.st_size
    return Pruned(files, size)


def kept_as_good(directory: Path) -> frozenset[str]:
    """The digests that the records of good configurations under `directory` refer to.

    Raises:
        LastGoodUnavailableError: a record cannot be read, so nobody knows what it refers to.
    """
    kept: set[str] = set()
    for path in sorted(directory.glob("[0-9a-f][0-9a-f]/" + "[0-9a-f]" * 64)):
        try:
            record = ConfigRecord.model_validate_json(read_from(directory, path.name, _RECORD_LIMIT))
        except (OSError, ValidationError) as e:
            raise LastGoodUnavailableError(
                f"{path} cannot be read, so what it refers to is not known. Nothing was deleted."
            ) from e
        kept |= {record.holds, *(version.content.sha256 for version in record.versions)}
    return frozenset(kept)


def _shelves(directory: Path) -> Iterator[int]:
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if _SHELF.fullmatch(entry.name))
    except FileNotFoundError:
        return
    with opened(directory, DIRECTORY) as root:
        for name in names:
            with opened(name, DIRECTORY | os.O_NOFOLLOW, root) as shelf:
                yield shelf
