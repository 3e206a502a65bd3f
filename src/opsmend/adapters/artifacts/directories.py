"""Directories that only their owner may enter: for histories, logs, artifacts and tokens, none of which is encrypted."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

import structlog

from opsmend.errors import SettingsError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OURS: Final = frozenset(
    {
        *("artifacts", "last-good", "logs", "milvus", "temporal.db", "temporal.db-shm", "temporal.db-wal", "connection.json"),
        *("up.lock", "metrics.json"),
        # The demo's cluster; and in a checkout make's own uv, the lab, chaos and drills.
        *("cluster.url", "kubeconfig", "uv", "lab", "chaos", "drills"),
    }
)
"""What opsmend and its Makefile put into a data directory."""

_log = structlog.get_logger(__name__)


def data_directory(path: Path) -> Path:
    """`path` as a private directory that is opsmend's alone.

    Raises:
        SettingsError: it lets others in and holds other things too, so that closing it could lock somebody out; or see
            private_directory.
    """
    if path.is_dir() and _mode(path) & _OTHERS:
        foreign = sorted({entry.name for entry in path.iterdir()} - _OURS)
        if foreign or path.stat().st_mode & stat.S_ISVTX:
            holds = f" and holds other things too ({', '.join(foreign[:3])})" if foreign else ""
            raise SettingsError(
                f"{path} lets others in (mode {_mode(path):04o}){holds}. Name a directory that is opsmend's alone "
                f"(OPSMEND_DATA_DIR, --data-dir), or close this one: chmod 700 {path}"
            )
    return private_directory(path)


def private_directory(path: Path) -> Path:
    """`path`, made if it is not there, with what is missing above it, and closed to others if it was open to them.

    Raises:
        SettingsError: it lets others in and belongs to somebody else.
        OSError: it cannot be made.
    """
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    for directory in reversed([path, *path.parents]):
        if not directory.exists():
            directory.mkdir(mode=0o700, exist_ok=True)
    mode = _mode(path)
    if mode & _OTHERS:
        _close(path, mode)
    return path


def _close(path: Path, mode: int) -> None:
    try:
        os.chmod(path, mode & ~_OTHERS)
    except PermissionError as e:
        raise SettingsError(
            f"{path} lets others in (mode {mode:04o}) and belongs to user {path.stat().st_uid}, not to user {os.geteuid()}. "
            f"Let its owner close it (chmod 700 {path}), or name another directory in OPSMEND_DATA_DIR."
        ) from e
    _log.warning("directory.closed", path=str(path), mode_before=f"{mode:04o}")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
