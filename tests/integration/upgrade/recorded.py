"""What a recorded data directory holds, and how to have it again: an incident that asks, and one that ended on a firing alert.

`ASKS` was broken first, in a cluster that makes the same uids of the same requests (its seed is fixed): whoever breaks it first
in a new cluster has the very objects that the recorded plan was made for.
"""

import tarfile
from pathlib import Path
from typing import Final

from tests.integration.outside.cluster import Cluster

FOLDER: Final = Path(__file__).parent
RELEASES: Final = sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))

ASKS: Final = "asks"
"""Namespace whose incident waits for an answer."""
REJECTED: Final = "rejected"
"""Namespace whose incident was escalated because its plan was rejected; its alert fires on."""

TERMS: Final = {
    "OPSMEND_APPROVAL__REMIND_AFTER": "P36500D",
    "OPSMEND_APPROVAL__ESCALATE_AFTER": "P36500D",
    "OPSMEND_APPROVAL__EXPIRE_AFTER": "P36500D",
    "OPSMEND_INCIDENT__QUIET_AFTER": "P36500D",
}
"""Questions and firings that are not over when the recording is years old."""


async def break_both(cluster: Cluster) -> None:
    for namespace in (ASKS, REJECTED):
        await cluster.deploy(namespace)
        await cluster.break_image(namespace)


def unpack(release: str, data_dir: Path) -> None:
    data_dir.mkdir(parents=True, mode=0o700)
    with tarfile.open(FOLDER / f"{release}.tar.xz") as packed:
        packed.extractall(data_dir, filter="data")


def pack(release: str, data_dir: Path) -> Path:
    """Without logs, and without what a stopped Milvus or Temporal leaves to be thrown away."""
    path = FOLDER / f"{release}.tar.xz"

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name.split("/")[1:2] == ["logs"]:
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(path, "w:xz", preset=9) as packed:
        packed.add(data_dir, arcname=".", filter=kept)
    return path
