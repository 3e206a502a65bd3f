"""The data directory of `up` and `demo`: made, tried, and held by one of them at a time."""

import fcntl
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from opsmend.adapters.artifacts.directories import data_directory
from opsmend.errors import PermanentError, SettingsError

_LOCK: Final = "up.lock"

_LEFT_BEHIND: Final = timedelta(seconds=20)
"""How long the parts of an `up` that was killed may take to end: they are told at once and drain for ten seconds."""


class DataDirectoryInUseError(PermanentError):
    """Another opsmend runs on it."""


@dataclass(frozen=True)
class DataDirectory:
    """A directory that is ours until this process and all children that inherited `lock` have ended, however they end.

    The kernel frees the lock with the last of them: a Temporal server that outlives a killed `up` for a moment still has the
    database open.
    """

    path: Path
    lock: int
    """An open file."""


def claim(path: Path) -> DataDirectory:
    """Make it if it is not there, and hold it. What an `up` that was killed left running is waited for.

    Raises:
        SettingsError: it is no directory that can be written, or it lets others in and cannot be closed.
        DataDirectoryInUseError: another opsmend holds it.
    """
    path = path.resolve()
    try:
        data_directory(path)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as e:
        raise cannot_be_used(path, e) from e
    try:
        _hold(lock, path)
    except BaseException:
        os.close(lock)
        raise
    return DataDirectory(path, lock)


def cannot_be_used(path: Path, why: OSError) -> SettingsError:
    reason = "a file is in the way" if isinstance(why, FileExistsError | NotADirectoryError) else why.strerror or str(why)
    return SettingsError(f"The data directory {path} cannot be used: {reason}. Name another with --data-dir.")


def _hold(lock: int, path: Path) -> None:
    give_up = time.monotonic() + _LEFT_BEHIND.total_seconds()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = _holder(lock)
            if _alive(holder) or time.monotonic() > give_up:
                raise DataDirectoryInUseError(_in_use(path, holder)) from None
            time.sleep(0.1)
        except OSError as e:
            raise cannot_be_used(path, e) from e
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _holder(lock: int) -> int | None:
    """The process that says it holds the lock; None for one that has not said so yet."""
    with suppress(ValueError):
        return int(os.pread(lock, 32, 0))
    return None


def _alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _in_use(path: Path, holder: int | None) -> str:
    who = f"another opsmend (pid {holder})" if _alive(holder) else f"what is left of an opsmend that has ended (pid {holder})"
    return f"The data directory {path} is in use by {who}. Stop it, or name another directory with --data-dir."
