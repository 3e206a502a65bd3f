"""Container images made of Debian's packages, as archives that containerd imports.

Their names are those of the lab's own registry, which is empty: it is there to say that it has no other tag.
"""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lab.cache import Cache
from lab.packages import IMAGE_PACKAGES, unpacked
from lab.places import HERE, REGISTRY

PAUSE: Final = f"{REGISTRY}/pause:1"

_C: Final = ("libc6", "zlib1g", "libcrypt1", "libssl3")
_APPLETS: Final = ("sh", "sleep", "cat", "echo", "true", "false", "ls", "wget", "nc", "env", "date", "grep", "tail", "dd")
_PASSWD: Final = "root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"
_GROUP: Final = "root:x:0:\nwww-data:x:33:\nadm:x:4:\nnogroup:x:65534:\n"


@dataclass(frozen=True)
class Image:
    """`files` are of this repository: path in the image → file. `folders` are made empty."""

    name: str
    packages: tuple[str, ...]
    entrypoint: tuple[str, ...]
    files: dict[str, Path] = field(default_factory=dict)
    folders: tuple[str, ...] = ()


IMAGES: Final = (
    Image(PAUSE, ("busybox-static",), ("/bin/busybox", "sleep", "2147483647")),
    Image(f"{REGISTRY}/busybox:1", ("busybox-static",), ("/bin/sh",)),
    Image(
        f"{REGISTRY}/nginx:1.22",
        ("busybox-static", *_C, "libpcre2-8-0", "nginx"),
        ("/usr/sbin/nginx", "-g", "daemon off;"),
        folders=("var/log/nginx", "var/lib/nginx", "run", "etc/nginx"),
    ),
    Image(
        f"{REGISTRY}/app:1",
        ("busybox-static", *_C, "libexpat1", "libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal"),
        ("/usr/bin/python3.11", "-u", "/app.py"),
        files={"app.py": HERE / "images" / "app.py"},
    ),
)


def build_images(cache: Path, tell: Callable[[str], None]) -> list[Path]:
    """An archive for each of IMAGES, made anew only when something in it changed."""
    kept = Cache(cache / "images")
    archives = [kept.place(image.name.replace("/", "-").replace(":", "-"), _content(image)) for image in IMAGES]
    for image, archive in zip(IMAGES, archives, strict=True):
        if not kept.holds(archive):
            tell(f"making image {image.name}")
            kept.put(archive, partial(_write, image, cache))
    return archives


def _content(image: Image) -> str:
    parts = [repr(image), *(f"{name} {IMAGE_PACKAGES[name]}" for name in image.packages)]
    return "\n".join([*parts, *(path.read_text() for path in image.files.values())])


def _write(image: Image, cache: Path, archive: Path) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        _fill(root, image, cache)
        _archive(image, root, archive)


def _fill(root: Path, image: Image, cache: Path) -> None:
    for folder in ("bin", "etc", "proc", "sys", "dev", "tmp", *image.folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for package in image.packages:
        # cp merges what several packages have in one folder, and keeps links as links.
        subprocess.run(["cp", "--archive", "--no-target-directory", str(unpacked(cache, package)), str(root)], check=True)
    shutil.rmtree(root / "usr" / "share" / "doc", ignore_errors=True)
    for applet in _APPLETS:
        (root / "bin" / applet).unlink(missing_ok=True)
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc" / "passwd").write_text(_PASSWD)
    (root / "etc" / "group").write_text(_GROUP)
    (root / "tmp").chmod(0o1777)
    for path, source in image.files.items():
        shutil.copy(source, root / path)


def _archive(image: Image, root: Path, to: Path) -> None:
    """The layout of `docker save`: one layer, its configuration, a manifest (moby/docker-image-spec, v1.2)."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root, arcname=".", filter=_owned_by_root)
    blob = layer.getvalue()
    digest = hashlib.sha256(blob).hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": list(image.entrypoint), "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{}],
        }
    ).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [image.name], "Layers": [f"{digest}/layer.tar"]}]).encode()
    with tarfile.open(to, "w") as tar:
        for path, content in ((name, config), (f"{digest}/layer.tar", blob), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
