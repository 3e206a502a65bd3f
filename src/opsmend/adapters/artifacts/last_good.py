"""The record of good configurations as files, one a ConfigMap, named by a digest: `<directory>/<first two digits>/<sha256>`.

Names of objects never become names of files. What was seen lies in the artifacts, a record only says what and when.
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from opsmend.adapters.artifacts.files import opened, opened_shelf, read_from, write_atomically
from opsmend.domain.last_good import ConfigRecord, Content, LastGoodContent, Sighting, noted
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.domain.record import digest
from opsmend.domain.target import ObjectRef
from opsmend.errors import ArtifactMissingError, LastGoodUnavailableError

T = TypeVar("T")

_RECORD_LIMIT: Final = 1_000_000
"""Bytes. A record of five versions has some two thousand."""
_LOCK: Final = "lock"


class FileLastGood:
    """Implements LastGood under `directory`, which is made when first needed. A link, or no record of ours, counts as none."""

    def __init__(self, directory: Path, cluster: str, artifacts: Artifacts) -> None:
        """`cluster` keeps the records of one cluster apart from those of others in the same directory."""
        self._directory = directory
        self._cluster = cluster
        self._artifacts = artifacts

    async def note(self, sighting: Sighting) -> ConfigRecord:
        return await self._on_disk(lambda: self._note(sighting))

    async def newest(self, ref: ObjectRef, uid: str) -> LastGoodContent | None:
        record = await self._on_disk(lambda: self._read(self._name(ref)))
        if record is None or not record.is_about(ref, uid) or not record.versions:
            return None
        version = record.versions[0]
        try:
            content = Content.model_validate_json(await self._artifacts.get(version.content))
        except ValidationError as e:
            raise ArtifactMissingError(f"artifact {version.content.sha256[:12]} is no content of a ConfigMap") from e
        return LastGoodContent(looked_at=record.looked_at, version=version, content=content)

    async def _on_disk(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as e:
            raise LastGoodUnavailableError(f"the record of good configurations cannot be used: {e.strerror}") from e

    def _note(self, sighting: Sighting) -> ConfigRecord:
        name = self._name(sighting.ref)
        with opened_shelf(self._directory, name) as shelf, _locked(shelf):
            record = noted(self._read(name), sighting)
            write_atomically(name, record.model_dump_json().encode(), shelf)
        return record

    def _read(self, name: str) -> ConfigRecord | None:
        try:
            return ConfigRecord.model_validate_json(read_from(self._directory, name, _RECORD_LIMIT))
        except ValidationError:
            return None
        except OSError as e:
            if e.errno in (errno.ENOENT, errno.ELOOP):
                return None
            raise

    def _name(self, ref: ObjectRef) -> str:
        return digest([self._cluster, ref.kind, ref.namespace, ref.name])


@contextmanager
def _locked(shelf: int) -> Iterator[None]:
    """One writer at a time, of all processes: what two of them saw must both end in the record."""
    with opened(_LOCK, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, shelf) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
