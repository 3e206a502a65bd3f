"""Artifacts as files named by their digest: `<directory>/<first two digits>/<sha256>`.

Whoever can write there (a sandbox, another tool) cannot make us read or write elsewhere: no link is followed below the
directory, and what does not match its digest counts as missing.
"""

import asyncio
import hashlib
import re
import tempfile
from pathlib import Path
from typing import Final

from opsmend.adapters.artifacts.directories import private_directory
from opsmend.adapters.artifacts.files import opened_shelf, read_from, write_atomically
from opsmend.domain.ports.artifacts import ArtifactRef
from opsmend.errors import ArtifactMissingError, SettingsError, TransientError

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class FileArtifacts:
    """Artifacts under `directory`, which is made when first needed.

    `put` raises TransientError when the disk does not take the file (full, read-only).
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def require_directory(self) -> None:
        """Make the directory if it is not there, and write into it. Raises SettingsError when that cannot be done."""
        try:
            private_directory(self._directory)
            with tempfile.TemporaryFile(dir=self._directory):
                pass
        except OSError as e:
            raise SettingsError(
                f"{self._directory} cannot be written: {e.strerror}. OPSMEND_DATA_DIR must name a directory of yours."
            ) from e

    async def put(self, content: bytes, media_type: str) -> ArtifactRef:
        ref = ArtifactRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content), media_type=media_type)
        try:
            await asyncio.to_thread(self._write, ref.sha256, content)
        except OSError as e:
            raise TransientError(f"artifact {ref.sha256[:12]} ({ref.size} bytes) could not be kept: {e.strerror}") from e
        return ref

    async def get(self, ref: ArtifactRef) -> bytes:
        if not _SHA256.fullmatch(ref.sha256):
            raise ArtifactMissingError(f"{ref.sha256[:64]!r} is not a sha256")
        try:
            content = await asyncio.to_thread(self._read, ref)
        except OSError as e:
            raise ArtifactMissingError(f"artifact {ref.sha256[:12]} cannot be read: {e.strerror}") from e
        if hashlib.sha256(content).hexdigest() != ref.sha256:
            raise ArtifactMissingError(f"artifact {ref.sha256[:12]} is damaged: its content has another digest")
        return content

    def _write(self, name: str, content: bytes) -> None:
        with opened_shelf(self._directory, name) as shelf:
            write_atomically(name, content, shelf)

    def _read(self, ref: ArtifactRef) -> bytes:
        # One byte more than promised shows a file that grew, without reading all of a huge one.
        return read_from(self._directory, ref.sha256, ref.size + 1)
