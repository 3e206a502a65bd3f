"""Artifacts are there after they were kept, whole, and only those."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.domain.ports.artifacts import ArtifactRef
from opsmend.errors import ArtifactMissingError, TransientError

CONTENT = b"a snapshot" * 10_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def artifacts(folder: Path) -> FileArtifacts:
    return FileArtifacts(folder)


def file_of(folder: Path, ref: ArtifactRef) -> Path:
    return folder / ref.sha256[:2] / ref.sha256


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def open_to_others(path: Path) -> bool:
    return path.stat().st_mode & 0o077 != 0


@pytest.mark.parametrize("content", [CONTENT, b""], ids=["large", "empty"])
async def test_what_was_kept_is_there_for_another_process(folder: Path, artifacts: FileArtifacts, content: bytes) -> None:
    ref = await artifacts.put(content, "application/json")
    assert ref == ArtifactRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content), media_type="application/json")
    assert await FileArtifacts(folder).get(ref) == content


async def test_keeping_twice_at_once_is_harmless_and_leaves_one_file(folder: Path, artifacts: FileArtifacts) -> None:
    refs = await asyncio.gather(*(artifacts.put(CONTENT, "text/plain") for _ in range(8)))
    assert len(set(refs)) == 1
    assert files_in(folder) == [file_of(folder, refs[0])]


async def test_only_the_owner_can_read_it(folder: Path, artifacts: FileArtifacts) -> None:
    path = file_of(folder, await artifacts.put(CONTENT, "text/plain"))
    assert [open_to_others(path), open_to_others(path.parent), open_to_others(folder)] == [False, False, False]


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", "A" * 64, ""], ids=["unknown", "path", "upper case", "empty"])
async def test_what_was_never_kept_is_missing(artifacts: FileArtifacts, sha256: str) -> None:
    with pytest.raises(ArtifactMissingError):
        await artifacts.get(ArtifactRef(sha256=sha256, size=1, media_type="text/plain"))


@pytest.mark.parametrize("damage", [CONTENT[:-1], CONTENT + b"x", b"x" + CONTENT[1:]], ids=["cut", "grown", "altered"])
async def test_damaged_content_is_missing_until_kept_again(folder: Path, artifacts: FileArtifacts, damage: bytes) -> None:
    ref = await artifacts.put(CONTENT, "text/plain")
    file_of(folder, ref).write_bytes(damage)
    with pytest.raises(ArtifactMissingError, match="damaged"):
        await artifacts.get(ref)
    await artifacts.put(CONTENT, "text/plain")
    assert await artifacts.get(ref) == CONTENT


async def test_a_link_in_place_of_an_artifact_is_not_followed(folder: Path, artifacts: FileArtifacts, tmp_path: Path) -> None:
    ref = await artifacts.put(CONTENT, "text/plain")
    outside = tmp_path / "outside"
    file_of(folder, ref).rename(outside)
    file_of(folder, ref).symlink_to(outside)
    with pytest.raises(ArtifactMissingError):
        await artifacts.get(ref)
    await artifacts.put(CONTENT, "text/plain")
    assert not file_of(folder, ref).is_symlink()


async def test_a_link_in_place_of_a_folder_is_not_followed(folder: Path, artifacts: FileArtifacts, tmp_path: Path) -> None:
    ref = await artifacts.put(CONTENT, "text/plain")
    shelf = file_of(folder, ref).parent
    shelf.rename(tmp_path / "elsewhere")
    shelf.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactMissingError):
        await artifacts.get(ref)
    with pytest.raises(TransientError):
        await artifacts.put(CONTENT, "text/plain")


async def test_a_pipe_in_place_of_an_artifact_does_not_hang(folder: Path, artifacts: FileArtifacts) -> None:
    ref = await artifacts.put(CONTENT, "text/plain")
    file_of(folder, ref).unlink()
    os.mkfifo(file_of(folder, ref))
    with pytest.raises(ArtifactMissingError):
        await artifacts.get(ref)


async def test_a_disk_that_takes_nothing_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TransientError, match="could not be kept"):
        await FileArtifacts(tmp_path / "file").put(CONTENT, "text/plain")
