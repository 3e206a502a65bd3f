"""The lab builds once and checks what it kept: a damaged file is made anew, a failed build leaves nothing behind."""

from pathlib import Path

import pytest

from lab.cache import Cache
from lab.progress import Progress


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_what_was_put_there_is_held(cache: Cache) -> None:
    file = cache.place("etcd", "v3.6")
    assert not cache.holds(file)
    cache.put(file, lambda path: path.write_text("etcd"))
    assert cache.holds(file)
    assert file.read_text() == "etcd"


def test_another_key_is_another_file(cache: Cache) -> None:
    cache.put(cache.place("etcd", "v3.6"), lambda path: path.write_text("etcd"))
    assert not cache.holds(cache.place("etcd", "v3.7"))


def test_a_damaged_file_is_not_held(cache: Cache) -> None:
    file = cache.place("etcd", "v3.6")
    cache.put(file, lambda path: path.write_text("etcd"))
    file.write_text("etcc")
    assert not cache.holds(file)


def test_a_file_without_its_checksum_is_not_held(cache: Cache) -> None:
    file = cache.place("etcd", "v3.6")
    cache.put(file, lambda path: path.write_text("etcd"))
    for checksum in cache.folder.glob("*.sha256"):
        checksum.unlink()
    assert not cache.holds(file)


def test_a_build_that_fails_halfway_keeps_nothing(cache: Cache) -> None:
    file = cache.place("etcd", "v3.6")

    def fail(path: Path) -> None:
        path.write_text("half of it")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        cache.put(file, fail)
    assert not cache.holds(file)
    cache.put(file, lambda path: path.write_text("etcd"))
    assert file.read_text() == "etcd"


def test_progress_tells_how_many_are_left() -> None:
    told: list[str] = []
    progress = Progress("building", 2, told.append)
    for name in ("etcd", "coredns"):
        with progress.step(name):
            pass
    assert told[0] == "building etcd"
    assert [line.rpartition(" s ")[2] for line in told[1::2]] == ["(1 of 2)", "(2 of 2)"]
