"""What was built or fetched once: files by name and key, each beside its SHA-256, which is checked whenever one is used."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Cache:
    """A folder of files that outlives the lab. Whatever is damaged there is made anew."""

    folder: Path

    def place(self, name: str, key: str) -> Path:
        """Where the file is kept. `key` says what it was made from: another key is another file."""
        return self.folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

    def holds(self, file: Path) -> bool:
        """Whether `file` is there, whole and unchanged since it was put there."""
        checksum = _checksum(file)
        return file.exists() and checksum.exists() and checksum.read_text().strip() == _digest(file)

    def put(self, file: Path, make: Callable[[Path], object]) -> None:
        """Have `make` write at the path that it is given, and keep that as `file`. A failure of `make` keeps nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own: another checkout may put the same file at the same time.
        with TemporaryDirectory(dir=self.folder, prefix=".unfinished-") as folder:
            unfinished, checksum = Path(folder) / file.name, Path(folder) / "checksum"
            make(unfinished)
            checksum.write_text(f"{_digest(unfinished)}\n")
            checksum.rename(_checksum(file))
            unfinished.rename(file)


def _checksum(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
