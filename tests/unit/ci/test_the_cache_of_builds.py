"""The lab builds once and checks what it kept: a damaged file is made anew, a failed build leaves nothing behind."""

import shutil
import subprocess
from pathlib import Path
from threading import Event, Thread

import pytest

from lab import binaries, packages
from lab.binaries import KUBERNETES, Binary
from lab.cache import Cache
from lab.errors import LabError
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


def test_two_that_put_the_same_file_at_once_keep_a_whole_one(cache: Cache) -> None:
    file = cache.place("etcd", "v3.6")
    half_made, kept = Event(), Event()

    def first(path: Path) -> None:
        path.write_text("etcd")
        other.start()
        half_made.wait()

    def second(path: Path) -> None:
        path.write_text("half of")
        half_made.set()
        kept.wait()
        path.write_text("etcd")

    other = Thread(target=cache.put, args=(file, second))
    cache.put(file, first)
    seen = file.read_text()
    kept.set()
    other.join()
    assert seen == file.read_text() == "etcd"
    assert cache.holds(file)


def test_what_is_built_in_another_way_is_another_file(cache: Cache) -> None:
    module = f"kubernetes-{KUBERNETES[0]}"
    built = [Binary("etcd", module, "a"), Binary("etcd", module, "b"), Binary("etcd", module, "a", tags="c")]
    assert len({binaries._kept(cache, binary) for binary in built}) == 3


def test_without_network_it_is_said_that_go_could_not_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho no route to host >&2; exit 2\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere:/bin")
    monkeypatch.setattr(binaries, "_new_enough", lambda go: False)
    with pytest.raises(LabError, match="no route to host"):
        binaries._go(tmp_path)


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Debian packages `tool` in versions 1 and 2, each with the one file `usr/bin/tool`, which has its version in it."""
    for version in ("1", "2"):
        root = tmp_path / version
        for path, text in (
            ("DEBIAN/control", f"Package: tool\nVersion: {version}\nArchitecture: all\nMaintainer: a\nDescription: a tool\n"),
            ("usr/bin/tool", version),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        subprocess.run(["dpkg-deb", "--build", root, tmp_path / f"{version}.deb"], check=True, capture_output=True)
    monkeypatch.setattr(packages, "_apt", lambda *asked: None)
    monkeypatch.setattr(packages, "_download", lambda name, version, to: shutil.copy(tmp_path / f"{version}.deb", to))
    monkeypatch.setattr(packages, "MONITORING_PACKAGES", {})
    monkeypatch.setattr(packages, "IMAGE_PACKAGES", {})
    return tmp_path


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")
def test_a_package_is_unpacked_in_the_wanted_version_and_whole(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = packages.unpacked(archives / "cache", "tool") / "usr/bin/tool"
    for version in ("1", "2", "1"):
        monkeypatch.setattr(packages, "NODE_PACKAGES", {"tool": version})
        packages.fetch_packages(archives / "cache", lambda told: None)
        assert tool.read_text() == version
    tool.write_text("damaged")
    packages.fetch_packages(archives / "cache", lambda told: None)
    assert tool.read_text() == "1"


def test_progress_tells_how_many_are_left() -> None:
    told: list[str] = []
    progress = Progress("building", 2, told.append)
    for name in ("etcd", "coredns"):
        with progress.step(name):
            pass
    assert told[0] == "building etcd"
    assert [line.rpartition(" s ")[2] for line in told[1::2]] == ["(1 of 2)", "(2 of 2)"]
