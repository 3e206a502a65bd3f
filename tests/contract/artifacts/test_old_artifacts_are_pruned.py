"""Only old artifacts that nobody refers to are deleted, and nothing that is no artifact."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsmend.adapters.artifacts.last_good import FileLastGood
from opsmend.adapters.artifacts.pruning import Pruned, kept_as_good, prune
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.domain.last_good import Sighting
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import LastGoodUnavailableError

NOW = datetime.now(UTC)
LIMIT = NOW - timedelta(days=90)


def aged(path: Path, days: float) -> Path:
    then = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (then, then), follow_symlinks=False)
    return path


async def an_artifact(folder: Path, content: bytes, days: float) -> Path:
    ref = await FileArtifacts(folder).put(content, "text/plain")
    return aged(folder / ref.sha256[:2] / ref.sha256, days)


def pruned(folder: Path, keep: frozenset[str] = frozenset(), *, dry_run: bool = False) -> Pruned:
    return prune(folder, LIMIT, keep, dry_run=dry_run)


async def test_what_is_old_goes_and_what_is_young_or_referred_to_stays(tmp_path: Path) -> None:
    old, young, good = [
        await an_artifact(tmp_path, name, days) for name, days in ((b"old", 91), (b"young", 89), (b"good", 400))
    ]
    assert pruned(tmp_path, frozenset({good.name})) == Pruned(files=1, bytes=3)
    assert [path.exists() for path in (old, young, good)] == [False, True, True]


async def test_a_dry_run_counts_the_same_and_deletes_nothing(tmp_path: Path) -> None:
    old = await an_artifact(tmp_path, b"old", 91)
    assert pruned(tmp_path, dry_run=True) == Pruned(files=1, bytes=3)
    assert old.exists()


async def test_content_that_is_kept_again_is_young_again(tmp_path: Path) -> None:
    old = await an_artifact(tmp_path, b"again", 91)
    await FileArtifacts(tmp_path).put(b"again", "text/plain")
    assert pruned(tmp_path) == Pruned(0, 0)
    assert old.exists()


async def test_what_a_crash_left_unfinished_goes_too(tmp_path: Path) -> None:
    kept = await an_artifact(tmp_path, b"kept", 1)
    unfinished = kept.with_name(f".{kept.name}.0123456789abcdef")
    unfinished.write_bytes(b"hal")
    assert pruned(tmp_path) == Pruned(0, 0)
    aged(unfinished, 91)
    assert pruned(tmp_path) == Pruned(files=1, bytes=3)


async def test_nothing_else_is_touched_and_no_link_is_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "artifacts", tmp_path / "outside"
    outside.write_text("mine")
    kept = await an_artifact(folder, b"kept", 1)
    note, link = kept.with_name("README"), kept.with_name("a" * 64)
    note.write_text("a note")
    link.symlink_to(outside)
    for path in (outside, note, link):
        aged(path, 400)
    assert pruned(folder) == Pruned(0, 0)
    assert (note.read_text(), outside.read_text(), link.is_symlink()) == ("a note", "mine", True)


async def test_a_linked_shelf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ab").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="ab"):
        pruned(tmp_path)


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert pruned(tmp_path / "none") == Pruned(0, 0)
    assert kept_as_good(tmp_path / "none") == frozenset()


async def test_good_configurations_are_referred_to(tmp_path: Path) -> None:
    artifacts = FileArtifacts(tmp_path / "artifacts")
    content = await artifacts.put(b"{}", "application/json")
    sighting = Sighting(
        ref=ObjectRef(kind=Kind.CONFIG_MAP, namespace="shop", name="conf"),
        uid="uid-1",
        at=NOW,
        content=content,
        written_at=NOW,
        resource_version="1",
        by="kubectl",
        runners=(),
    )
    await FileLastGood(tmp_path / "last-good", "prod", artifacts).note(sighting)
    assert kept_as_good(tmp_path / "last-good") == frozenset({content.sha256})


async def test_a_record_that_cannot_be_read_keeps_everything(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / ("ab" * 32)).write_text("damaged")
    with pytest.raises(LastGoodUnavailableError, match="Nothing was deleted"):
        kept_as_good(tmp_path)
