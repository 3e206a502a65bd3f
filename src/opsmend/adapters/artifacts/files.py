"""Files that are whole or not there, in a directory that others may write to: no link is followed in it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from opsmend.adapters.artifacts.directories import private_directory

DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened(path: Path | str, flags: int, directory: int | None = None) -> Iterator[int]:
    fd = os.open(path, flags, mode=0o600, dir_fd=directory)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def opened_shelf(root: Path, name: str) -> Iterator[int]:
    """The directory `<root>/<first two characters of name>`, made if it is not there."""
    private_directory(root)
    with opened(root, DIRECTORY) as directory:
        with suppress(FileExistsError):
            os.mkdir(name[:2], mode=0o700, dir_fd=directory)
        with opened(name[:2], DIRECTORY | os.O_NOFOLLOW, directory) as shelf:
            yield shelf


def read_from(root: Path, name: str, most: int) -> bytes:
    """Up to `most` bytes of the file that `write_atomically` left as `name` on its shelf.

    Raises:
        OSError: it is not there, or is something else than a file.
    """
    with (
        opened(root, DIRECTORY) as directory,
        opened(name[:2], DIRECTORY | os.O_NOFOLLOW, directory) as shelf,
        opened(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, shelf) as fd,
        os.fdopen(os.dup(fd), "rb") as file,
    ):
        return file.read(most)


def write_atomically(name: str, content: bytes, shelf: int) -> None:
    """Under a name of its own first, so that a crash leaves either nothing or all of it under `name`."""
    unfinished = f".{name}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(unfinished, flags, mode=0o600, dir_fd=shelf)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(unfinished, name, src_dir_fd=shelf, dst_dir_fd=shelf)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished, dir_fd=shelf)
        raise
    os.fsync(shelf)
