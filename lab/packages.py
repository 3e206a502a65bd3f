"""Debian packages, fetched and unpacked into the cache. Nothing is installed, so no service of theirs starts on the machine."""

import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lab.cache import Cache
from lab.errors import LabError
from lab.progress import Progress

NODE_PACKAGES: Final = {
    "containerd": "1.6.20",
    "runc": "1.1.5",
    "containernetworking-plugins": "1.1.1",
    "libseccomp2": "2.5.4",
    "docker-registry": "2.8.2",
}
MONITORING_PACKAGES: Final = {
    "prometheus-alertmanager": "0.25.0",
    "prometheus-blackbox-exporter": "0.23.0",
}
IMAGE_PACKAGES: Final = {
    "busybox-static": "1.35.0",
    "libc6": "2.36",
    "libcrypt1": "4.4.33",
    "libexpat1": "2.5.0",
    "libpcre2-8-0": "10.42",
    "libpython3.11-minimal": "3.11.2",
    "libpython3.11-stdlib": "3.11.2",
    "libssl3": "3.0",
    "nginx": "1.22.1",
    "python3.11-minimal": "3.11.2",
    "zlib1g": "1.2.13",
}
"""Upstream versions, as Debian 12 has them. The Debian revision floats: the archive keeps only the newest security fix."""


def fetch_packages(cache: Path, tell: Callable[[str], None]) -> None:
    """Every package unpacked at `unpacked(cache, name)`; what is there already, whole and unchanged, is left alone.

    Raises:
        LabError: a package is not to be had in the wanted version.
    """
    wanted = NODE_PACKAGES | MONITORING_PACKAGES | IMAGE_PACKAGES
    archives = Cache(cache / "debs")
    missing = {name: version for name, version in wanted.items() if not archives.holds(_archive(archives, name))}
    if missing:
        tell("asking for the list of Debian packages")
        archives.folder.mkdir(parents=True, exist_ok=True)
        _apt(archives.folder, "update", "--quiet")
    progress = Progress("fetching", len(missing), tell)
    for name, version in missing.items():
        with progress.step(name):
            archives.put(_archive(archives, name), partial(_download, name, version))
    for name in wanted:
        if not _is_of(_archive(archives, name), unpacked(cache, name)):
            _unpack(_archive(archives, name), unpacked(cache, name))


def unpacked(cache: Path, name: str) -> Path:
    """The root of what the package would install."""
    return cache / "packages" / name


def _archive(archives: Cache, name: str) -> Path:
    wanted = NODE_PACKAGES | MONITORING_PACKAGES | IMAGE_PACKAGES
    return archives.place(name, wanted[name])


def _download(name: str, version: str, to: Path) -> None:
    """apt checks what comes against the archive's signed list."""
    with TemporaryDirectory() as folder:
        _apt(Path(folder), "download", "--quiet", name)
        archive = next(Path(folder).glob("*.deb"))
        _check_version(archive, name, version)
        shutil.move(archive, to)


def _check_version(archive: Path, name: str, version: str) -> None:
    has = subprocess.run(
        ["dpkg-deb", "--field", str(archive), "Version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    upstream = has.rpartition(":")[2]
    if not upstream.startswith(version):
        raise LabError(f"The lab was made with {name} {version} of Debian 12, and this system offers {has}.")


def _is_of(archive: Path, folder: Path) -> bool:
    """Whether `folder` is what `archive` has unpacked, file by file. It may be of another version, or damaged."""
    if not folder.is_dir():
        return False
    with (
        subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as packed,
        tarfile.open(fileobj=packed.stdout, mode="r|") as tar,
    ):
        return all(_is_there(tar, entry, folder / entry.name) for entry in tar)


def _is_there(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> bool:
    if entry.issym():
        return path.is_symlink() and str(path.readlink()) == entry.linkname
    if content := tar.extractfile(entry) if entry.isreg() else None:
        return path.is_file() and path.stat().st_size == entry.size and path.read_bytes() == content.read()
    return path.exists()


def _unpack(archive: Path, to: Path) -> None:
    unfinished = to.with_name(f"{to.name}.part")
    subprocess.run(["rm", "-rf", str(unfinished), str(to)], check=True)
    unfinished.mkdir(parents=True)
    subprocess.run(["dpkg-deb", "--extract", str(archive), str(unfinished)], check=True)
    unfinished.rename(to)


def _apt(folder: Path, *arguments: str) -> None:
    # As root apt would fetch as another user, who may not write here.
    argv = ["apt-get", "-o", "APT::Sandbox::User=root", *arguments]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip()[-400:]}")


def search_path(cache: Path, names: Iterable[str]) -> str:
    """A PATH over the packages' programs."""
    folders = [unpacked(cache, name) / place for name in names for place in ("usr/sbin", "usr/bin", "sbin", "bin")]
    return ":".join(str(folder) for folder in folders if folder.is_dir())
